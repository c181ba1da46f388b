from __future__ import annotations

from ipaddress import ip_address

import pytest

from access_filter_plugin.addresses import (
    AddressBlocks,
    client_address,
    parse_address,
    parse_network,
    read_networks,
)

PROXY = parse_address("10.1.1.1")
TRUSTED, _ = read_networks(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_read_in_every_spelling(text: str, expected: str) -> None:
    assert parse_address(text) == ip_address(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "unix:",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.7 ",
        "192.0.2.7/24",
        "1.2.3.4%eth0",
        "1.2.3.4:80",
        "0x7f.0.0.1",
        "१.2.3.4",
        "10.0.0.1\n",
        "::g",
        ":",
        "%",
        "localhost",
    ],
)
def test_what_is_no_address_is_unknown(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::/0", "::/0"),
    ],
)
def test_a_block_is_read_in_every_spelling(text: str, expected: str) -> None:
    assert str(parse_network(text)) == expected


@pytest.mark.parametrize("text", ["", "any", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/8 "])
def test_what_is_no_block_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address or a CIDR block"):
        parse_network(text)


def test_a_trusted_block_with_bits_behind_its_prefix_is_an_error_that_names_both_readings() -> None:
    with pytest.raises(ValueError, match=r'mean "10\.0\.0\.0/8" or "10\.1\.2\.3"'):
        parse_network("10.1.2.3/8", strict=True)


def test_every_wrong_block_of_a_list_is_told() -> None:
    _, wrong = read_networks(["10.0.0.0/8", "x", "192.0.2.7", "y"])
    assert [index for index, _ in wrong] == [1, 3]


@pytest.mark.parametrize(
    ("blocks", "address", "inside"),
    [
        (["10.0.0.0/8"], "10.1.1.1", True),
        (["10.0.0.0/8"], "11.1.1.1", False),
        (["10.0.0.0/8", "!10.1.0.0/16"], "10.1.1.1", False),
        (["!10.1.0.0/16", "10.0.0.0/8"], "10.1.1.1", False),
        (["10.0.0.0/8", "!10.1.0.0/16"], "10.2.1.1", True),
        (["!10.0.0.0/8"], "10.1.1.1", False),
        (["!10.0.0.0/8"], "192.0.2.7", True),
        (["!10.0.0.0/8"], "2001:db8::1", True),
        ([], "10.1.1.1", False),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["::/0"], "10.1.1.1", False),
        (["fd00::/8"], "fd00::1", True),
    ],
)
def test_blocks_behind_an_exclamation_mark_take_away(
    blocks: list[str], address: str, inside: bool
) -> None:
    assert (parse_address(address) in AddressBlocks.parse(blocks)) is inside


def test_a_list_with_a_wrong_block_contains_nothing_and_tells_which() -> None:
    blocks = AddressBlocks.parse(["0.0.0.0/0", "!nonsense"])
    assert parse_address("10.1.1.1") not in blocks
    assert [index for index, _ in blocks.wrong] == [1]


@pytest.mark.parametrize(
    ("forwarded_for", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.1.1.1, 198.51.100.7, 10.1.1.2", "198.51.100.7"),
        ("198.51.100.7:567", "198.51.100.7"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7, ::ffff:10.1.1.9", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_the_client_is_the_last_forwarded_address_that_is_no_trusted_proxy(
    forwarded_for: str, expected: str
) -> None:
    assert client_address(PROXY, forwarded_for, TRUSTED) == ip_address(expected)


@pytest.mark.parametrize(
    "forwarded_for",
    [
        "",
        ",",
        "unknown",
        "_hidden",
        "10.1.1.2",
        "198.51.100.7, unknown",
        "198.51.100.7,",
        "198.51.100.7, 10.1.1.2, x",
        "198.51.100.7:",
        "198.51.100.7:x",
        "198.51.100.7\x00",
        "[198.51.100.7]",
        "[2001:db8::1",
        "[2001:db8::1]80",
        "[2001:db8::1]:",
    ],
)
def test_a_client_that_no_trusted_proxy_tells_is_unknown(forwarded_for: str) -> None:
    assert client_address(PROXY, forwarded_for, TRUSTED) is None


def test_a_forwarded_address_from_an_untrusted_peer_changes_nothing() -> None:
    peer = parse_address("198.51.100.7")
    assert client_address(peer, "10.1.1.1", TRUSTED) == peer


def test_an_unknown_peer_stays_unknown_whatever_was_forwarded() -> None:
    assert client_address(None, "198.51.100.7", TRUSTED) is None
