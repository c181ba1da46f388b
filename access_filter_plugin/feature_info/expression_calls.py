"""What stands first in a call of an expression, at the level of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

from ..late_pattern import late_pattern

_TOKEN = late_pattern(
    r"""(?P<string>'(?:''|\\.|[^'\\])*')|"(?:""|[^"])*"|(?P<word>\$?[^\W\d]\w*)|(?P<other>\S)""",
    re.VERBOSE | re.DOTALL,
)


def first_arguments(text: str, function: str) -> Iterator[Optional[str]]:
    """Yield the first argument of each call of a function; None unless it is one text literal.

    The text is an expression as QGIS writes it (``QgsExpression.dump``): without comments.
    """
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens[:-1]):
        if token.group("word") == function and tokens[index + 1].group() == "(":
            after = tokens[index + 2 : index + 4]
            literal = after[0].group("string") if after else None
            is_alone = len(after) == 2 and after[1].group() in (",", ")")
            yield _unquoted(literal) if literal is not None and is_alone else None


def _unquoted(literal: str) -> str:
    return re.sub(r"''|\\(.)", lambda match: match.group(1) or "'", literal[1:-1])
