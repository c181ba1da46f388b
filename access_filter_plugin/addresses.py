"""Network addresses: CIDR blocks, and the client's address behind proxies that are trusted.

An address that cannot be told is None, never a guess: an allow rule for addresses does not match
it, a deny rule does (contract, section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Optional, Union

from .subject import Address
from .value_class import value_class

Network = Union[IPv4Network, IPv6Network]

EVERYWHERE: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_MAPPED_BITS = 96
"""The length of ``::ffff:0:0/96``, the part of IPv6 in which IPv4 addresses are written."""


def parse_address(text: str) -> Optional[Address]:
    """Return an address, without its zone and as IPv4 where it is one; None when it is none."""
    try:
        if ":" not in text:
            return IPv4Address(text)
        address = IPv6Address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address


def parse_network(text: str, *, strict: bool = False) -> Network:
    """Return a CIDR block (an address is a block of one); ValueError says what is wrong with it.

    With ``strict`` bits behind the prefix are an error: ``10.1.2.3/8`` may mean one host or all.
    """
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError("is not an address or a CIDR block") from error
    written = parse_address(text.partition("/")[0])
    network = _as_ipv4(network)
    if strict and written != network.network_address:
        raise ValueError(f'has bits behind its prefix, did you mean "{network}" or "{written}"?')
    return network


def _as_ipv4(network: Network) -> Network:
    mapped = network.network_address
    if isinstance(mapped, IPv4Address) or network.prefixlen < _MAPPED_BITS:
        return network
    inner = mapped.ipv4_mapped
    return network if inner is None else IPv4Network((inner, network.prefixlen - _MAPPED_BITS))


def in_networks(address: Address, networks: Iterable[Network]) -> bool:
    """Return whether an address lies in one of the blocks (IPv4 and IPv6 never meet)."""
    return any(address in network for network in networks)


def read_networks(
    entries: Iterable[str], *, strict: bool = False
) -> tuple[tuple[Network, ...], tuple[tuple[int, str], ...]]:
    """Return the blocks of a list, and for each entry that is none its index and what is wrong."""
    read = [_network_or_message(entry, strict=strict) for entry in entries]
    networks = tuple(item for item in read if not isinstance(item, str))
    wrong = tuple((index, item) for index, item in enumerate(read) if isinstance(item, str))
    return networks, wrong


def _network_or_message(entry: str, *, strict: bool) -> Union[Network, str]:
    try:
        return parse_network(entry, strict=strict)
    except ValueError as error:
        return str(error)


@value_class
class AddressBlocks:
    """Blocks taken in and blocks taken away (``!``); taking away wins, order never matters."""

    include: tuple[Network, ...] = ()
    exclude: tuple[Network, ...] = ()
    wrong: tuple[tuple[int, str], ...] = ()
    """Index and message of every entry that is no block; such a list must not be used."""

    @classmethod
    def parse(cls, entries: Sequence[str]) -> AddressBlocks:
        """Return the blocks of a list; only ``!`` entries start from all, none match none."""
        _, wrong = read_networks(entry.removeprefix("!") for entry in entries)
        include, _ = read_networks(entry for entry in entries if not entry.startswith("!"))
        exclude, _ = read_networks(entry[1:] for entry in entries if entry.startswith("!"))
        if exclude and not include:
            include = EVERYWHERE
        return cls(include, exclude, wrong)

    def __contains__(self, address: object) -> bool:
        if self.wrong or not isinstance(address, (IPv4Address, IPv6Address)):
            return False
        return in_networks(address, self.include) and not in_networks(address, self.exclude)


def client_address(
    peer: Optional[Address], forwarded_for: str, trusted: Sequence[Network]
) -> Optional[Address]:
    """Return the last address of ``X-Forwarded-For`` that is no trusted proxy.

    A ``peer`` that is none either is the client itself. Each proxy appends the address that it saw,
    so from the right everything is told by a proxy we trust, up to and with the first address we do
    not; what stands left of that was told by the client. With none of them the client is unknown.
    """
    if peer is None or not in_networks(peer, trusted):
        return peer
    for entry in reversed(forwarded_for.split(",")):
        address = parse_address(_without_port(entry.strip()))
        if address is None:
            return None
        if not in_networks(address, trusted):
            return address
    return None


def _without_port(text: str) -> str:
    """Return the address of ``1.2.3.4:567``, ``[::1]:80``, ``[::1]`` or a bare address."""
    if text.startswith("["):
        inner, bracket, port = text[1:].partition("]")
        is_right = bracket and ":" in inner and (not port or _is_port(port))
        return inner if is_right else ""
    host, colon, port = text.partition(":")
    if colon and "." in host and _is_port(colon + port):
        return host
    return text


def _is_port(text: str) -> bool:
    return text[0] == ":" and text[1:].isascii() and text[1:].isdigit()
