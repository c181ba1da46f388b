"""Rasters: numbers with all their digits, no data, units and classes."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.server_feature_info.conftest import field
from tests.server_feature_info.world import discrete, paletted

NO_DATA = {"I": "75", "J": "25"}


def test_bands_are_told_as_numbers_with_all_their_digits(ask: Any, town: Any) -> None:
    info = ask.one(town.project("on", layers=("heights",)), "heights", "heights")
    assert [(one["name"], one["value"], one["band"]) for one in info["fields"]] == [
        ("Band 1: elevation", 1234.567, 1),
        ("Band 2", 1234567.875, 2),
    ]
    assert {one["type"] for one in info["fields"]} == {"number"}


def test_the_stock_properties_of_a_raster_stay(ask: Any, town: Any) -> None:
    project = town.project("on", layers=("heights",))
    answer, stock = ask(project, "heights"), ask.stock(project, "heights")
    assert answer["features"][0]["properties"] == stock["features"][0]["properties"]
    assert answer["features"][0]["geometry"] is None


def test_no_data_is_null(ask: Any, town: Any) -> None:
    info = ask.one(town.project("on", layers=("heights",)), "heights", "heights", **NO_DATA)
    band = field(info, "Band 2")
    assert (band["value"], band["label"]) == (None, None)


def test_no_data_may_be_left_out(ask: Any, town: Any) -> None:
    project = town.project({"empty": "drop_null", "properties": "names"}, layers=("heights",))
    feature = ask(project, "heights", **NO_DATA)["features"][0]
    assert list(feature["properties"]) == ["Band 1: elevation"]


def test_properties_of_a_raster_may_be_numbers_or_texts(ask: Any, town: Any) -> None:
    for mode, value in (("names", 1234.567), ("labels", "1234.567 m"), ("aliases", "1234.567 m")):
        settings = {"properties": mode, "units": {"Band 1: elevation": "m"}}
        project = town.project(settings, layers=("heights",))
        properties = ask(project, "heights")["features"][0]["properties"]
        assert properties["Band 1: elevation"] == value


def test_a_band_has_the_unit_of_the_settings(ask: Any, town: Any) -> None:
    project = town.project({"units": {"Band 1: elevation": "m"}}, layers=("heights",))
    band = field(ask.one(project, "heights", "heights"), "Band 1: elevation")
    assert (band["label"], band["unit"]) == ("1234.567 m", "m")


def test_a_band_has_the_unit_of_its_file(ask: Any, town: Any) -> None:
    project = town.project("on", layers=("depths",))
    info = ask.one(project, "depths", "depths")
    assert [(one["value"], one["label"], one.get("unit")) for one in info["fields"]] == [
        (2.5, "2.5 fathoms", "fathoms"),
        (7, "7", None),
    ]


def test_the_unit_of_the_settings_counts_before_that_of_the_file(ask: Any, town: Any) -> None:
    project = town.project({"units": {"Band 1": "fm"}}, layers=("depths",))
    band = field(ask.one(project, "depths", "depths"), "Band 1")
    assert (band["label"], band["unit"]) == ("2.5 fm", "fm")


def test_without_gdals_own_module_a_band_has_no_unit(ask: Any, town: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "osgeo.gdal", None)
    project = town.project("on", layers=("depths",), fresh=True)
    band = field(ask.one(project, "depths", "depths"), "Band 1")
    assert (band["label"], "unit" in band) == ("2.5", False)


def test_the_unit_of_a_file_that_is_gone_is_unknown(town: Any) -> None:
    from qgis.core import QgsRasterLayer

    from access_filter_plugin.feature_info.qgis_raster_units import units_of

    assert units_of(town.layer("depths")) == {1: "fathoms"}
    assert units_of(QgsRasterLayer(str(town.folder / "gone.tif"), "gone")) == {}


def test_a_paletted_raster_is_labelled_by_its_class(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        paletted(layers["classes"], {3: "Water", 7: "Forest"})

    info = ask.one(town.project("on", layers=("classes",), tweak=tweak), "classes", "classes")
    (band,) = info["fields"]
    assert (band["value"], band["label"], band["type"]) == (7, "Forest", "integer")


def test_a_raster_drawn_in_ranges_is_labelled_by_its_range(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        discrete(layers["classes"], {5.0: "low", 10.0: "middle", 20.0: "high"})

    info = ask.one(town.project("on", layers=("classes",), tweak=tweak), "classes", "classes")
    assert info["fields"][0]["label"] == "middle"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        (["Band 2", "*"], ["Band 2", "Band 1: elevation"]),
        (["!Band 1*"], ["Band 2"]),
        (["Band 1: elevation"], ["Band 1: elevation"]),
        ([], []),
    ],
)
def test_bands_are_chosen_like_fields(ask: Any, town: Any, fields: Any, left: Any) -> None:
    settings = {"properties": "names", "layers": {"heights": {"fields": fields}}}
    feature = ask(town.project(settings, layers=("heights",)), "heights")["features"][0]
    assert [band["name"] for band in feature["info"]["fields"]] == left
    assert list(feature["properties"]) == left


def test_what_a_raster_does_not_have_is_told_with_its_path(
    ask: Any, town: Any, log: list[str]
) -> None:
    heights = {
        "fields": ["Band 1", "Band *"],
        "units": {"Band 3": "m"},
        "computed": {"x": "1"},
        "maptip": True,
    }
    settings = {"rename": {"zone": "z"}, "layers": {"heights": heights}}
    project = town.project(settings, layers=("heights", "parcels"), fresh=True)
    ask(project, "heights")
    place = "feature_info.layers.heights"
    assert [entry.split(".qgs: ")[1] for entry in log if ".qgs: " in entry] == [
        f"{place}.computed: is not for raster layers",
        f"{place}.maptip: is not for raster layers",
        f'{place}.fields[0]: the layer "heights" has no band "Band 1", did you mean "Band 2"?',
        f'{place}.units.Band 3: the layer "heights" has no band "Band 3", did you mean "Band 2"?',
    ]


def test_static_entries_and_titles_work_for_rasters_too(ask: Any, town: Any) -> None:
    info = ask.one(town.project({"static": {"s": 1}}, layers=("heights",)), "heights", "heights")
    assert (info["static"], info["title"]) == ({"s": 1}, "heights")


@pytest.mark.parametrize("crs", ["EPSG:3857", "CRS:84"])
def test_digits_do_not_depend_on_the_maps_reference_system(ask: Any, town: Any, crs: str) -> None:
    box = "0,0,222638.98,222684.21" if crs == "EPSG:3857" else "0,0,2,2"
    project = town.project("on", layers=("heights",))
    info = ask.one(project, "heights", "heights", CRS=crs, BBOX=box)
    assert field(info, "Band 1: elevation")["value"] == 1234.567


@pytest.mark.parametrize("order", ["parcels,parcels.9", "parcels.9,parcels"])
def test_a_raster_that_is_called_like_a_feature_is_not_taken_for_one(
    ask: Any, town: Any, order: str
) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["heights"].setName("parcels.9")

    project = town.project("on", layers=("parcels", "heights"), tweak=tweak)
    for count in ("1", "2"):
        answer = ask(project, order, FEATURE_COUNT=count)
        stock = ask.stock(project, order, FEATURE_COUNT=count)
        assert [one["id"] for one in answer["features"]] == [one["id"] for one in stock["features"]]
        told = {one["id"]: one["info"]["layer"]["name"] for one in answer["features"]}
        assert (told["parcels.1"], told["parcels.9"]) == ("parcels", "parcels.9")


def test_rasters_and_vectors_are_told_in_one_answer(ask: Any, town: Any) -> None:
    project = town.project("on", layers=("parcels", "heights"))
    answer = ask(project, "heights,parcels")
    assert [feature["id"] for feature in answer["features"]] == [
        "heights",
        "parcels.1",
        "parcels.2",
    ]
    assert all("info" in feature for feature in answer["features"])
