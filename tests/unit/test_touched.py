"""Which layers a request names: for the log, not for enforcement."""

from __future__ import annotations

import pytest

from access_filter_plugin.access_control.record import record_of
from access_filter_plugin.access_control.touched import touched_layers
from access_filter_plugin.ows_request import OAPIF, OwsRequest
from tests.unit.deciding import access, catalogue_of, subject, vector

PROJECT = catalogue_of(
    vector("parcels", groups=("Land",)), vector("two words"), vector("roads", short_name="r")
)


@pytest.mark.parametrize(
    ("request_", "layers"),
    [
        (OwsRequest("WMS", "GetMap", parameters={"LAYERS": "parcels,unknown"}), ["parcels"]),
        (OwsRequest("WMS", "GetMap", parameters={"LAYERS": "Land"}), ["parcels"]),
        (OwsRequest("WMS", "GetMap", parameters={"LAYERS": "r"}), ["roads"]),
        (OwsRequest("WFS", "GetFeature", parameters={"TYPENAME": "ns:two_words"}), ["two words"]),
        (OwsRequest(OAPIF, "Items", path="/wfs3/collections/r/items"), ["roads"]),
        (OwsRequest(OAPIF, "Collection", path="/wfs3/collections/parcels.json"), ["parcels"]),
        (OwsRequest("WMS", "GetCapabilities"), []),
    ],
)
def test_the_layers_that_a_request_names_are_found(request_: OwsRequest, layers: list[str]) -> None:
    found = touched_layers(request_, PROJECT)
    assert [PROJECT.layers[layer_id].name for layer_id in found] == layers


def test_the_record_says_what_was_denied_filtered_and_hidden() -> None:
    rules = [
        {"id": "a", "layers": "parcels", "filter": "public = 1", "attributes": ["*", "!owner"]},
        {"id": "b", "layers": "salaries"},
    ]
    found = access({"access_rules": rules}, subject("bob"))
    record = record_of(found, ["parcels_layer_id", "salaries_layer_id", "owners_layer_id", "?"])
    assert (record.effect, record.rules) == ("allow", ("a", "b"))
    assert (record.denied, record.filtered) == (("owners",), ("parcels",))
    assert record.hidden == {"parcels": ("owner",)}


def test_a_request_for_denied_layers_alone_is_a_denial() -> None:
    found = access({"access_rules": []}, subject("bob"))
    assert record_of(found, ["parcels_layer_id", "parcels_layer_id"]).effect == "deny"


def test_a_request_that_touches_no_layer_is_none() -> None:
    assert record_of(access({"access_rules": []}, subject("bob")), []).effect == "allow"
