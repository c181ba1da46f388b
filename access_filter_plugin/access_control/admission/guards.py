"""What endangers others, found in plain values: the guards that hold for everybody.

A request without anything suspicious costs a few dictionary look-ups and substring searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Optional
from urllib.parse import urlsplit

from ...late_modules import unescape
from ...late_pattern import late_pattern
from ..expression import ExpressionError, tokenize
from .grammar import has_template, percent_decoded, split_list

#: Functions that read the environment, files, variables or sources, or evaluate text as code.
FORBIDDEN_FUNCTIONS = frozenset(
    {
        "env",
        "var",
        "eval",
        "eval_template",
        "load_layer",
        "layer_property",
        "decode_uri",
        "base_file_name",
        "file_exists",
        "file_name",
        "file_path",
        "file_size",
        "file_suffix",
        "is_file",
        "is_directory",
        "exif",
        "exif_geotag",
    }
)
#: Variables of the feature at hand; all others tell of the project, its author or the server.
HARMLESS_VARIABLES = frozenset({"@geometry", "@id", "@feature", "@value"})

_NAMES = "|".join(sorted(FORBIDDEN_FUNCTIONS, key=len, reverse=True))
_CALL = late_pattern(rf"(?<!\w)(?:{_NAMES})\s*\(", re.IGNORECASE)
_NAMED = late_pattern(rf"""name\s*=\s*["']\s*(?:{_NAMES})\s*["']""", re.IGNORECASE)
_WORDS = late_pattern(_NAMES, re.IGNORECASE)
_FILE = late_pattern(r"(?<![a-z])file:\s*[/\\]", re.IGNORECASE)
_HOST_URL = late_pattern(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?(/[^\s\\]*)?(\?[^\s\\]*)?", re.ASCII)
EXTERNAL = "EXTERNAL_WMS:"


def reads_server(text: str) -> bool:
    """Return whether a client's expression or OGC filter reads the environment or files.

    Only what stands outside string literals counts, unless the text cannot be cut into tokens.
    """
    if "@" not in text and _WORDS.search(text) is None and "&" not in text and "%" not in text:
        return False
    return any(_reads_server(reading) for reading in _readings(text))


def _readings(text: str) -> list[str]:
    """Return a text as it stands and as QGIS may come to read it."""
    found = [text]
    for change in (percent_decoded, percent_decoded, unescape):
        changed = change(found[-1])
        if changed != found[-1]:
            found.append(changed)
    return found


def _reads_server(text: str) -> bool:
    if "<" in text and (_NAMED.search(text) is not None or has_document_type(text)):
        return True
    try:
        tokens = tokenize(text)
    except ExpressionError:
        return _CALL.search(text) is not None
    for token, following in zip(tokens, [*tokens[1:], None]):
        if token.kind == "variable" and token.text.lower() not in HARMLESS_VARIABLES:
            return True
        is_call = following is not None and following.text == "("
        if token.kind == "word" and is_call and token.text.lower() in FORBIDDEN_FUNCTIONS:
            return True
    return False


def has_document_type(text: str) -> bool:
    """Return whether XML brings entities of its own, of which a name could be made."""
    return "<!DOCTYPE" in text or "<!ENTITY" in text


def smuggles(value: str) -> bool:
    """Return whether a value would begin another parameter when it is put into a URL again."""
    if "&" in value or "#" in value:
        return True
    if "%" not in value:
        return False
    decoded = percent_decoded(value)
    return decoded != value and smuggles(decoded)


def second_name(parameters: Mapping[str, str]) -> Optional[str]:
    """Return a parameter that QGIS reads under another name than it has, or None.

    Where QGIS looks a name up, a leading ``::`` does not count, and it ends at the first NUL.
    """
    names = "\n".join(parameters)
    if "::" in names or "\0" in names:
        for name in parameters:
            if name.startswith("::") or "\0" in name:
                return name
    return None


def atlas_filter(value: str) -> str:
    """Return the expression that QGIS makes of ATLAS_PK where the rows have no primary key."""
    return " OR ".join(f"( $id = {part} )" for part in split_list(value))


def names_file(value: str) -> bool:
    """Return whether a text names a file by its URL, which QGIS would open for the client."""
    if "%" not in value and ":" not in value:
        return False
    readings = (value, percent_decoded(value), percent_decoded(percent_decoded(value)))
    return any(_FILE.search(reading) is not None for reading in readings)


def template_parameter(parameters: Mapping[str, str]) -> Optional[str]:
    """Return the name of a parameter whose value holds an expression template, or None."""
    for name, value in parameters.items():
        if ("[" in value or "%" in value) and has_template(value):
            return name
    return None


def external_layers(parameters: Mapping[str, str]) -> Iterable[str]:
    """Return the ids of the outside services that a request names as layers."""
    for name, value in parameters.items():
        if EXTERNAL in value and name.rpartition(":")[2] in ("LAYER", "LAYERS", "QUERY_LAYERS"):
            for layer in value.split(","):
                if layer.startswith(EXTERNAL):
                    yield layer[len(EXTERNAL) :]


def leads_outside(parameters: Mapping[str, str], layer: str, hosts: frozenset[str]) -> bool:
    """Return whether an outside layer may lead to a host that is not on the operator's list."""
    found = False
    prefix = f"{layer.upper()}:"
    for name, value in parameters.items():
        if not name.upper().startswith(prefix):
            continue
        key = name[len(prefix) :].upper()
        if key == "URL":
            found = True
            if not _is_on_list(value, hosts):
                return True
        elif "://" in percent_decoded(percent_decoded(value)) or key in _LEADING:
            return True
    return not found


_LEADING = frozenset(
    {"AUTHCFG", "USERNAME", "PASSWORD", "REFERER", "TYPE", "PROXY", "FILE", "PATH"}
)


def _is_on_list(url: str, hosts: frozenset[str]) -> bool:
    for reading in {url, percent_decoded(url), percent_decoded(percent_decoded(url))}:
        if _HOST_URL.fullmatch(reading) is None:
            return False
        if (urlsplit(reading).hostname or "").lower() not in hosts:
            return False
    return True
