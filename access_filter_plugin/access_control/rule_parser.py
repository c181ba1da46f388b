"""One JSON object → one Rule, or its problems (contract, section 3)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Optional

from ..addresses import AddressBlocks
from ..late_pattern import late_pattern
from ..ows_request import DATA_OPERATIONS, LISTING_OPERATIONS
from ..strict_json import ObjectReader, Problem, Severity, did_you_mean, shown
from ..subject import BUILT_IN_ROLES
from .expression import (
    PLACEHOLDERS,
    ExpressionError,
    indirect_functions,
    is_balanced,
    tokenize,
    variables,
)
from .patterns import NameList, has_wildcard
from .policy import Action, Effect, Rule

KEYS = (
    "id",
    "effect",
    "users",
    "roles",
    "addresses",
    "valid_from",
    "valid_until",
    "layers",
    "services",
    "requests",
    "actions",
    "filter",
    "check",
    "attributes",
    "readonly",
    "styles",
    "templates",
)
ACTIONS = tuple(action.value for action in Action)
KNOWN_REQUESTS = tuple(
    sorted(
        {
            name
            for table in (DATA_OPERATIONS, LISTING_OPERATIONS)
            for names in table.values()
            for name in names
        }
    )
)
#: What every supported Python reads alike; newer ones would take week dates and more.
_MOMENT = late_pattern(
    r"\d{4}-\d\d-\d\d"
    r"(?P<time>[T ]\d\d:\d\d(:\d\d(\.\d{3}|\.\d{6})?)?(Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)


def parse_rule(
    value: Any, path: str, default_id: str, problems: list[Problem], lower_case_users: bool
) -> Optional[Rule]:
    """Return the rule of a JSON object; None (and problems noted) when it has any error."""
    before = len(problems)
    reader = ObjectReader(value, path, problems, KEYS)
    if not isinstance(value, dict):
        return None
    effect = Effect(reader.choice("effect", ("allow", "deny"), "allow"))
    rule = Rule(
        id=reader.string("id") or default_id,
        path=path,
        effect=effect,
        users=_names(reader, "users", fold_case=lower_case_users),
        roles=_names(reader, "roles"),
        addresses=_addresses(reader),
        valid_from=_moment(reader, "valid_from", end_of_day=False),
        valid_until=_moment(reader, "valid_until", end_of_day=True),
        layers=_names(reader, "layers"),
        services=_names(reader, "services", fold_case=True),
        requests=_names(reader, "requests", fold_case=True),
        actions=_actions(reader, effect),
        filter=_expression(reader, "filter"),
        check=_expression(reader, "check"),
        attributes=_names(reader, "attributes"),
        readonly=_names(reader, "readonly"),
        styles=_names(reader, "styles"),
        templates=_names(reader, "templates"),
    )
    _check_combination(reader, rule)
    errors = (p for p in problems[before:] if p.severity is Severity.ERROR)
    return None if any(errors) else rule


def _names(reader: ObjectReader, key: str, *, fold_case: bool = False) -> Optional[NameList]:
    entries = reader.strings(key)
    if entries is None:
        return None
    for index, entry in enumerate(entries):
        if entry in ("", "!"):
            reader.problem(f"{key}[{index}]", "is empty")
        if entry.startswith("!!"):
            reader.problem(f"{key}[{index}]", f"has more than one '!', is {shown(entry)}")
    if key in ("services", "requests"):
        _warn_of_unknown(reader, key, entries)
    return NameList.parse(entries, fold_case=fold_case)


def _warn_of_unknown(reader: ObjectReader, key: str, entries: tuple[str, ...]) -> None:
    known = tuple(DATA_OPERATIONS) if key == "services" else KNOWN_REQUESTS
    folded = {name.lower() for name in known}
    for index, entry in enumerate(entries):
        name = entry.removeprefix("!")
        if not has_wildcard(name) and name.lower() not in folded:
            hint = did_you_mean(name, known)
            message = f"{shown(name)} is not a known name{hint}"
            reader.problem(f"{key}[{index}]", message, Severity.WARNING)


def _actions(reader: ObjectReader, effect: Effect) -> frozenset[Action]:
    entries = reader.strings("actions")
    if entries is None:
        return frozenset(Action) if effect is Effect.DENY else frozenset({Action.READ})
    for index, entry in enumerate(entries):
        name = entry.removeprefix("!")
        if name.startswith("!") or not NameList.parse([name]).select(ACTIONS):
            hint = did_you_mean(name, ACTIONS)
            expected = ", ".join(ACTIONS)
            message = f"must be one of {expected}, is {shown(entry)}{hint}"
            reader.problem(f"actions[{index}]", message)
    return frozenset(map(Action, NameList.parse(entries).select(ACTIONS)))


def _addresses(reader: ObjectReader) -> Optional[AddressBlocks]:
    entries = reader.strings("addresses")
    if entries is None:
        return None
    blocks = AddressBlocks.parse(entries)
    for index, _message in blocks.wrong:
        message = f"must be an address or a CIDR block, is {shown(entries[index])}"
        reader.problem(f"addresses[{index}]", message)
    return blocks


def _moment(reader: ObjectReader, key: str, *, end_of_day: bool) -> Optional[datetime]:
    text = reader.string(key)
    if text is None:
        return None
    try:
        return parse_moment(text, end_of_day=end_of_day)
    except (ValueError, OverflowError):
        reader.problem(key, f"must be an ISO 8601 date or time, is {shown(text)}")
        return None


def parse_moment(text: str, *, end_of_day: bool) -> datetime:
    """Return a moment with its zone; a date alone means its start or, with ``end_of_day``, its end.

    Without an offset the server's zone counts. Raises ValueError for anything else.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    moment = datetime.fromisoformat(match.group().replace("Z", "+00:00"))
    if match.group("time") is None and end_of_day:
        moment += timedelta(days=1)
    return moment.astimezone() if moment.tzinfo is None else moment


