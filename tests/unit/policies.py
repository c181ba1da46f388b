"""The policies of the contract's examples as data: what is typed, who asks, what they get.

A case reads like a row of the page. ``expected`` maps subjects to what they see; ``"*"`` stands for
every layer that is not named, ``"others"`` for every subject that is not. A key ``parcels@WFS`` or
``parcels@WMS:GetMap`` speaks of one service or one request alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

#: layer → row id → attributes, as tests/support/projects.py writes them.
ROWS: dict[str, dict[int, dict[str, Any]]] = {
    "parcels": {
        i: dict(zip(("name", "status", "owner", "owner_name", "public", "zone"), values))
        for i, values in {
            1: ("one", "draft", "alice", "Alice A.", 1, 1),
            2: ("two", "submitted", "bob", "Bob B.", 0, 2),
            3: ("three", None, "alice", "Alice A.", 0, 1),
            4: ("four", "draft", "carl", "Carl C.", 1, 2),
        }.items()
    },
    "salaries": {1: {"person": "alice", "amount": 4100}, 2: {"person": "bob", "amount": 4200}},
    "reports": {1: {"title": "first", "author": "alice"}},
    "owners": {
        1: {"login": "alice", "fullname": "Alice Albright", "phone": "111"},
        2: {"login": "bob", "fullname": "Bob Baker", "phone": "222"},
        3: {"login": "carl", "fullname": "Carl Cook", "phone": "333"},
    },
}
LAYERS = (*ROWS, "ortho")
SUBJECTS: dict[str, tuple[Optional[str], frozenset[str]]] = {
    "anon": (None, frozenset()),
    "bob": ("bob", frozenset({"viewer"})),
    "alice": ("alice", frozenset({"editor", "surveyor"})),
    "root": ("root", frozenset({"admin", "editor"})),
    "carl": ("carl", frozenset()),
}


@dataclass(frozen=True)
class Sees:
    """What one subject gets of one layer; rows are ids, or ``all``, or empty for none."""

    rows: str = ""
    hidden: str = ""
    insert: bool = False
    update: str = ""
    """The stored rows that may be updated."""
    delete: str = ""
    writable: Optional[str] = None
    """What an update may write, for the layers where it matters."""
    styles: Optional[str] = None
    default_style: Optional[str] = None
    empty: bool = False
    """True for a layer that is readable, though no row of this data is visible."""


ALL = Sees("all")
CLOSED = Sees()
EMPTY = Sees(empty=True)


@dataclass(frozen=True)
class Case:
    """One policy with its expected decisions."""

    number: str
    says: str
    variables: Mapping[str, Any]
    expected: Mapping[str, Mapping[str, Sees]] = field(default_factory=dict)
    operator: Optional[Mapping[str, Any]] = None
    address: str = "198.51.100.7"
    users: Mapping[str, str] = field(default_factory=dict)
    """Subject → the login it uses in this case."""
    lower_case: bool = False
    now: str = "2026-06-01T12:00:00+00:00"
    templates: Mapping[str, str] = field(default_factory=dict)
    """Subjects → the layouts they may print, of ``Official`` and ``Draft``."""
    unrestricted: str = ""
    """Subjects from whom nothing is hidden (WMS reading)."""
    invalid: str = ""
    """Part of the problem that closes the project."""

    def of(self, subject: str) -> Mapping[str, Sees]:
        """Return what a subject is to see, by layer."""
        for names, found in self.expected.items():
            if subject in names.split():
                return found
        return self.expected["others"]

    def __str__(self) -> str:
        return f"{self.number}: {self.says}"


def sees(expected: Mapping[str, Sees], layer: str, service: str, operation: str) -> Sees:
    """Return the most specific expectation for a layer, a service and a request."""
    for key in (f"{layer}@{service}:{operation}", f"{layer}@{service}", layer):
        if key in expected:
            return expected[key]
    return expected.get("*", CLOSED)


EVERYTHING = {"*": ALL}
OWN_ROWS = {"alice": "1 3", "bob": "2", "carl": "4"}


def rules(*items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the variables of a project with these rules."""
    return {"access_rules": list(items), **more}


