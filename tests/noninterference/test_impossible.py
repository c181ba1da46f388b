"""What the plugin cannot keep, each with its reason: a test that fails is a promise to be made."""

from __future__ import annotations

import pytest

from tests.noninterference.compare import canaries, difference
from tests.noninterference.requests_edit import PERMITTED
from tests.noninterference.runner import Pair
from tests.noninterference.table import api, get_feature, get_info


def test_ids_of_visible_rows_tell_that_others_lie_between_them(pair: Pair) -> None:
    """Clients need ids that stay; QGIS takes them from the primary key or the row's number."""
    features = pair.ask(get_feature("ids", TYPENAME="nokey", OUTPUTFORMAT="GeoJSON"), "A")
    assert [feature["id"] for feature in features.json["features"]] == ["nokey.0", "nokey.2"]


def test_the_key_is_shown_though_its_column_is_not_asked_for(pair: Pair) -> None:
    """The id of every feature is its primary key, whatever the attributes are."""
    answer = pair.ask(get_feature("key", TYPENAME="attr", PROPERTYNAME="name"), "A")
    assert 'gml:id="attr.1"' in answer.text


def test_the_id_of_a_new_row_tells_the_largest_id_there_was(pair: Pair) -> None:
    """The database counts on; a caller who may insert sees where it stands."""
    copy = pair.fresh()
    created = next(
        edit for edit in PERMITTED if edit.request.method == "POST" and edit.request.path != "/"
    )
    answer = copy.ask(created.request, "A")
    copy.drop()
    assert answer.status == 201
    assert "22" in "".join(answer.headers.values())


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "text/xml", "application/vnd.ogc.gml"])
def test_a_template_already_stored_in_the_data_is_evaluated(pair: Pair, kind: str) -> None:
    """GetFeatureInfo evaluates templates in values, but in JSON. Nobody plants one through the plugin;
    what others wrote into the database before is theirs to clean.
    """
    request = get_info("stored", "stored", INFO_FORMAT=kind)
    first, second = pair.both(request)
    assert difference(first, second) is not None
    assert canaries(request, first)


@pytest.mark.parametrize("kind", ["application/json", "application/geo+json"])
def test_in_json_such_a_template_is_plain_text(pair: Pair, kind: str) -> None:
    request = get_info("stored", "stored", INFO_FORMAT=kind)
    first, second = pair.both(request)
    assert difference(first, second) is None
    item = api("/collections/stored/items/1.json")
    assert difference(*pair.both(item)) is None