def _expression(reader: ObjectReader, key: str) -> Optional[str]:
    text = reader.string(key)
    if text is None:
        return None
    try:
        if not tokenize(text):
            reader.problem(key, "is empty")
        elif not is_balanced(text):
            reader.problem(key, f"has unbalanced parentheses, is {shown(text)}")
        _check_variables(reader, key, text)
    except ExpressionError as error:
        reader.problem(key, f"does not parse: {error}, is {shown(text)}")
    return text


def _check_variables(reader: ObjectReader, key: str, text: str) -> None:
    for name in sorted(variables(text) - set(PLACEHOLDERS)):
        hint = did_you_mean(name, PLACEHOLDERS)
        reader.problem(key, f"uses @{name}, which is not a placeholder of a rule{hint}")
    for name in sorted(indirect_functions(text)):
        reader.problem(key, f"uses {name}(), which may read any variable")


def _check_combination(reader: ObjectReader, rule: Rule) -> None:
    if rule.layers is None and rule.templates is None:
        reader.problem("layers", "is required (except in a rule that has only templates)")
    if rule.layers is None and rule.templates is not None:
        for key in ("filter", "check", "attributes", "readonly", "styles"):
            if reader.has(key):
                reader.problem(key, "needs layers")
    if rule.effect is Effect.DENY:
        for key in ("check", "readonly"):
            if reader.has(key):
                reader.problem(key, "belongs to an allow rule")
    if rule.valid_from and rule.valid_until and rule.valid_until <= rule.valid_from:
        reader.problem("valid_until", "is not after valid_from", Severity.WARNING)
    _warn_of_built_in_users(reader, rule)


def _warn_of_built_in_users(reader: ObjectReader, rule: Rule) -> None:
    names = rule.users.exact_names() if rule.users else ()
    for name in sorted(BUILT_IN_ROLES & set(names)):
        reader.problem("users", f"{shown(name)} is a role, not a user", Severity.WARNING)
