"""Who is asking: one request's CGI variables or identity headers → a :class:`Subject`.

There is exactly one source, chosen by the operator, and no fallback from one to another; query
parameters never count. Headers can be sent by any client, so they need a proof: a connection from a
trusted proxy, the proxy's secret, or both where both are configured. Whatever is missing, wrong or
unreadable makes the caller anonymous.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Optional

from .addresses import client_address, in_networks, parse_address
from .operator_settings import IdentitySource, OperatorSettings
from .operator_variables import PREFIX
from .subject import BUILT_IN_ROLES, Address, Subject

Lookup = Callable[[str], str]
"""Returns one request header or CGI variable by its name, an empty text when it is absent."""

PROOF_HEADER = "X-Access-Filter-Secret"
PROOF_VARIABLE = "HTTP_" + PROOF_HEADER.upper().replace("-", "_")
"""The same header as a CGI variable, in which the environment of a FastCGI process has it."""
FORWARDED_FOR = "X-Forwarded-For"
PY_QGIS_SERVER_MARK = "_is_py_qgis_server"
"""What py-qgis-server sets on the package of every plugin before it calls it."""
_NOBODY: frozenset[str] = frozenset()
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What Qt puts for bytes that are no UTF-8: two different names may become equal by it."""


#: The text is the web server's, so nobody can fill this; parsing it costs more than all the rest.
_parse_peer = lru_cache(maxsize=512)(parse_address)


def resolve_subject(settings: OperatorSettings, header: Lookup, env: Lookup) -> Subject:
    """Return the caller of the request whose headers and CGI variables the two functions read."""
    peer = _parse_peer(env("REMOTE_ADDR"))
    address = peer
    if settings.trusted_proxies:
        address = client_address(peer, header(FORWARDED_FOR), settings.trusted_proxies)
    source = settings.identity
    if not source.uses_headers:
        user = env("REMOTE_USER")
        if not user:
            return Subject(None, _NOBODY, address, "remote_user")
        return _subject(settings, user, env("REMOTE_ROLES"), address, "remote_user")
    missing = _missing_proof(settings, peer, header)
    if missing is not None:
        return Subject(None, _NOBODY, address, f"none ({missing})")
    return _from_headers(settings, header, address)


def reads_headers(settings: OperatorSettings) -> bool:
    """Return whether these settings find the caller by anything but the web server's variables."""
    return settings.identity.uses_headers or bool(settings.trusted_proxies)


def no_header(name: str) -> str:
    """Stand where no header is to be read; whoever reads one fails, and nobody is let in."""
    raise LookupError(name)


def header_lookup(handler: Any) -> Lookup:
    """Return a lookup of request headers that is the same whatever serves the request.

    FastCGI ignores the case of a name. qgis_mapserver and py-qgis-server hold a dictionary and
    compare exactly; and py-qgis-server reads each byte as a character (RAN: 1.9.6 on QGIS 3.40).
    """
    exact: Lookup = handler.requestHeader
    bytewise = getattr(sys.modules[__package__], PY_QGIS_SERVER_MARK, False)

    def header(name: str) -> str:
        value = exact(name) or _in_any_case(handler.requestHeaders(), name)
        return _as_utf_8(value) if bytewise and not value.isascii() else value

    return header


def _in_any_case(headers: Mapping[str, str], name: str) -> str:
    folded = name.lower()
    found = {value for key, value in headers.items() if key.lower() == folded}
    # Of two spellings with two values none can be told to be the proxy's.
    return found.pop() if len(found) == 1 else ""


def _as_utf_8(value: str) -> str:
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _from_headers(
    settings: OperatorSettings, header: Lookup, address: Optional[Address]
) -> Subject:
    source = settings.identity
    words = source_words(source)
    user = next(filter(None, map(header, source.user_headers)), "")
    if not user:
        return Subject(None, _NOBODY, address, words)
    if "," in user:
        # Servers join a header that was sent twice; which of the two is the proxy's, none can tell.
        return Subject(None, _NOBODY, address, f"{words} (more than one user)")
    roles = header(source.roles_header) if source.roles_header else ""
    return _subject(settings, user, roles, address, words)


def _missing_proof(
    settings: OperatorSettings, peer: Optional[Address], header: Lookup
) -> Optional[str]:
    """Return which of the configured proofs fails; with none configured, that."""
    networks, secret = settings.trusted_proxies, settings.proxy_secret
    if not networks and not settings.trust_any_proxy and secret is None:
        return "no proof configured"
    if networks and (peer is None or not in_networks(peer, networks)):
        return "address not trusted"
    if secret is not None and not _is_secret(secret, header(PROOF_HEADER)):
        return "secret missing or wrong"
    return None


def _is_secret(secret: str, sent: str) -> bool:
    return bool(secret) and hmac.compare_digest(
        sent.encode("utf-8", "surrogatepass"), secret.encode("utf-8", "surrogatepass")
    )


def _subject(
    settings: OperatorSettings, user: str, roles: str, address: Optional[Address], source: str
) -> Subject:
    separator = settings.identity.roles_separator
    name, given, doubt = _read_names(user, roles, separator, settings.lower_case_users)
    return Subject(name, given, address, f"{source}{doubt}" if doubt else source)


@lru_cache(maxsize=1000)
def _read_names(
    user: str, roles: str, separator: str, lower_case: bool
) -> tuple[Optional[str], frozenset[str], str]:
    """Return a user and roles as they were sent, read, and what is to be said of them."""
    name = user.strip()
    if not (_is_readable(name) and _is_readable(roles)):
        return None, _NOBODY, " (unreadable)"
    if not name:
        return None, _NOBODY, ""
    if lower_case:
        name = name.lower()
    return name, split_roles(roles, separator) if roles else _NOBODY, ""


def _is_readable(text: str) -> bool:
    return text.isprintable() and _REPLACEMENT not in text


def split_roles(text: str, separator: str) -> frozenset[str]:
    """Return the roles of a list; the built-in ones are ours to give, not the proxy's."""
    return frozenset(filter(None, map(str.strip, text.split(separator)))) - BUILT_IN_ROLES


def source_words(source: IdentitySource) -> str:
    """Return the words by which GetPermissions and the log name the source."""
    if not source.uses_headers:
        return source.name
    return source.name if source.name == "headers" else f"headers:{source.name}"


def load_line(settings: OperatorSettings) -> str:
    """Return, for the line at load, where identity comes from and what proves it."""
    source = settings.identity
    words = source_words(source)
    if not source.uses_headers:
        return f"{words} (set by the web server)"
    proofs = []
    if settings.trusted_proxies:
        proofs.append("address in " + ", ".join(map(str, settings.trusted_proxies)))
    if settings.proxy_secret is not None:
        proofs.append("proxy secret")
    if proofs:
        return f"{words} (proven by {' and '.join(proofs)})"
    if settings.trust_any_proxy:
        return f"{words} (believed from any address)"
    return (
        f"nothing: {source.name} needs {PREFIX}TRUSTED_PROXIES or {PREFIX}PROXY_SECRET, "
        "so everybody is anonymous"
    )
