"""What is made of the caller's variables, near by or far off."""

from __future__ import annotations

from access_filter_plugin.access_control.caller_attributes import attributes_by_caller
from access_filter_plugin.access_control.catalogue import LayerInfo, Source


def of(layer: str, *names: str) -> tuple[Source, ...]:
    return (Source(layer, frozenset(names) if names else None),)


LAYERS = {
    info.id: info
    for info in (
        LayerInfo("a", "a", attributes=("x", "y", "z"), attribute_sources={"y": of("a", "x")}),
        LayerInfo(
            "b",
            "b",
            attributes=("one", "any", "other", "unknown"),
            attribute_sources={
                "one": of("a", "y"),
                "any": of("a"),
                "other": of("a", "z"),
                "unknown": (Source("", None),),
            },
        ),
        LayerInfo("c", "c", attributes=("p", "q"), sources=of("b")),
        LayerInfo("d", "d", attributes=("r",), sources=of("e")),
        LayerInfo("e", "e", attributes=("s",)),
    )
}


def test_all_that_is_made_of_an_attribute_of_the_caller_is_one() -> None:
    found = attributes_by_caller(LAYERS, {"a": frozenset({"x"}), "e": frozenset()})
    assert found == {"a": {"x", "y"}, "b": {"one", "any", "unknown"}, "c": {"p", "q"}}


def test_without_such_an_attribute_nothing_is() -> None:
    assert attributes_by_caller(LAYERS, {"a": frozenset()}) == {}
