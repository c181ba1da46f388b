"""Value classes: what dataclasses are, for a small part of what those cost the start of a worker.

A frozen dataclass compiles up to eight methods while its module is imported, half a millisecond a
class, and sets each field of an object through a call. Here comparison, hash and text are functions
that all these classes share, and the standard library makes the constructor when the first object
is made. That nobody sets a field of a value again is held by mypy, which reads the modules of PyQGIS
too (``script/lint``), and not at run time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Callable, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_how: Any) -> Callable[[Any], Any]:
        """Return a decorator that changes nothing: it is mypy that reads it."""
        return lambda decorator: decorator


_T = TypeVar("_T")
_FIELDS = "__dataclass_fields__"
"""Where the standard library keeps the fields of a class, and looks for those of an object."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_class(cls: type[_T]) -> type[_T]:
    """Make of a class with fields one of values: equal, with equal hashes, when all fields are."""
    _prepare(cls, _hash)
    return cls


@dataclass_transform(field_specifiers=(field,))
def mutable_class(cls: type[_T]) -> type[_T]:
    """Make of a class with fields one whose objects are compared by them, may change, lack a hash."""
    _prepare(cls, None)
    return cls


def complete(cls: Any) -> None:
    """Give a class its constructor, as its first object does."""
    # Made on a class beside it and then handed over, the constructor last: QGIS may ask from several
    # threads, and each must find either nothing or all of it.
    names = vars(cls)["__annotations__"]
    given = {name: vars(cls)[name] for name in names if name in vars(cls)}
    same = {name: getattr(cls, name) for name in ("__doc__", "__module__", "__qualname__")}
    made: Any = type(cls.__name__, (), {**same, **given, "__annotations__": names})
    made = dataclass(repr=False, eq=False)(made)
    setattr(cls, _FIELDS, getattr(made, _FIELDS))
    cls.compared_fields = attrgetter(*(each.name for each in fields(made) if each.compare))
    cls.__init__ = made.__init__


def _prepare(cls: Any, hash_function: Any) -> None:
    if not vars(cls).get("__annotations__") or cls.__mro__[1:] != (object,):
        raise TypeError(f"{cls.__qualname__}: a value class has fields and inherits none")

    def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: N807 (its name in Python)
        complete(cls)
        cls.__init__(self, *values, **named)

    cls.__init__ = __init__
    cls.__eq__ = _equal
    cls.__hash__ = hash_function
    cls.__repr__ = _text


def _equal(one: Any, other: Any) -> Any:
    if one.__class__ is not other.__class__:
        return NotImplemented
    compared = one.compared_fields
    return compared(one) == compared(other)


def _hash(one: Any) -> int:
    return hash(one.compared_fields(one))


def _text(one: Any) -> str:
    shown = (f"{each.name}={getattr(one, each.name)!r}" for each in fields(one) if each.repr)
    return f"{one.__class__.__qualname__}({', '.join(shown)})"
