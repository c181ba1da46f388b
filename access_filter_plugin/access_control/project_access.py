"""The decisions of one project generation, memoized per subject and kind of request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timezone
from hashlib import sha256
from types import MappingProxyType
from typing import Callable, Optional

from ..ows_request import DATA_OPERATIONS, LISTING_OPERATIONS, OAPIF
from ..strict_json import Problem
from ..subject import Subject
from ..value_class import mutable_class, value_class
from .binding import BoundPolicy
from .catalogue import Catalogue
from .decide import Decider
from .decision import LayerDecision
from .derived import Derivation
from .expression import IS_ANONYMOUS, PLACEHOLDERS, ROLES, USER, variables
from .listing import merged
from .matching import Caller, request_mismatch, subject_mismatch
from .parser import ParsedPolicy
from .policy import Catalog, Effect, Policy, Rule

MEMO_LIMIT = 2000
DECISION_LIMIT = 100_000
"""Layer decisions kept in memory per project and table, about one kilobyte each."""
#: Operations that change data; a subject may be unrestricted in reading without them.
WRITING = frozenset({"Transaction", "Create", "Replace", "Update", "Delete"})
PRINT = "GetPrint"
_READING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        service: tuple(name for name in names if name not in WRITING)
        for service, names in DATA_OPERATIONS.items()
    }
)
_NEVER = datetime.max.replace(tzinfo=timezone.utc)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment with its zone."""
    return datetime.now(timezone.utc)


@mutable_class
class OperationAccess:
    """What one caller may see by one operation of one service (``access.RequestAccess``)."""

    catalogue: Catalogue
    caller: Caller
    service: str
    operation: str
    rules: tuple[Rule, ...] = ()
    """The rules that match subject, request and moment."""
    is_on: bool = True
    is_denied: bool = False
    catalog: Catalog = Catalog.HIDE
    is_restricted: bool = False
    must_log_in: bool = False
    """True where the catalogue challenges and no service opens anything to this caller."""
    edits_differ: bool = False
    """True where other rules speak of OAPIF's edits than of this request of it."""
    _decisions: Mapping[str, LayerDecision] = field(default_factory=dict)
    _templates: frozenset[str] = frozenset()
    cache: dict[str, object] = field(default_factory=dict)
    """What a wall computed once for this caller and operation and wants to keep with them."""
    shared: dict[str, object] = field(default_factory=dict)
    """The same for every caller and operation of the very same decisions: only what follows from
    these, and from the operation named in the key, may be kept here."""

    def decision(self, layer_id: str) -> LayerDecision:
        """Return the decision for a layer; an unknown id is closed."""
        found = self._decisions.get(layer_id)
        return found if found is not None else LayerDecision(layer_id, reason="no such layer")

    def decisions(self) -> Mapping[str, LayerDecision]:
        """Return the decision of every layer of the project."""
        return self._decisions

    def allows_template(self, name: str) -> bool:
        """Return whether a print layout is open."""
        return name in self._templates

    @property
    def signature(self) -> str:
        """Return a text that is equal for two callers only if their decisions are equal."""
        known = self.shared.get("signature")
        if not isinstance(known, str):
            known = self.shared["signature"] = signature(self._decisions, self._templates)
        return known

    def expression_variables(self) -> Mapping[str, Optional[object]]:
        """Return the three expression variables of the request."""
        return {
            USER: self.caller.subject.user,
            ROLES: sorted(self.caller.roles),
            IS_ANONYMOUS: self.caller.subject.is_anonymous,
        }


@value_class
class Together:
    """What the decisions of several requests come to, for all callers who have them in common."""

    parts: tuple[Derivation, ...]
    """Kept, so that no other derivations can come to have their identities."""
    decisions: Mapping[str, LayerDecision]
    templates: frozenset[str]
    shared: dict[str, object] = field(default_factory=dict)


