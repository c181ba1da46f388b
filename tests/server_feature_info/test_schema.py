"""The schema describes the answer completely: damage of any kind is noticed."""

from __future__ import annotations

import copy
from typing import Any, Callable

import pytest

EVERYTHING = {
    "layers": {
        "parcels": {
            "computed": {"area": "1.5", "big": "9007199254740993"},
            "units": {"area": "ha"},
            "related": {"buildings": {"computed": {"c": "1"}, "related": {"rooms": {}}}},
            "links": {"l": "https://example.org/[% zone %]"},
            "attachments": {"photo": {"base_url": "https://example.org"}},
            "static": {"s": [1]},
            "geometry": "bbox",
        }
    }
}


@pytest.fixture(scope="module")
def whole(ask: Any, whole_town: Any) -> Any:
    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setMapTipTemplate("tip")

    settings = {"layers": {"parcels": {**EVERYTHING["layers"]["parcels"], "maptip": True}}}
    return ask(whole_town.project(settings, tweak=tweak))


def info(answer: Any) -> Any:
    return answer["features"][0]["info"]


def everywhere(answer: Any) -> list[tuple[Any, Any]]:
    """Return every object of ours with a way to reach it in a copy."""
    found: list[tuple[Any, Any]] = []

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, dict):
            if not ({"static", "value", "properties", "geometry"} & set(path)):
                found.append((path, value))
            for key, item in value.items():
                walk(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, (*path, index))

    walk(answer["info"], ("info",))
    walk(info(answer), ("features", 0, "info"))
    return found


NAMED_BY_AUTHOR = ("computed", "related", "links")


def reach(answer: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        answer = answer[part]
    return answer


def test_the_whole_answer_fits(whole: Any, validator: Any) -> None:
    assert set(info(whole)) == {
        "layer",
        "title",
        "fields",
        "computed",
        "related",
        "links",
        "attachments",
        "static",
        "legend",
        "maptip",
    }
    validator.validate(whole)


def test_no_object_of_ours_takes_another_member(whole: Any, validator: Any) -> None:
    places = [path for path, _ in everywhere(whole) if path[-1] not in NAMED_BY_AUTHOR]
    assert len(places) > 30
    for path in places:
        damaged = copy.deepcopy(whole)
        reach(damaged, path)["surprise"] = 1
        assert not validator.is_valid(damaged), path


def test_no_required_member_may_be_missing(whole: Any, validator: Any) -> None:
    optional = {"group", "groups", "unit", "text", "band", "count", "crs"} | {
        "computed",
        "related",
        "links",
        "attachments",
        "static",
        "legend",
        "maptip",
    }
    checked = 0
    for path, value in everywhere(whole):
        if path[-1] in NAMED_BY_AUTHOR:
            continue
        for key in value:
            if key in optional and path != ("info",):
                continue
            damaged = copy.deepcopy(whole)
            del reach(damaged, path)[key]
            assert not validator.is_valid(damaged), (path, key)
            checked += 1
    assert checked > 100


DAMAGES: list[Callable[[Any], None]] = [
    lambda answer: answer.update(type="Features"),
    lambda answer: answer["info"].update(version=2),
    lambda answer: answer["info"].update(crs=4326),
    lambda answer: answer["info"]["layers"][0].update(returned=-1),
    lambda answer: answer["info"]["layers"][0].update(truncated="no"),
    lambda answer: info(answer).update(title=None),
    lambda answer: info(answer).update(fields={}),
    lambda answer: info(answer)["fields"][0].update(type="int"),
    lambda answer: info(answer)["fields"][0].update(label=3),
    lambda answer: info(answer)["fields"][0].update(groups=["a", "b"]),
    lambda answer: info(answer)["computed"]["big"].update(text="many"),
    lambda answer: info(answer)["related"]["buildings"].update(count=-1),
    lambda answer: info(answer)["related"]["buildings"]["features"][0].update(id=4),
    lambda answer: info(answer)["links"].update(l=3),
    lambda answer: info(answer)["attachments"][0].update(url="javascript:alert(1)"),
    lambda answer: info(answer)["attachments"][0].update(type="jpeg"),
    lambda answer: info(answer)["legend"].update(label=None),
    lambda answer: info(answer).update(maptip=["tip"]),
    lambda answer: answer["features"][0].update(bbox=[1, 2]),
    lambda answer: answer.pop("info"),
]


@pytest.mark.parametrize("number", range(len(DAMAGES)))
def test_a_damaged_answer_does_not_fit(whole: Any, validator: Any, number: int) -> None:
    damaged = copy.deepcopy(whole)
    DAMAGES[number](damaged)
    assert not validator.is_valid(damaged)


def test_info_among_the_properties_is_held_to_the_same(
    ask: Any, whole_town: Any, validator: Any
) -> None:
    answer = ask(whole_town.project({**EVERYTHING, "place": "property"}))
    answer["features"][0]["properties"]["info"]["surprise"] = 1
    assert not validator.is_valid(answer)
