"""What is wrong with settings that parsed: names that no layer has, expressions that do not."""

from __future__ import annotations

from collections.abc import Iterable

from ..strict_json import Problem, Severity, did_you_mean, shown


class Lint:
    """Collects warnings; the entry each is about is left out, and nothing else.

    Settings for every layer name things that only some layers have. Such a name is a problem only
    if no layer had it, which is known when all layers were seen.
    """

    def __init__(self) -> None:
        self._problems: dict[tuple[str, str], Problem] = {}
        self._missed: dict[str, str] = {}
        self._fitted: set[str] = set()

    def warn(self, path: str, message: str) -> None:
        """Note a problem."""
        self._problems[path, message] = Problem(path, message, Severity.WARNING)

    def fits(self, path: str) -> None:
        """Note that an entry for several layers made sense for one of them."""
        self._fitted.add(path)

    def misses(self, path: str, message: str, *, own: bool) -> None:
        """Note that an entry made no sense for a layer; at once if it is that layer's own."""
        if own:
            self.warn(path, message)
        else:
            self._missed.setdefault(path, message)

    def problems(self) -> tuple[Problem, ...]:
        """Return all warnings, in the order they were found."""
        late = [
            Problem(path, message, Severity.WARNING)
            for path, message in self._missed.items()
            if path not in self._fitted
        ]
        return (*self._problems.values(), *late)


def unknown_field(layer: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a field that a layer does not have."""
    return f"the layer {shown(layer)} has no field {shown(name)}{did_you_mean(name, known)}"


def unknown_band(layer: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a band that a raster layer does not have."""
    return f"the layer {shown(layer)} has no band {shown(name)}{did_you_mean(name, known)}"


def unknown_relation(layer: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a relation that a layer does not have."""
    names = [name for name in known if name]
    message = f"the layer {shown(layer)} has no valid relation {shown(name)}"
    return message + did_you_mean(name, names)
