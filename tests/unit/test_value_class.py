"""Value classes: what they have in common with frozen dataclasses, and what they leave out."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from importlib import import_module
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from access_filter_plugin.value_class import complete, mutable_class, value_class

PACKAGE = Path(__file__).resolve().parents[2] / "access_filter_plugin"


@value_class
class Place:
    """A place."""

    name: str
    size: int = 3
    tags: dict[str, str] = field(default_factory=dict)
    source: str = field(default="none", compare=False)

    @property
    def is_large(self) -> bool:
        """Whether it is large."""
        return self.size > 5


@mutable_class
class Visit:
    """A visit."""

    place: str
    seen: list[str] = field(default_factory=list)


@value_class
class Other:
    """Another class with the fields of a visit."""

    place: str
    seen: tuple[str, ...] = ()


def new_class() -> Any:
    """A value class without objects."""

    @value_class
    class Fresh:
        """A class."""

        one: int
        two: int = 2
        three: list[int] = field(default_factory=list)

    return Fresh


def test_fields_are_given_by_place_and_by_name_and_have_defaults() -> None:
    place = Place("here", source="map")
    assert (place.name, place.size, place.tags, place.source) == ("here", 3, {}, "map")


def test_a_default_is_made_for_each_object() -> None:
    Visit("one").seen.append("cat")
    assert Visit("two").seen == []


def test_methods_stay() -> None:
    assert Place("here", 6).is_large


@pytest.mark.parametrize("given", [{}, {"name": "here", "colour": "red"}, {"size": 3}])
def test_a_field_too_few_or_too_many_is_an_error_each_time(given: dict[str, Any]) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Place\.__init__\(\)"):
            Place(**given)


def test_values_are_equal_with_equal_hashes_when_the_compared_fields_are() -> None:
    one, two = Other("a", ("x",)), Other("a", ("x",))
    assert (one == two, hash(one) == hash(two), {one: 1}[two]) == (True, True, 1)
    assert Place("a", source="x") == Place("a", source="y")


@pytest.mark.parametrize("other", [Other("b"), Other("a", ("x",)), ("a", ()), Visit("a", ())])  # type: ignore[arg-type]
def test_values_that_differ_or_are_of_another_class_are_not_equal(other: object) -> None:
    assert Other("a") != other


def test_what_may_change_has_no_hash() -> None:
    visit = Visit("a")
    visit.place = "b"
    assert visit == Visit("b")
    with pytest.raises(TypeError, match="unhashable"):
        hash(visit)


def test_a_copy_with_another_field_leaves_the_first() -> None:
    place = Place("here", 4)
    assert (replace(place, size=5).size, place.size) == (5, 4)


def test_the_text_of_an_object_is_that_of_a_dataclass() -> None:
    assert repr(Visit("a", ["b"])) == "Visit(place='a', seen=['b'])"


def test_the_constructor_is_made_with_the_first_object() -> None:
    fresh = new_class()
    assert not hasattr(fresh, "__dataclass_fields__")
    assert fresh(1).two == 2
    assert hasattr(fresh, "__dataclass_fields__")


def test_threads_that_make_the_first_object_at_once_get_whole_ones() -> None:
    threads, interval = 4, sys.getswitchinterval()
    start = Barrier(threads)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(50):
                fresh = new_class()

                def make(cls: Any = fresh) -> Any:
                    start.wait(30)
                    return cls(1)

                made = [each.result(30) for each in [pool.submit(make) for _ in range(threads)]]
                assert all((one.one, one.two, one.three) == (1, 2, []) for one in made)
    finally:
        sys.setswitchinterval(interval)


def test_a_class_that_inherits_is_refused_when_its_module_loads() -> None:
    with pytest.raises(TypeError, match="inherits none"):
        value_class(type("Sub", (Other,), {"__annotations__": {"more": "int"}}))


def test_a_class_without_fields_is_refused_when_its_module_loads() -> None:
    with pytest.raises(TypeError, match="has fields"):
        value_class(type("Bare", (), {}))


def test_every_class_with_fields_is_a_value_class() -> None:
    modules = [m for m in PACKAGE.rglob("*.py") if m.name != "value_class.py"]
    assert [m.name for m in modules if "@dataclass" in m.read_text()] == []


def test_the_constructor_of_every_pure_value_class_can_be_made() -> None:
    count = 0
    for path in PACKAGE.rglob("*.py"):
        if path.name.startswith(("qgis_", "__")) or path.name == "plugin.py":
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        for found in list(vars(import_module(".".join(parts))).values()):
            if isinstance(found, type) and found.__eq__ is Other.__eq__:
                complete(found)
                count += 1
    assert count > 50
