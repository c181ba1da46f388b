"""``access_roles``: roles that a project defines for itself, nested, without cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..strict_json import Problem, shown
from ..subject import BUILT_IN_ROLES

ROLE_MEMBER = "role:"


def parse_roles(
    path: str, value: Any, problems: list[Problem], *, lower_case_users: bool = False
) -> Mapping[str, frozenset[str]]:
    """Return role → members, noting every problem; a member is ``alice`` or ``role:editor``."""
    if not isinstance(value, dict):
        problems.append(Problem(path, f"must be an object, is {shown(value)}"))
        return {}
    roles: dict[str, frozenset[str]] = {}
    for name, members in value.items():
        where = f"{path}.{name}"
        if not name or name in BUILT_IN_ROLES:
            problems.append(Problem(where, "is a built-in role" if name else "has no name"))
            continue
        found = _members(where, members, problems)
        roles[name] = _lowered(found) if lower_case_users else found
    problems += [
        Problem(f"{path}.{name}", "is a member of itself, through other roles")
        for name in cyclic_roles(roles)
    ]
    return roles


def _lowered(members: frozenset[str]) -> frozenset[str]:
    """Return members with user names in lower case, as identities then are; roles are exact."""
    return frozenset(m if m.startswith(ROLE_MEMBER) else m.lower() for m in members)


def _members(path: str, value: Any, problems: list[Problem]) -> frozenset[str]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        problems.append(Problem(path, f"must be a list of members, is {shown(value)}"))
        return frozenset()
    found = set()
    for index, item in enumerate(items):
        name = item.removeprefix(ROLE_MEMBER) if isinstance(item, str) else ""
        if name in BUILT_IN_ROLES and name != item:
            problems.append(Problem(f"{path}[{index}]", f"{shown(name)} is a built-in role"))
        elif name:
            found.add(item)
        else:
            message = f'must be "name" or "role:name", is {shown(item)}'
            problems.append(Problem(f"{path}[{index}]", message))
    return frozenset(found)


def _parents(roles: Mapping[str, frozenset[str]]) -> Mapping[str, list[str]]:
    parents: dict[str, list[str]] = {}
    for role, members in roles.items():
        for member in members:
            parents.setdefault(member, []).append(role)
    return parents


def cyclic_roles(roles: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the roles that lie on a cycle, sorted; linear in the size of the definition."""
    remaining = {
        role: {m.removeprefix(ROLE_MEMBER) for m in members if m.startswith(ROLE_MEMBER)}
        & roles.keys()
        for role, members in roles.items()
    }
    # Kahn's algorithm from both ends: what is left over after peeling leaves and tops is cyclic.
    for graph in (remaining, _reversed(remaining)):
        for role in _peel(graph):
            remaining.pop(role, None)
    return sorted(remaining)


def _reversed(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    turned: dict[str, set[str]] = {role: set() for role in graph}
    for role, members in graph.items():
        for member in members & graph.keys():
            turned[member].add(role)
    return turned


def _peel(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the nodes that can be removed one after the other, each without successors left."""
    waiting = {role: members & graph.keys() for role, members in graph.items()}
    users = _reversed(waiting)
    ready = [role for role, members in waiting.items() if not members]
    peeled = []
    while ready:
        role = ready.pop()
        peeled.append(role)
        for user in users[role]:
            waiting[user].discard(role)
            if not waiting[user]:
                ready.append(user)
    return peeled


def effective_roles(
    user: str, given: Iterable[str], roles: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Return the given roles and the project-defined ones that the user is a member of."""
    parents = _parents(roles)
    found = set(given)
    # A user who calls himself "role:editor" must not pass for the members of that role.
    waiting = [] if user.startswith(ROLE_MEMBER) else [*parents.get(user, ())]
    for role in given:
        waiting += parents.get(ROLE_MEMBER + role, ())
    while waiting:
        role = waiting.pop()
        if role not in found:
            found.add(role)
            waiting += parents.get(ROLE_MEMBER + role, ())
    return frozenset(found)
