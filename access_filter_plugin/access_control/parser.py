"""Variable texts → a Policy, or every problem at once with its path (contract, sections 1 to 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Callable, Optional

from ..strict_json import Problem, Severity, StrictJsonError, did_you_mean, read_json, shown
from ..value_class import value_class
from . import rule_parser
from .patterns import NameList
from .policy import OPERATOR_PATH, Action, Catalog, Effect, Policy, Rule
from .role_parser import parse_roles

PREFIX = "access_"
RULE_PREFIX = "access_rule_"
KNOWN = ("access_rules", "access_default", "access_roles", "access_catalog", "access_tests")
DEFAULT_RULE_ID = "access_default"

FileText = Callable[[str, str], str]
"""``(variable name, value) -> text``: follows ``file:`` values; raises StrictJsonError."""


@value_class
class ParsedPolicy:
    """What the variables of a project say: a policy, or problems that close the project."""

    policy: Policy = field(default_factory=Policy)
    problems: tuple[Problem, ...] = ()
    is_on: bool = False
    """False only when no variable begins with ``access_`` and the operator has no rules."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the rules invalid."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


def natural_key(text: str) -> list[Any]:
    """Return a sort key in which ``rule_10`` comes after ``rule_9``."""
    parts = re.split(r"([0-9]+)", text[:500])
    # The odd parts are the digits; isdigit() is also true of digits that int() does not know.
    numbers = [(1, int(part), "") if odd % 2 else (0, 0, part) for odd, part in enumerate(parts)]
    return [*numbers, (2, 0, text)]


def access_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose name begins with ``access_`` in any case."""
    return {name: text for name, text in variables.items() if name.lower().startswith(PREFIX)}


def parse_project(
    variables: Mapping[str, str], text_of: FileText, *, lower_case_users: bool = False
) -> ParsedPolicy:
    """Return the policy of a project's variables; never raises for anything a variable holds."""
    own = access_variables(variables)
    if not own:
        return ParsedPolicy()
    reader = _ProjectReader(own, text_of, lower_case_users=lower_case_users)
    return reader.read()


def parse_operator(text: str, *, lower_case_users: bool = False) -> ParsedPolicy:
    """Return the policy of the operator's rules file: an object of access_rules, access_roles."""
    reader = _ProjectReader({}, lambda _name, value: value, lower_case_users=lower_case_users)
    try:
        value = read_json(text, OPERATOR_PATH)
    except StrictJsonError as error:
        return ParsedPolicy(problems=error.problems, is_on=True)
    if not isinstance(value, dict):
        problem = Problem(OPERATOR_PATH, f"must be an object, is {shown(value)}")
        return ParsedPolicy(problems=(problem,), is_on=True)
    for key in value:
        if key not in ("access_rules", "access_roles"):
            hint = did_you_mean(key, ("access_rules", "access_roles"))
            reader.problem(f"{OPERATOR_PATH}.{key}", "unknown key" + hint)
    rules = reader.rules(f"{OPERATOR_PATH}.access_rules", value.get("access_rules", []))
    roles = parse_roles(
        f"{OPERATOR_PATH}.access_roles",
        value.get("access_roles", {}),
        reader.problems,
        lower_case_users=lower_case_users,
    )
    policy = Policy(tuple(rules), roles, lower_case_users=lower_case_users, operator_roles=roles)
    return ParsedPolicy(policy, tuple(reader.problems), is_on=True)


def merge(project: ParsedPolicy, operator: Optional[ParsedPolicy]) -> ParsedPolicy:
    """Return the project's policy with the operator's added; deny wins, so nothing weakens it."""
    if operator is None:
        return project
    problems = list(operator.problems + project.problems)
    problems += [
        Problem(f"access_roles.{role}", "the operator defines this role; choose another name")
        for role in sorted(set(operator.policy.roles) & set(project.policy.roles))
    ]
    return ParsedPolicy(
        replace(
            project.policy,
            rules=operator.policy.rules + project.policy.rules,
            roles={**project.policy.roles, **operator.policy.roles},
            operator_roles=operator.policy.operator_roles,
            lower_case_users=operator.policy.lower_case_users,
        ),
        tuple(problems),
        is_on=True,
    )