class ProjectAccess:
    """Answers who may do what in one project, from memory after the first time."""

    def __init__(self, bound: BoundPolicy, clock: Clock = utc_now) -> None:
        self.bound = bound
        self._clock = clock
        self._memo: OrderedDict[tuple[object, ...], tuple[datetime, OperationAccess]]
        self._memo = OrderedDict()
        self._derivations: OrderedDict[tuple[object, ...], Derivation] = OrderedDict()
        self._together: OrderedDict[tuple[object, ...], Together] = OrderedDict()
        self._restricted: OrderedDict[tuple[object, ...], bool] = OrderedDict()
        self._limit = max(20, min(MEMO_LIMIT, DECISION_LIMIT // (len(bound.catalogue.layers) or 1)))
        self._bounds = sorted(_time_bounds(bound.policy))
        self._by_address = any(rule.addresses is not None for rule in bound.policy.rules)
        self._placeholders = _placeholders(bound.policy)

    def access(self, subject: Subject, service: str, operation: str) -> OperationAccess:
        """Return the access of a subject by one operation; a listing sums up the service."""
        now = self._clock()
        address = subject.address if self._by_address else None
        key = (subject.user, subject.roles, address, service, operation)
        known = self._memo.get(key)
        if known is not None and now < known[0]:
            self._memo.move_to_end(key)
            return known[1]
        access = self._build(replace(subject, address=address), service, operation, now)
        self._memo.pop(key, None)
        if len(self._memo) >= self._limit:
            self._memo.popitem(last=False)
        self._memo[key] = (self.valid_until(now), access)
        return access

    def derivation(self, subject: Subject, service: str, operation: str) -> Derivation:
        """Return the decisions of a subject with what they were before derived denial (lint)."""
        caller = Caller.of(subject, self.bound.policy)
        now = self._clock()
        present = [r for r in self.bound.policy.rules if subject_mismatch(r, caller, now) is None]
        return self._derivation(caller, present, service, operation)

    def valid_until(self, now: datetime) -> datetime:
        """Return the next moment at which some rule begins or ceases to apply."""
        return next((bound for bound in self._bounds if bound > now), _NEVER)

    def _build(
        self, subject: Subject, service: str, operation: str, now: datetime
    ) -> OperationAccess:
        caller = Caller.of(subject, self.bound.policy)
        present = [r for r in self.bound.policy.rules if subject_mismatch(r, caller, now) is None]
        is_listing = operation in LISTING_OPERATIONS.get(service, ())
        # A listing names what one of the service's requests opens, the listing itself among them.
        names = (*DATA_OPERATIONS[service], operation) if is_listing else (operation,)
        listing = operation if is_listing else ""
        parts = {name: self._derivation(caller, present, service, name, listing) for name in names}
        together = self._put_together(
            tuple(parts.values()),
            self._templates([parts[n] for n in names if n == PRINT or not is_listing]),
        )
        restricted = self._is_restricted(caller, present, service, operation)
        if is_listing and not restricted:
            restricted = not all(
                parts[n].shows_all() for n in DATA_OPERATIONS[service] if n not in WRITING
            )
        return OperationAccess(
            catalogue=self.bound.catalogue,
            caller=caller,
            service=service,
            operation=operation,
            rules=self._matching(present, service, names),
            catalog=self.bound.policy.catalog,
            is_restricted=restricted,
            must_log_in=self._must_log_in(caller, present),
            edits_differ=service == OAPIF and self._edits_differ(present, operation),
            _decisions=together.decisions,
            _templates=together.templates,
            shared=together.shared,
        )

    def _put_together(self, parts: tuple[Derivation, ...], templates: frozenset[str]) -> Together:
        """Return the sum of derivations: the same object for all callers who share these."""
        parts = tuple({id(part): part for part in parts}.values())
        key = (*map(id, parts), templates)
        known = self._together.get(key)
        if known is None:
            known = Together(parts, merged([part.all() for part in parts]), templates)
            if len(self._together) >= self._limit:
                self._together.popitem(last=False)
            self._together[key] = known
        return known

    def _must_log_in(self, caller: Caller, present: list[Rule]) -> bool:
        if self.bound.policy.catalog is not Catalog.CHALLENGE or not caller.subject.is_anonymous:
            return False
        decisions = (
            decision
            for service, names in DATA_OPERATIONS.items()
            for name in names
            for decision in self._derivation(caller, present, service, name).all().values()
        )
        return not any(decision.is_listed for decision in decisions)

    def _edits_differ(self, present: list[Rule], operation: str) -> bool:
        """Return whether other rules match the edits of OAPIF than this request of it."""
        one = self._paths(present, OAPIF, operation)
        names = WRITING.intersection(DATA_OPERATIONS[OAPIF])
        return any(self._paths(present, OAPIF, name) != one for name in names)

    @staticmethod
    def _paths(present: list[Rule], service: str, operation: str) -> list[str]:
        return [r.path for r in present if request_mismatch(r, service, operation) is None]

    @staticmethod
    def _matching(present: list[Rule], service: str, names: tuple[str, ...]) -> tuple[Rule, ...]:
        return tuple(
            rule
            for rule in present
            if any(request_mismatch(rule, service, name) is None for name in names)
        )

    def _derivation(
        self,
        caller: Caller,
        present: list[Rule],
        service: str,
        operation: str,
        listing: str = "",
    ) -> Derivation:
        """Return the decisions for an operation, or for what a listing says of that operation.

        A listing shows what the operations open; a deny rule for the listing itself counts too.
        """
        matching = [
            rule
            for rule in present
            if request_mismatch(rule, service, operation) is None
            or (listing and _denies_listing(rule, service, listing))
        ]
        key = (*self._values_in_texts(caller), *(rule.path for rule in matching))
        known = self._derivations.get(key)
        if known is None:
            decider = Decider(self.bound, caller, matching)
            known = Derivation(self.bound.catalogue, decider)
            if len(self._derivations) >= self._limit:
                self._derivations.popitem(last=False)
            self._derivations[key] = known
        return known

    def _values_in_texts(self, caller: Caller) -> tuple[object, ...]:
        """Return what of a caller enters expressions: callers equal in it share decisions."""
        values = {
            USER: caller.subject.user,
            ROLES: (caller.roles, caller.operator_roles),
            IS_ANONYMOUS: caller.subject.is_anonymous,
        }
        return tuple(values[name] for name in self._placeholders)

    def _templates(self, parts: list[Derivation]) -> frozenset[str]:
        sources = self.bound.catalogue.template_sources
        return frozenset(
            name
            for name in self.bound.catalogue.templates
            for part in parts
            if part.decider.allows_template(name) and part.are_open(sources.get(name, ()))
        )

    def _is_restricted(
        self, caller: Caller, present: list[Rule], service: str, operation: str
    ) -> bool:
        """Return whether something is closed to reading: found once for all requests of a service."""
        names = _READING.get(service) or (operation,)
        # What the derivations of these names are made of, whichever of the present rules match them.
        key = (service, names, *self._values_in_texts(caller), *(rule.path for rule in present))
        known = self._restricted.get(key)
        if known is None:
            known = self._find_restriction(caller, present, service, names)
            if len(self._restricted) >= self._limit:
                self._restricted.popitem(last=False)
            self._restricted[key] = known
        return known

    def _find_restriction(
        self, caller: Caller, present: list[Rule], service: str, names: tuple[str, ...]
    ) -> bool:
        parts = {id(p): p for p in (self._derivation(caller, present, service, n) for n in names)}
        for part in parts.values():
            if not part.shows_all():
                return True
            if len(self._templates([part])) < len(self.bound.catalogue.templates):
                return True
        return False


def _denies_listing(rule: Rule, service: str, listing: str) -> bool:
    return rule.effect is Effect.DENY and request_mismatch(rule, service, listing) is None


@value_class
class AccessState:
    """What access control keeps of a project generation."""

    access: Optional[ProjectAccess] = None
    """None where access control is off, or where the project is denied."""
    is_on: bool = False
    denied_status: int = 0
    """503 for invalid rules, 403 for missing ones that the operator requires, else 0."""
    problems: tuple[Problem, ...] = ()
    operator: Optional[ParsedPolicy] = None
    """The operator's rules that were merged in; others by now mean that this is out of date."""
    sets_variables: bool = True
    """False where nothing in the project can see the caller's expression variables."""


def _placeholders(policy: Policy) -> tuple[str, ...]:
    used: frozenset[str] = frozenset()
    for rule in policy.rules:
        for text in (rule.filter, rule.check):
            used |= variables(text) if text is not None else frozenset()
    return tuple(sorted(used & frozenset(PLACEHOLDERS)))


def _time_bounds(policy: Policy) -> set[datetime]:
    moments = (moment for r in policy.rules for moment in (r.valid_from, r.valid_until))
    return {moment for moment in moments if moment is not None}


def signature(decisions: Mapping[str, LayerDecision], templates: frozenset[str]) -> str:
    """Return a hash of decisions that does not depend on the order inside their sets."""
    digest = sha256()
    for layer_id in sorted(decisions):
        digest.update(repr(_plain(decisions[layer_id])).encode())
    digest.update(repr(sorted(templates)).encode())
    return digest.hexdigest()


def _plain(decision: LayerDecision) -> tuple[object, ...]:
    """Return a decision as ordered values: the order inside a set must not count."""
    return (
        decision.layer,
        decision.read,
        decision.rows,
        sorted(decision.attributes),
        sorted(decision.raw_attributes),
        decision.lookup,
        decision.lookup_rows,
        sorted(decision.lookup_attributes),
        sorted(decision.styles),
        decision.default_style,
        _plain_edits(decision),
    )


def _plain_edits(decision: LayerDecision) -> tuple[object, ...]:
    rights = (decision.insert, decision.update, decision.delete)
    return tuple((r.transitions, r.deny, sorted(r.writable)) for r in rights)
