"""Takes what nobody may read in a log out of texts that come from clients, QGIS or providers.

Three kinds: values of names that sound secret (``password=…``, ``Authorization: …``), the user part
of an address (``postgresql://user:…@host``), and data sources (``dbname='…' host=…``, a file with
``|layername=…``). Every pattern runs in linear time over at most 2048 characters.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from ..late_pattern import late_pattern

HIDDEN = "***"
MAX_LOOKED_AT = 2048

#: A text without any of these is plain words or a name.
_MARK = late_pattern(r"[=:@%|]|\b(?:bearer|basic|digest|negotiate)\s", re.IGNORECASE)
_SECRET = late_pattern(
    r"pass|pwd|token|secret|key|auth|cookie|sess|cred|sig|bearer|jwt", re.IGNORECASE
)
_WHOLE_LINE = late_pattern(r"cookie|authorization", re.IGNORECASE)
_REST_OF_LINE = late_pattern(r"[^\r\n]*")
_NAME = late_pattern(r"""(?<![\w.-])([\w.-]+)["']?\s{0,8}[=:]\s{0,8}""")
_VALUE = late_pattern(
    r"""(?:(?:bearer|basic|digest|negotiate)\s{1,8})?"""
    r"""(?:'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)|[^\s&;,<>'"]+)""",
    re.IGNORECASE,
)
_SCHEME = late_pattern(r"\b(bearer|basic|digest|negotiate)\s{1,8}[\w.~+/=-]+", re.IGNORECASE)
_RUN = late_pattern(r"""[^\s'"<>]+""")
_SOURCE_SIGN = late_pattern(
    r"\b(?:dbname|authcfg|sslmode)\s{0,8}=|\bservice\s{0,8}='", re.IGNORECASE
)
_SOURCE_PAIR = late_pattern(rf"\b(\w+)\s{{0,8}}=\s{{0,8}}{_VALUE.pattern}")
_SOURCE_TABLE = late_pattern(r'"[^"]{1,128}"\."[^"]{1,128}"')

#: Query items of a project's address that name it and give nothing away.
_PROJECT_ITEMS = ("dbname", "schema", "project", "projectname")
MAX_PROJECT = 1024


def is_plain(text: str) -> bool:
    """Return whether a text has no sign that a secret would need (``=``, ``:``, ``@``, …)."""
    return _MARK.search(text) is None


def scrubbed(text: str) -> str:
    """Return the text without secrets and data sources, of at most 2048 characters."""
    text = text[:MAX_LOOKED_AT]
    if is_plain(text):
        return text
    text = _RUN.sub(_without_user_part_or_layer_file, _decoded(text))
    if _SOURCE_SIGN.search(text):
        text = _SOURCE_PAIR.sub(rf"\1={HIDDEN}", _SOURCE_TABLE.sub(HIDDEN, text))
    return _SCHEME.sub(rf"\1 {HIDDEN}", _without_named_secrets(text))


def _decoded(text: str) -> str:
    # A percent-encoded "password%3Dx" must not pass for harmless; twice, as proxies do.
    for _ in range(2):
        if "%" not in text:
            break
        text = unquote(text)
    return text


def _without_user_part_or_layer_file(match: re.Match[str]) -> str:
    run = match[0]
    if "|layername=" in run.lower() or "|layerid=" in run.lower():
        return HIDDEN
    start = run.find("://")
    end = run.rfind("@")
    return run[: start + 3] + HIDDEN + run[end:] if 0 <= start < end else run


def _without_named_secrets(text: str) -> str:
    if not _SECRET.search(text):
        return text
    pieces = []
    position = 0
    for name in _NAME.finditer(text):
        if name.start() < position or not _SECRET.search(name[1]):
            continue
        value = (_REST_OF_LINE if _WHOLE_LINE.search(name[1]) else _VALUE).match(text, name.end())
        pieces += [text[position : name.end()], HIDDEN]
        # A value that cannot be told from what follows takes everything with it.
        position = value.end() if value else len(text)
    return "".join(pieces) + text[position:]


def without_query(url: str) -> str:
    """Return scheme, host and path of an address: what comes after it may hold a secret."""
    return scrubbed(url[:MAX_LOOKED_AT].split("?", 1)[0].split("#", 1)[0])


def project_name(path: str) -> str:
    """Return how a log names a project: its file, or its database without user and password."""
    scheme, colon, rest = path.partition(":")
    if not colon or not scheme.isalnum() or len(scheme) < 2:
        return scrubbed(path)
    if len(path) > MAX_PROJECT:  # cut anywhere, a user part could no longer be told from a host
        return f"{scheme}:{HIDDEN}"
    place, _, query = rest.rpartition("@")[2].partition("?")
    try:
        items = parse_qsl(query, max_num_fields=50)
    except ValueError:
        items = []
    wanted = "&".join(
        f"{key}={scrubbed(value)}" for key, value in items if key.lower() in _PROJECT_ITEMS
    )
    slashes = "" if not rest.startswith("//") or place.startswith("//") else "//"
    return f"{scheme}:{slashes}{scrubbed(place)}" + (f"?{wanted}" if wanted else "")
