"""QGIS expression texts at the token level: placeholders, comments, balance.

The tokens follow QGIS's own lexer (``qgsexpressionlexer.ll``): strings in single quotes with ``''``
and backslash escapes, quoted columns in double quotes with ``""``, ``--`` and ``/* */`` comments.
Values enter an expression only here, as quoted literals, and never inside a string, a quoted
column or a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional

from ..late_pattern import late_pattern
from ..subject import Subject
from ..value_class import value_class

USER = "access_user"
ROLES = "access_roles"
IS_ANONYMOUS = "access_is_anonymous"
PLACEHOLDERS = (USER, ROLES, IS_ANONYMOUS)

#: Functions through which an expression could reach variables by name, past the check of tokens.
INDIRECT_FUNCTIONS = frozenset({"var", "eval", "eval_template", "env"})

_TOKEN = late_pattern(
    r"""(?P<space>\s+)
    |(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:''|\\.|[^'\\])*')
    |(?P<column>"(?:""|[^"])*")
    |(?P<variable>@[^\W\d]\w*)
    |(?P<special>\$[^\W\d]\w*)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d]\w*)
    |(?P<symbol><=|>=|<>|!=|\|\||//|!~|:=|/(?!\*)|[-+*%^=<>~(),\[\]:{}.?])""",
    re.VERBOSE | re.DOTALL,
)


class ExpressionError(ValueError):
    """An expression that cannot be understood; the message says where."""


@value_class
class Token:
    """One token: its kind (the group names above) and its text as written."""

    kind: str
    text: str


def tokenize(text: str) -> list[Token]:
    """Return the tokens of an expression without space and comments; raise ExpressionError."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"unexpected {text[position]!r} at character {position + 1}")
        kind = match.lastgroup or ""
        if kind not in {"space", "comment"}:
            tokens.append(Token(kind, match.group()))
        position = match.end()
    return tokens


def variables(text: str) -> frozenset[str]:
    """Return the names of the ``@variables`` of an expression, outside strings and comments."""
    return frozenset(token.text[1:] for token in tokenize(text) if token.kind == "variable")


def indirect_functions(text: str) -> frozenset[str]:
    """Return the functions called in an expression that read variables by name."""
    tokens = tokenize(text)
    called = {
        token.text.lower()
        for token, following in zip(tokens, tokens[1:])
        if token.kind == "word" and following.text == "("
    }
    return frozenset(called & INDIRECT_FUNCTIONS)


def first_arguments(text: str) -> list[tuple[str, Optional[str]]]:
    """Return each function call with its first argument where that is one string, else None.

    ``layer:='x'`` counts as ``'x'``; ``'a' || 'b'`` is computed and no string.
    """
    tokens = [*tokenize(text), Token("end", ""), Token("end", ""), Token("end", "")]
    calls: list[tuple[str, Optional[str]]] = []
    for index, token in enumerate(tokens[:-3]):
        if token.kind != "word" or tokens[index + 1].text != "(":
            continue
        at = index + 2
        if tokens[at].text.lower() == "layer" and tokens[at + 1].text == ":=":
            at += 2
        is_whole = tokens[at].kind == "string" and tokens[at + 1].text in (",", ")")
        calls.append((token.text, _unquoted(tokens[at].text) if is_whole else None))
    return calls


def _unquoted(literal: str) -> str:
    escapes = {"n": "\n", "t": "\t"}
    return re.sub(
        r"''|\\(.)",
        lambda match: escapes.get(match.group(1), match.group(1)) if match.group(1) else "'",
        literal[1:-1],
        flags=re.DOTALL,
    )


def is_balanced(text: str) -> bool:
    """Return whether the parentheses outside strings open before they close, and all close."""
    depth = 0
    for token in tokenize(text):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            return False
    return depth == 0


def quoted_string(value: str) -> str:
    """Return a string literal, escaped as ``QgsExpression.quotedString`` does."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return "'" + escaped.replace("\n", "\\n").replace("\t", "\\t") + "'"


def quoted_column(name: str) -> str:
    """Return a column reference, escaped as ``QgsExpression.quotedColumnRef`` does."""
    return '"' + name.replace('"', '""') + '"'


def bind_subject(text: str, subject: Subject, roles: Iterable[str]) -> str:
    """Return an expression with the placeholders replaced by literals of this subject.

    ``roles`` are the given and project-defined ones. ``x IN (@access_roles)`` becomes a literal
    list, which providers compile (facts E11, E13); elsewhere it becomes ``array(…)``. A NUL in a
    value is refused with ExpressionError: no literal can carry it.
    """
    tokens = tokenize(text)
    names = sorted(roles)
    if any("\0" in value for value in [subject.user or "", *names]):
        raise ExpressionError("a user or role name holds a NUL character")
    return " ".join(
        _bound(tokens, index, subject, names) if token.kind == "variable" else token.text
        for index, token in enumerate(tokens)
    )


def _bound(tokens: list[Token], index: int, subject: Subject, roles: list[str]) -> str:
    name = tokens[index].text[1:]
    if name == USER:
        return "NULL" if subject.user is None else quoted_string(subject.user)
    if name == IS_ANONYMOUS:
        return "TRUE" if subject.is_anonymous else "FALSE"
    if name != ROLES:
        raise ExpressionError(f"@{name} is not a placeholder of a rule")
    literals = ", ".join(quoted_string(role) for role in roles)
    if _is_alone_in_list(tokens, index):
        return literals or "NULL"
    return f"array({literals})"


def _is_alone_in_list(tokens: list[Token], index: int) -> bool:
    if not 2 <= index < len(tokens) - 1:
        return False
    before = (tokens[index - 2].text.upper(), tokens[index - 1].text)
    return before == ("IN", "(") and tokens[index + 1].text == ")"
