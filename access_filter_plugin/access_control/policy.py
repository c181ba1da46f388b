"""The words of a policy: rules and their targets, as they were written, parsed and immutable.

A policy knows nothing of a project's layers; :mod:`binding` joins the two.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Optional

from ..addresses import AddressBlocks
from ..value_class import value_class
from .patterns import NameList

GEOMETRY = "$geometry"
"""The name that stands for a feature's geometry in ``attributes`` and ``readonly``."""

OPERATOR_PATH = "ACCESS_FILTER_RULES"
"""How the paths of the operator's rules begin."""


class Effect(enum.Enum):
    """What a matching rule does."""

    ALLOW = "allow"
    DENY = "deny"


class Action(enum.Enum):
    """What a subject does with a layer."""

    READ = "read"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    LOOKUP = "lookup"


class Catalog(enum.Enum):
    """How the forbidden answers: like the unknown, or with a challenge."""

    HIDE = "hide"
    CHALLENGE = "challenge"


@value_class
class Rule:
    """One rule of the contract's section 3; ``None`` means that the key was absent."""

    id: str
    path: str
    """Where it was written (``access_rules[2]``), for problems and explanations."""
    effect: Effect = Effect.ALLOW
    users: Optional[NameList] = None
    roles: Optional[NameList] = None
    addresses: Optional[AddressBlocks] = None
    valid_from: Optional[datetime] = None
    valid_until: Optional[datetime] = None
    """The first moment at which the rule no longer applies."""
    layers: Optional[NameList] = None
    services: Optional[NameList] = None
    requests: Optional[NameList] = None
    actions: frozenset[Action] = frozenset({Action.READ})
    filter: Optional[str] = None
    check: Optional[str] = None
    attributes: Optional[NameList] = None
    readonly: Optional[NameList] = None
    styles: Optional[NameList] = None
    templates: Optional[NameList] = None

    @property
    def is_operators(self) -> bool:
        """True for a rule of the operator's file, which speaks to projects it does not know."""
        return self.path.startswith(OPERATOR_PATH)

    @property
    def is_partial_deny(self) -> bool:
        """True for a deny rule that takes away only attributes, styles or templates."""
        parts = (self.attributes, self.styles, self.templates)
        return self.effect is Effect.DENY and any(part is not None for part in parts)


@value_class
class Policy:
    """All rules of a project and of the operator, with the roles that the project defines."""

    rules: tuple[Rule, ...] = ()
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Project-defined role → members, each ``alice`` or ``role:editor``, with the operator's."""
    catalog: Catalog = Catalog.HIDE
    lower_case_users: bool = False
    operator_roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The operator's own part of ``roles``: the only ones that count for the operator's rules."""
