"""What the caller may see, as this feature asks for it.

The decisions are made by access control and come with the request (``RequestContext.access``);
without them everything is open. Nothing of the project is read here but through a sight.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ..value_class import value_class

_SIGHTS = "sights"


@value_class
class LayerSight:
    """What the caller sees of one layer; the defaults see everything."""

    read: bool = True
    rows: Optional[str] = None
    """The rows, as an expression; None for all."""
    attributes: Optional[frozenset[str]] = None
    """The visible attributes; None for all."""
    raw: frozenset[str] = frozenset()
    """Attributes shown by their raw value only."""
    lookup: bool = True
    lookup_rows: Optional[str] = None
    lookup_attributes: Optional[frozenset[str]] = None
    is_whole: bool = True
    """True when nothing of the layer is closed to the caller's reading."""
    styles: Optional[frozenset[str]] = None
    """The styles that are open; None for all."""
    default_style: str = ""
    """The style that is drawn when the client names none; empty for the project's own."""

    def shows(self, name: str) -> bool:
        """Return whether an attribute is visible."""
        return self.attributes is None or name in self.attributes

    def shows_all(self, names: Iterable[str]) -> bool:
        """Return whether all of the attributes are visible."""
        return self.attributes is None or self.attributes.issuperset(names)

    def looks_up_all(self, names: Iterable[str]) -> bool:
        """Return whether all of the attributes may be shown as labels of other layers."""
        if not self.lookup:
            return False
        return self.lookup_attributes is None or self.lookup_attributes.issuperset(names)


OPEN = LayerSight()
CLOSED = LayerSight(
    read=False,
    rows="FALSE",
    attributes=frozenset(),
    lookup=False,
    lookup_rows="FALSE",
    lookup_attributes=frozenset(),
    is_whole=False,
    styles=frozenset(),
)


class Kept:
    """What was worked out from plans and decisions alone: nothing of a user, a request or of data.

    Callers with equal decisions share it; the least recently used leaves first.
    """

    def __init__(self, limit: int = 50) -> None:
        self._limit = limit
        self._known: OrderedDict[object, dict[object, Any]] = OrderedDict()

    def of(self, access: Any) -> dict[object, Any]:
        """Return what is kept for the decisions of a request, to be added to."""
        key = (
            None
            if access is None
            else (
                access.signature,
                access.is_restricted,
                access.is_denied,
            )
        )
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = {}
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return found


class Caller:
    """The caller of one request."""

    def __init__(self, access: Any = None, kept: Optional[Kept] = None) -> None:
        self._access = access if access is not None and access.is_on else None
        self.kept: dict[object, Any] = {} if kept is None else kept.of(self._access)
        """See :class:`Kept`."""
        self._sights: dict[str, LayerSight] = self.kept.setdefault(_SIGHTS, {})

    @property
    def is_restricted(self) -> bool:
        """True when something of the project may be closed to the caller."""
        return self._access is not None and bool(self._access.is_restricted)

    def sight(self, layer_id: str) -> LayerSight:
        """Return what the caller sees of a layer."""
        if self._access is None:
            return OPEN
        known = self._sights.get(layer_id)
        if known is None:
            known = self._sights[layer_id] = self._decided(layer_id)
        return known

    def variables(self) -> Mapping[str, Any]:
        """Return the expression variables that name the caller; none without access control."""
        return {} if self._access is None else self._access.expression_variables()

    def _decided(self, layer_id: str) -> LayerSight:
        if self._access is None or self._access.is_denied:
            return CLOSED
        decision = self._access.decision(layer_id)
        if not decision.read and not decision.lookup:
            return CLOSED
        return LayerSight(
            read=decision.read,
            rows=decision.rows.expression() if decision.read else "FALSE",
            attributes=decision.attributes if decision.read else frozenset(),
            raw=decision.raw_attributes,
            lookup=decision.lookup,
            lookup_rows=decision.lookup_rows.expression(),
            lookup_attributes=decision.lookup_attributes,
            is_whole=decision.is_fully_readable,
            styles=decision.styles,
            default_style=decision.default_style,
        )