class _ProjectReader:
    """Reads the access variables of one project, collecting problems."""

    def __init__(
        self, variables: Mapping[str, str], text_of: FileText, *, lower_case_users: bool
    ) -> None:
        self.problems: list[Problem] = []
        self._variables = variables
        self._text_of = text_of
        self._lower = lower_case_users

    def problem(self, path: str, message: str) -> None:
        """Note an error."""
        self.problems.append(Problem(path, message))

    def read(self) -> ParsedPolicy:
        """Return the policy of all variables."""
        self._check_names()
        rules = self._all_rules()
        roles = self._roles()
        rules += self._default()
        self._check_ids(rules)
        policy = Policy(tuple(rules), roles, catalog=self._catalog(), lower_case_users=self._lower)
        return ParsedPolicy(policy, tuple(self.problems), is_on=True)

    def rules(self, path: str, value: Any) -> list[Rule]:
        """Return the rules of a JSON array of rules, or of one rule; ``{}`` is as empty as ``[]``."""
        if isinstance(value, dict):
            return self._one(value, path, path) if value else []
        if not isinstance(value, list):
            self.problem(path, f"must be a rule or an array of rules, is {shown(value)}")
            return []
        found: list[Rule] = []
        for index, item in enumerate(value):
            where = f"{path}[{index}]"
            found += self._one(item, where, where)
        return found

    def _one(self, value: Any, path: str, default_id: str) -> list[Rule]:
        rule = rule_parser.parse_rule(value, path, default_id, self.problems, self._lower)
        return [rule] if rule is not None else []

    def _check_names(self) -> None:
        for name in self._variables:
            if name in KNOWN or (name.startswith(RULE_PREFIX) and len(name) > len(RULE_PREFIX)):
                continue
            hint = did_you_mean(name, KNOWN)
            self.problem(name, "unknown access variable" + hint)

    def _json(self, name: str) -> Any:
        """Return the value of a variable, or None after noting its problem."""
        try:
            return read_json(self._text_of(name, self._variables[name]), name)
        except StrictJsonError as error:
            self.problems += error.problems
            return None

    def _all_rules(self) -> list[Rule]:
        names = ["access_rules"] if "access_rules" in self._variables else []
        names += sorted(
            (name for name in self._variables if name.startswith(RULE_PREFIX)), key=natural_key
        )
        found: list[Rule] = []
        for name in names:
            before = len(self.problems)
            value = self._json(name)
            if len(self.problems) > before:
                continue
            if name == "access_rules" or isinstance(value, dict):
                found += self.rules(name, value)
            else:
                self.problem(name, f"must be one rule (an object), is {shown(value)}")
        return found

    def _roles(self) -> Mapping[str, frozenset[str]]:
        if "access_roles" not in self._variables:
            return {}
        before = len(self.problems)
        value = self._json("access_roles")
        if len(self.problems) > before:
            return {}
        return parse_roles("access_roles", value, self.problems, lower_case_users=self._lower)

    def _choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """Return a variable that holds one word, as it is or as a JSON string."""
        if name not in self._variables:
            return default
        try:
            text = self._text_of(name, self._variables[name]).strip()
        except StrictJsonError as error:
            self.problems += error.problems
            return default
        word = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
        if word not in choices:
            expected = " or ".join(f'"{choice}"' for choice in choices)
            self.problem(name, f"must be {expected}, is {shown(text)}")
            return default
        return word

    def _default(self) -> list[Rule]:
        if self._choice("access_default", ("deny", "allow"), "deny") == "deny":
            return []
        return [
            Rule(
                id=DEFAULT_RULE_ID,
                path=DEFAULT_RULE_ID,
                effect=Effect.ALLOW,
                layers=NameList.parse(["*"]),
                actions=frozenset({Action.READ}),
            )
        ]

    def _catalog(self) -> Catalog:
        return Catalog(self._choice("access_catalog", ("hide", "challenge"), "hide"))

    def _check_ids(self, rules: list[Rule]) -> None:
        seen: dict[str, str] = {}
        for rule in rules:
            if rule.id in seen:
                message = f"{shown(rule.id)} is also the id of {seen[rule.id]}"
                self.problems.append(Problem(f"{rule.path}.id", message, Severity.WARNING))
            seen.setdefault(rule.id, rule.path)
