"""Small grammars of request parameters: what a value may look like before QGIS reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Callable, Optional

from ...late_pattern import late_pattern

Grammar = Callable[[str], bool]

_INTEGER = late_pattern(r"[+-]?\d{1,9}")
_NUMBER = late_pattern(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
#: A box as map clients write it: four of what are numbers in :data:`_NUMBER`, too.
_PLAIN_BOX = late_pattern(r"-?\d{1,15}(?:\.\d{1,20})?(?:,-?\d{1,15}(?:\.\d{1,20})?){3}", re.ASCII)
_BOOLEAN = late_pattern(r"true|false|1|0|yes|no|on|off|", re.IGNORECASE)
_COLOR = late_pattern(r"(0x|#)?[0-9a-fA-F]{3,8}|[a-zA-Z]{1,32}")
_CRS = late_pattern(r"[A-Za-z0-9:/._-]{1,120}")
_MEDIA_TYPE = late_pattern(
    r"[A-Za-z0-9.+*_-]{1,60}(/[A-Za-z0-9.+*_-]{1,80})?(\s*;[ A-Za-z0-9.=+/_\":-]*)?"
)
_WORD = late_pattern(r"[\w.-]{0,64}")
_FORBIDDEN = late_pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def is_integer(text: str) -> bool:
    """Return whether a value is empty or a whole number of at most nine digits."""
    return not text or _INTEGER.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Return whether a value is empty or a decimal number."""
    return not text or _NUMBER.fullmatch(text) is not None


def is_boolean(text: str) -> bool:
    """Return whether a value is a truth value as clients write it."""
    return _BOOLEAN.fullmatch(text) is not None


def is_color(text: str) -> bool:
    """Return whether a value is empty, a colour in hexadecimal digits, or its name."""
    return not text or _COLOR.fullmatch(text) is not None


def is_crs(text: str) -> bool:
    """Return whether a value is empty or the identifier of a reference system."""
    return not text or _CRS.fullmatch(text) is not None


def is_media_type(text: str) -> bool:
    """Return whether a value is empty or looks like a media type (``image/png; mode=8bit``)."""
    return not text or _MEDIA_TYPE.fullmatch(text) is not None


def is_word(text: str) -> bool:
    """Return whether a value is one word of letters, digits, dots and hyphens."""
    return _WORD.fullmatch(text) is not None


def is_text(text: str) -> bool:
    """Return whether a value is text without control characters and without a template."""
    return _FORBIDDEN.search(text) is None and not has_template(text)


def is_bbox(text: str) -> bool:
    """Return whether a value is empty or at least four numbers, perhaps with a reference system."""
    if not text or _PLAIN_BOX.fullmatch(text) is not None:
        return True
    parts = [part.strip() for part in text.split(",")]
    numbers = parts[:-1] if len(parts) in (5, 7) else parts
    # A '+' of an exponent may have become a blank on the way (1e 05).
    return (
        len(numbers) in (4, 6)
        and all(part and is_number(part.replace(" ", "+")) for part in numbers)
        and is_crs(parts[-1].replace(" ", "+"))
    )


def list_of(grammar: Grammar, separator: str = ",") -> Grammar:
    """Return the grammar of a separated list."""
    return lambda text: all(grammar(part.strip()) for part in text.split(separator))


def one_of(*words: str) -> Grammar:
    """Return the grammar of one of these words, in any case, or nothing."""
    known = frozenset(word.lower() for word in words) | {""}
    return lambda text: text.lower() in known


def has_template(text: str) -> bool:
    """Return whether QGIS could find an expression template in a text, decoded again or not."""
    while True:
        if "[%" in text:
            return True
        decoded = percent_decoded(text)
        if decoded == text:
            return False
        text = decoded


def percent_decoded(text: str) -> str:
    """Return a text with its percent escapes of ASCII characters resolved once."""
    return _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), text)


_ESCAPE = late_pattern(r"%([0-7][0-9A-Fa-f])")


def split_list(text: str, separator: str = ",") -> list[str]:
    """Return the parts of a list that are not empty, as QGIS takes them."""
    return [part for part in text.split(separator) if part]


def wrong_parameter(
    parameters: Mapping[str, str],
    grammars: Mapping[str, Grammar],
    names: Optional[Iterable[str]] = None,
) -> Optional[str]:
    """Return the first parameter whose value is outside its grammar, or None.

    Parameters without a grammar are left to the caller; ``names`` limits the look.
    """
    for name in sorted(parameters if names is None else names):
        grammar = grammars.get(name)
        if grammar is not None and not grammar(parameters.get(name, "")):
            return name
    return None