CASES: tuple[Case, ...] = (
    Case(
        "1",
        "one rule for all layers lets everybody read everything and nobody edit",
        rules({"layers": "*"}),
        {"others": EVERYTHING},
        templates={"others": "Official Draft"},
        unrestricted="anon bob alice root carl",
    ),
    Case(
        "2",
        "an excluded role is outside the deny rule",
        rules({"layers": "*"}, {"effect": "deny", "roles": "!admin", "layers": "salaries"}),
        {"root": EVERYTHING, "others": {"*": ALL, "salaries": CLOSED}},
        unrestricted="root",
    ),
    Case(
        "3",
        "an excluded user is outside an allow rule, whatever role matches",
        rules({"users": "!bob", "roles": "editor", "layers": "*"}),
        {"alice root carl": EVERYTHING, "others": {}},
        unrestricted="alice root carl",
    ),
    Case(
        "4",
        "a deny rule with attributes leaves the layer readable without them",
        rules(
            {"effect": "deny", "attributes": "owner_*", "layers": "parcels"},
            access_default="allow",
        ),
        {"others": {"*": ALL, "parcels": Sees("all", hidden="owner_name")}},
    ),
    Case(
        "5",
        "a filter adds nothing where everything is open already",
        rules(
            {"roles": "editor", "layers": "parcels", "filter": "status = 'draft'"},
            access_default="allow",
        ),
        {"others": EVERYTHING},
        unrestricted="anon bob alice root carl",
    ),
    Case(
        "6",
        "access_default allow reads and never edits",
        rules(access_default="allow"),
        {"others": EVERYTHING},
        unrestricted="anon bob alice root carl",
    ),
    Case(
        "7a",
        "a variable in another case is invalid",
        {"Access_Rules": [{"layers": "*"}]},
        invalid='Access_Rules: unknown access variable, did you mean "access_rules"?',
    ),
    Case(
        "7b",
        "a misspelt variable is invalid",
        {"access_ruels": [{"layers": "*"}]},
        invalid='access_ruels: unknown access variable, did you mean "access_rules"?',
    ),
    Case(
        "8",
        "a deny rule for a layer that does not exist is invalid",
        rules({"layers": "*"}, {"effect": "deny", "layers": "secret"}),
        invalid='access_rules[1].layers: "secret": the project has no such layer',
    ),
    Case(
        "9",
        "rows add up, attributes are those that every rule shows",
        rules(
            {"layers": "parcels", "filter": "public = 1", "attributes": "name"},
            {"layers": "parcels", "filter": "owner = @access_user", "attributes": "*"},
        ),
        {
            "alice": {"parcels": Sees("1 3 4", hidden="fid status owner owner_name public zone")},
            "bob": {"parcels": Sees("1 2 4", hidden="fid status owner owner_name public zone")},
            # 10: NULL = NULL is never true, so the second rule does not count for anonymous.
            "others": {"parcels": Sees("1 4", hidden="fid status owner owner_name public zone")},
        },
    ),
    Case(
        "10",
        "a rule that can open no row for anonymous does not limit anonymous's attributes",
        rules(
            {"layers": "parcels", "filter": "public = 1", "attributes": ["name", "zone"]},
            {"layers": "parcels", "filter": "owner = @access_user", "attributes": "name"},
        ),
        {
            "anon": {"parcels": Sees("1 4", hidden="fid status owner owner_name public")},
            "bob": {"parcels": Sees("1 2 4", hidden="fid status owner owner_name public zone")},
            "alice": {"parcels": Sees("1 3 4", hidden="fid status owner owner_name public zone")},
            "others": {"parcels": Sees("1 4", hidden="fid status owner owner_name public zone")},
        },
    ),
    Case(
        "11",
        "a deny filter covers a row on which it is NULL",
        rules(
            {"layers": "*"}, {"effect": "deny", "layers": "parcels", "filter": "status = 'draft'"}
        ),
        {"others": {"*": ALL, "parcels": Sees("2")}},
    ),
    Case(
        "12",
        "a deny filter about the user hides every row from anonymous",
        rules(
            {"layers": "*"},
            {"effect": "deny", "layers": "parcels", "filter": "owner <> @access_user"},
        ),
        {
            "anon": {"*": ALL, "parcels": EMPTY},
            "bob": {"*": ALL, "parcels": Sees("2")},
            "alice": {"*": ALL, "parcels": Sees("1 3")},
            "root": {"*": ALL, "parcels": EMPTY},
            "carl": {"*": ALL, "parcels": Sees("4")},
        },
    ),
    Case(
        "13",
        "a misspelt placeholder is invalid",
        rules(
            {"layers": "*"},
            {"effect": "deny", "layers": "parcels", "filter": "owner <> @acces_user"},
        ),
        invalid="access_rules[1].filter: uses @acces_user, which is not a placeholder of a rule, "
        'did you mean "access_user"?',
    ),
    Case(
        "14",
        "a deny rule without actions denies inserting as well",
        rules(
            {
                "roles": ["viewer", "editor"],
                "layers": "parcels",
                "actions": ["read", "insert", "update", "delete"],
            },
            {"effect": "deny", "users": "bob", "layers": "parcels"},
        ),
        {
            "alice root": {"parcels": Sees("all", insert=True, update="all", delete="all")},
            "others": {},
        },
    ),
    Case(
        "15",
        "inserting alone shows no row",
        rules({"roles": "viewer", "actions": "insert", "layers": "reports"}),
        {"bob": {"reports": Sees("", hidden="fid title author", insert=True)}, "others": {}},
    ),
    Case(
        "16",
        "an update begins on rows of filter and ends on rows of check",
        rules(
            {
                "roles": "surveyor",
                "layers": "parcels",
                "actions": ["read", "update"],
                "filter": "status = 'draft'",
                "check": "status IN ('draft', 'submitted')",
            }
        ),
        {"alice": {"parcels": Sees("1 4", update="1 4")}, "others": {}},
    ),
    Case(
        "17a",
        "an update rule without filter shows its attributes writable on all rows",
        rules(
            {"layers": "parcels"},
            {"roles": "surveyor", "layers": "parcels", "actions": "update", "readonly": "name"},
            {"roles": "editor", "layers": "parcels", "actions": "update"},
        ),
        {
            "alice root": {
                "parcels": Sees(
                    "all",
                    update="all",
                    writable="fid name status owner owner_name public zone $geometry",
                )
            },
            "others": {"parcels": ALL},
        },
    ),
    Case(
        "17b",
        "with filters on both, what one rule keeps readonly is not writable",
        rules(
            {"layers": "parcels"},
            {
                "roles": "surveyor",
                "layers": "parcels",
                "actions": "update",
                "filter": "zone = 1",
                "readonly": "name",
            },
            {"roles": "editor", "layers": "parcels", "actions": "update", "filter": "zone = 2"},
        ),
        {
            "alice": {
                "parcels": Sees(
                    "all",
                    update="all",
                    writable="fid status owner owner_name public zone $geometry",
                )
            },
            "root": {"parcels": Sees("all", update="2 4")},
            "others": {"parcels": ALL},
        },
    ),
    Case(
        "18",
        "a readonly geometry leaves the attributes writable",
        rules(
            {
                "layers": "parcels",
                "actions": ["read", "update"],
                "roles": "editor",
                "readonly": ["$geometry"],
            }
        ),
        {
            "alice root": {
                "parcels": Sees(
                    "all", update="all", writable="fid name status owner owner_name public zone"
                )
            },
            "others": {},
        },
    ),
    Case(
        "19",
        "a deny rule with templates closes only those layouts",
        rules({"layers": "*"}, {"effect": "deny", "roles": "!editor", "templates": "Official*"}),
        {"others": EVERYTHING},
        templates={"alice root": "Official Draft", "others": "Draft"},
    ),
    Case(
        "20",
        "a deny rule with styles closes only those styles",
        rules({"layers": "*"}, {"effect": "deny", "styles": "owners", "layers": "parcels"}),
        {
            "others": {
                "*": ALL,
                "parcels": Sees("all", styles="default public", default_style="default"),
            }
        },
    ),
    Case(
        "21",
        "where the default style is closed the first open one is drawn",
        rules({"layers": "parcels", "styles": ["public"]}),
        {"others": {"parcels": Sees("all", styles="public", default_style="public")}},
    ),
    Case(
        "22",
        "a rule for WFS does not cover OAPIF",
        rules({"layers": "*"}, {"effect": "deny", "services": "WFS", "layers": "parcels"}),
        {"others": {"*": ALL, "parcels@WFS": CLOSED}},
    ),
    Case(
        "23",
        "a rule for one request opens no other",
        rules({"requests": "GetMap", "layers": "parcels"}),
        {"others": {"parcels@WMS:GetMap": ALL, "parcels@WMS:GetCapabilities": ALL}},
    ),
    Case(
        "26",
        "an allow filter opens nothing of a layer that cannot be filtered by it",
        rules({"layers": "*", "filter": "owner = @access_user"}),
        {
            "alice": {"parcels": Sees("1 3")},
            "bob": {"parcels": Sees("2")},
            "carl": {"parcels": Sees("4")},
            "root": {"parcels": EMPTY},
            # NULL = NULL is never true: no rule opens anything for anonymous.
            "others": {},
        },
    ),
    Case(
        "27a",
        "a date in valid_until includes that day",
        rules({"layers": "*", "valid_until": "2026-12-31"}),
        {"others": EVERYTHING},
        now="2026-12-31T12:00:00+00:00",
    ),
    Case(
        "27b",
        "after valid_until the rule opens nothing",
        rules({"layers": "*", "valid_until": "2026-12-31"}),
        {"others": {}},
        now="2027-01-02T12:00:00+00:00",
    ),
    Case(
        "28a",
        "an address outside the blocks is closed",
        rules({"layers": "*", "addresses": "10.0.0.0/8"}),
        {"others": {}},
    ),
    Case(
        "28b",
        "an address inside the blocks is open",
        rules({"layers": "*", "addresses": "10.0.0.0/8"}),
        {"others": EVERYTHING},
        address="10.2.3.4",
    ),
    Case(
        "29a",
        "with lower-case users a login in capitals is the same user",
        rules({"layers": "*"}, {"effect": "deny", "users": "Bob", "layers": "*"}),
        {"bob": {}, "others": EVERYTHING},
        lower_case=True,
    ),
    Case(
        "29b",
        "with exact users a login in capitals is another user",
        rules({"layers": "*"}, {"effect": "deny", "users": "bob", "layers": "*"}),
        {"others": EVERYTHING},
        users={"bob": "BOB"},
    ),
    Case(
        "31",
        "no project opens what the operator denies, by no rule and by no role of its own",
        rules(
            {"layers": "*"},
            access_roles={"human_resources": ["bob", "alice"]},
            access_default="allow",
        ),
        {"others": {"*": ALL, "salaries": CLOSED}},
        operator=rules({"effect": "deny", "roles": "!human_resources", "layers": "salaries"}),
    ),
    Case(
        "33",
        "an empty list of users matches nobody",
        rules({"layers": "*", "users": []}),
        {"others": {}},
    ),
    Case(
        "34",
        "a key given twice is invalid",
        {"access_rules": '[{"id": "a", "layers": "parcels", "layers": "owners"}]'},
        invalid='access_rules: the key "layers" stands twice in one object',
    ),
    Case("empty", "an empty list of rules opens nothing", rules(), {"others": {}}),
    Case(
        "operator-roles",
        "the operator's roles count in the operator's rules, a project's do not",
        rules({"layers": "*"}, access_roles={"contractor": ["alice"]}),
        {"carl": EVERYTHING, "others": {"*": ALL, "salaries": CLOSED}},
        operator={
            "access_rules": [{"effect": "deny", "roles": "!hr", "layers": "salaries"}],
            "access_roles": {"hr": ["carl"]},
        },
    ),
    Case(
        "roles",
        "project-defined roles nest",
        rules(
            {"layers": "parcels", "roles": "readers"},
            access_roles={"readers": ["role:team", "carl"], "team": ["role:editor", "bob"]},
        ),
        {"anon": {}, "others": {"parcels": ALL}},
    ),
    Case(
        "deny-constant",
        "a deny filter that is false whatever the data takes nothing away",
        rules(
            {"layers": "*"},
            {
                "effect": "deny",
                "layers": "parcels",
                "attributes": "owner_name",
                "filter": "@access_is_anonymous",
            },
        ),
        {"anon": {"*": ALL, "parcels": Sees("all", hidden="owner_name")}, "others": EVERYTHING},
    ),
    Case(
        "listing",
        "a deny rule for GetCapabilities unlists the layer and closes nothing else",
        rules(
            {"layers": "*"}, {"effect": "deny", "requests": "GetCapabilities", "layers": "parcels"}
        ),
        {
            "others": {
                "*": ALL,
                "parcels@WMS:GetCapabilities": CLOSED,
                "parcels@WFS:GetCapabilities": CLOSED,
            }
        },
    ),
)
