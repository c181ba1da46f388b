"""Admission of WMS and WMTS as plain values: names, styles, filters, prints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest

from access_filter_plugin.access_control.admission import wms, wmts
from access_filter_plugin.access_control.admission.verdict import Verdict
from access_filter_plugin.access_control.admission.wms import WmsProject
from access_filter_plugin.access_control.admission.wms_print import LayoutFacts
from access_filter_plugin.access_control.admission.wms_tree import MapTree
from access_filter_plugin.access_control.catalogue import Catalogue, LayerInfo, LayerKind
from access_filter_plugin.access_control.decision import EVERY_ROW, LayerDecision, RowFilter
from access_filter_plugin.access_control.expression import ExpressionError
from access_filter_plugin.access_control.matching import Caller
from access_filter_plugin.access_control.policy import Catalog
from access_filter_plugin.access_control.project_access import OperationAccess
from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.subject import ANONYMOUS, Subject

STYLES = ("default", "blue")
BLANKS = (" ", "\n", "\t", "\u00a0")
EQUAL = "<PropertyIsEqualTo>{}<Literal>1</Literal></PropertyIsEqualTo>"
LAYERS = {
    name: LayerInfo(
        f"{name}_id",
        name,
        wms_name=name,
        styles=STYLES,
        default_style="default",
        attributes=("a", "b"),
    )
    for name in ("roads", "trees", "vault")
}
ORTHO = LayerInfo("ortho_id", "ortho", kind=LayerKind.RASTER, wms_name="ortho", styles=("default",))
TREE = MapTree(
    layers={**{n: (f"{n}_id",) for n in LAYERS}, "ortho": ("ortho_id",)},
    groups={
        "town": ("roads_id", "vault_id", "trees_id"),
        "hidden": ("vault_id",),
        "Project": ("roads_id", "vault_id", "trees_id", "ortho_id"),
    },
    queryable=frozenset({"roads_id", "vault_id"}),
)
LAYOUTS = {
    "plan": LayoutFacts(label_ids=frozenset({"HEADING"}), maps=1, free_maps=1),
    "themed": LayoutFacts(maps=1, drawn_styles=(("roads_id", "blue"),)),
    "secret": LayoutFacts(maps=1, free_maps=1),
    "numbers": LayoutFacts(maps=1, free_maps=1, coverage="trees_id", has_row_numbers=True),
    "keys": LayoutFacts(maps=1, free_maps=1, coverage="roads_id"),
}


def decision(name: str, **changes: Any) -> LayerDecision:
    values: dict[str, Any] = {
        "read": True,
        "rows": EVERY_ROW,
        "attributes": frozenset({"a", "b"}),
        "styles": frozenset(STYLES),
        "default_style": "default",
        **changes,
    }
    return LayerDecision(f"{name}_id", **values)


def access(
    operation: str = "GetMap",
    catalog: Catalog = Catalog.HIDE,
    subject: Subject = ANONYMOUS,
    service: str = "WMS",
) -> OperationAccess:
    decisions = {
        "roads_id": decision(
            "roads",
            rows=RowFilter(allow=('"a" = 1',)),
            attributes=frozenset({"a"}),
            hidden=frozenset({"b"}),
            styles=frozenset({"default"}),
            closed_styles=frozenset({"blue"}),
        ),
        "trees_id": decision("trees"),
        "vault_id": LayerDecision("vault_id"),
        "ortho_id": decision("ortho", attributes=frozenset(), styles=frozenset({"default"})),
    }
    layers = {info.id: info for info in (*LAYERS.values(), ORTHO)}
    return OperationAccess(
        catalogue=Catalogue(layers=layers, templates=tuple(LAYOUTS)),
        caller=Caller(subject, frozenset()),
        service=service,
        operation=operation,
        catalog=catalog,
        is_restricted=True,
        _decisions=decisions,
        _templates=frozenset({"plan", "themed", "numbers", "keys"}),
    )


def canonical(text: str, attributes: frozenset[str]) -> str:
    if text.strip('" ').split('"')[0] not in attributes:
        raise ExpressionError("it uses an attribute that does not exist")
    return " ".join(text.split())


def judge(operation: str = "GetMap", catalog: Catalog = Catalog.HIDE, **parameters: str) -> Verdict:
    project = WmsProject(
        tree=TREE,
        layouts=LAYOUTS,
        canonical=canonical,
        dimensions={"DIM_A": (("roads_id", "a"),), "DIM_B": (("roads_id", "b"),)},
        unsafe_names=frozenset({"roads_id"}),
    )
    values = {"SERVICE": "WMS", "REQUEST": operation, **parameters}
    request = OwsRequest("WMS", operation, parameters=values)
    return wms.admit(request, access(operation, catalog), project)


def effective(verdict: Verdict, **parameters: str) -> dict[str, str]:
    """Return the parameters that QGIS will see."""
    merged: dict[str, Optional[str]] = {**parameters, **verdict.changes}
    return {name: value for name, value in merged.items() if value is not None}


def test_a_plain_request_stays_as_it_is() -> None:
    verdict = judge(LAYERS="trees", STYLES="", FORMAT="image/png", BBOX="0,0,1,1", WIDTH="10")
    assert verdict.refused is None
    assert verdict.changes == {}


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ("town", "trees,roads"),
        ("ortho,town", "ortho,trees,roads"),
        ("Project", "ortho,trees,roads"),
        ("roads,roads", "roads,roads"),
    ],
)
def test_groups_become_their_permitted_members_bottom_first(asked: str, drawn: str) -> None:
    assert effective(judge(LAYERS=asked), LAYERS=asked)["LAYERS"] == drawn


def test_a_style_of_a_group_goes_to_the_members_that_have_it() -> None:
    asked = {"LAYERS": "ortho,town", "STYLES": ",default"}
    assert effective(judge(**asked), **asked)["STYLES"] == "default,default,default"


def test_opacities_keep_their_layers() -> None:
    asked = {"LAYERS": "ortho,town,trees", "OPACITIES": "10,20,30"}
    assert effective(judge(**asked), **asked)["OPACITIES"] == "10,255,255,30"


def test_query_layers_leave_out_what_cannot_be_asked() -> None:
    asked = {"LAYERS": "town", "QUERY_LAYERS": "town", "INFO_FORMAT": "text/xml"}
    assert effective(judge("GetFeatureInfo", **asked), **asked)["QUERY_LAYERS"] == "roads"


@pytest.mark.parametrize(
    ("closed", "unknown"),
    [
        ({"LAYERS": "vault"}, {"LAYERS": "valut"}),
        ({"LAYERS": "trees,hidden"}, {"LAYERS": "trees,hiddne"}),
        ({"LAYERS": "roads", "STYLES": "blue"}, {"LAYERS": "roads", "STYLES": "bleu"}),
        ({"LAYER": "vault"}, {"LAYER": "valut"}),
    ],
)
def test_closed_and_unknown_get_the_same_verdict(
    closed: dict[str, str], unknown: dict[str, str]
) -> None:
    mine, other = judge(**closed), judge(**unknown)
    assert mine.refused is not None
    assert (mine.status, mine.code) == (other.status, other.code)
    names = [*zip(closed.values(), unknown.values())]
    text = mine.refused
    for ours, theirs in names:
        text = text.replace(ours.split(",")[-1], theirs.split(",")[-1])
    assert text == other.refused


@pytest.mark.parametrize(("user", "status"), [(None, 401), ("bob", 403)])
def test_with_a_challenge_the_closed_asks_for_a_login(user: Optional[str], status: int) -> None:
    subject = Subject(user)
    request = OwsRequest("WMS", "GetMap", parameters={"LAYERS": "vault"})
    project = WmsProject(tree=TREE)
    verdict = wms.admit(request, access("GetMap", Catalog.CHALLENGE, subject), project)
    assert verdict.status == status
    request = OwsRequest("WMS", "GetMap", parameters={"LAYERS": "valut"})
    assert wms.admit(request, access("GetMap", Catalog.CHALLENGE, subject), project).status == 400


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ('roads:"a"   = 1', 'roads:"a" = 1'),
        ('roads,trees:"a" = 1', 'roads:"a" = 1;trees:"a" = 1'),
        ('vault:"a" = 1;roads:"a" = 2', 'roads:"a" = 2'),
        ('nothing:"zzz" = 1', None),
    ],
)
def test_filters_are_those_of_layers_that_are_shown(asked: str, run: Optional[str]) -> None:
    parameters = {"LAYERS": "roads,trees", "FILTER": asked}
    found = effective(judge(**parameters), **parameters).get("FILTER") or None
    assert found == run


@pytest.mark.parametrize(
    "text",
    [
        'roads:"b" = 1',
        "roads",
        'roads:"a" = 1;()',
        f"<Filter>{EQUAL.format('<PropertyName>b</PropertyName>')}</Filter>",
        f"<Filter>{EQUAL.format('<Function name=f/>')}</Filter>",
        f"<Filter>{EQUAL.format('<Function/>')}</Filter>",
        "<Filter><Literal><PropertyName>b</PropertyName></Literal></Filter>",
        "<!DOCTYPE x><Filter/>",
        "<Filter>",
        "()(<Filter/>)",
        # What QGIS does not take for XML from its first to its last character is text to it.
        *(f'{blank}<Filter x="q:1">;roads:"b" = 1;q:1</Filter>' for blank in BLANKS),
        *(f'{blank}<Filter x="q:1">;roads:"a" = 1;q:1</Filter>' for blank in BLANKS),
        *(f"{blank}(<Filter></Filter>)" for blank in BLANKS),
        *(f"<Filter></Filter>{blank}" for blank in BLANKS),
        "<Filter x='q,roads:\"b\" = 1'/>",
        "<Filter>q,roads:1</Filter >",
        "<Filter>roads:1</Filter>",
        # QGIS reads the first piece of a name alone, our parser all of them as one.
        f"<Filter>{EQUAL.format('<PropertyName><![CDATA[a]]></PropertyName>')}</Filter>",
        f"(<Filter>{EQUAL.format('<PropertyName>a<!-- x --></PropertyName>')}</Filter>)",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(text: str) -> None:
    verdict = judge(LAYERS="roads", FILTER=text)
    assert verdict.refused is not None
    assert verdict.refused.startswith("FILTER:")


@pytest.mark.parametrize(
    ("operation", "parameters", "named"),
    [
        ("GetMap", {"LAYERS": "roads", "FORMAT": "application/pdf"}, "FORMAT"),
        ("GetMap", {"LAYERS": "roads", "FORMAT": "application/dxf"}, "FORMAT"),
        ("GetMap", {"LAYERS": "trees", "SLD_BODY": "<a/>"}, "SLD_BODY"),
        ("GetMap", {"LAYERS": "trees", "WIDTH": "10px"}, "WIDTH"),
        ("GetLegendGraphic", {"LAYER": "roads", "BBOX": "0,0,1,1"}, "BBOX"),
        ("GetPrint", {"TEMPLATE": "plan", "MAP0:EXTENT": "0,0,1,1"}, "LAYERS"),
        ("GetPrint", {"TEMPLATE": "plan", "LAYERS": "trees", "HEADING": "[% 1 %]"}, "GetPrint"),
        (
            "GetPrint",
            {"TEMPLATE": "plan", "LAYERS": "trees", "HEADING": "<img src='x'>"},
            "HEADING",
        ),
        ("GetPrint", {"TEMPLATE": "secret", "LAYERS": "trees"}, "secret"),
        ("GetPrint", {"TEMPLATE": "themed"}, "themed"),
        ("GetNothing", {}, "REQUEST"),
    ],
)
def test_a_refusal_names_the_parameter(
    operation: str, parameters: dict[str, str], named: str
) -> None:
    refused = judge(operation, **parameters).refused
    assert refused is not None
    assert named in refused


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetMap", {"LAYERS": "trees,ortho", "FORMAT": "application/dxf"}),
        ("GetMap", {"LAYERS": "trees", "DIM_A": "1"}),
        ("GetLegendGraphic", {"LAYER": "trees", "BBOX": "0,0,1,1"}),
        ("GetPrint", {"TEMPLATE": "plan", "MAP0:EXTENT": "0,0,1,1", "MAP0:LAYERS": "town"}),
        ("GetPrint", {"TEMPLATE": "plan", "LAYERS": "trees", "HEADING": "1 < 2 & 100 %"}),
        ("GetStyles", {"LAYERS": "roads"}),
        ("DescribeLayer", {"LAYERS": "roads", "SLD_VERSION": "1.1.0"}),
        ("GetCapabilities", {}),
        ("GetSchemaExtension", {}),
    ],
)
def test_what_can_be_enforced_is_let_in(operation: str, parameters: dict[str, str]) -> None:
    assert judge(operation, **parameters).refused is None


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("GetMap", "_"),
        ("GetMap", "TOKEN"),
        ("GetMap", "DIM_B"),
        ("GetMap", "FORMAT_OPTIONS"),
        ("GetLegendGraphic", "SHOWFEATURECOUNT"),
        ("GetLegendGraphic", "SHOWRULEDETAILS"),
        ("GetLegendGraphic", "ADDLAYERGROUPS"),
        ("GetFeatureInfo", "WITH_DISPLAY_NAME"),
    ],
)
def test_what_nobody_needs_is_dropped(operation: str, name: str) -> None:
    asked = {"LAYERS": "roads", "QUERY_LAYERS": "roads", "FORMAT": "image/png", name: "1"}
    verdict = judge(operation, **asked)
    assert verdict.refused is None
    assert name not in effective(verdict, **asked)


@pytest.mark.parametrize("beside", ["", "EXTERNAL_WMS:far"])
@pytest.mark.parametrize("index", ["00", "01", "000", "\u0660", "1000", "+0", " 0", ""])
def test_a_map_of_a_print_has_one_name(index: str, beside: str) -> None:
    """QGIS reads the number of a map, and would find one under names that nobody has looked at."""
    name = f"MAP{index}:LAYERS"
    asked = {"TEMPLATE": "plan", "LAYERS": f"trees,{beside}".strip(","), name: "roads,vault"}
    verdict = judge("GetPrint", **asked)
    assert verdict.refused is None
    assert name not in effective(verdict, **asked)


def test_no_map_of_a_print_stands_in_a_request_for_a_map() -> None:
    asked = {"LAYERS": "trees,EXTERNAL_WMS:far", "far:url": "x", "MAP0:LAYERS": "vault"}
    found = effective(judge(**asked), **asked)
    assert "far:url" in found
    assert "MAP0:LAYERS" not in found


def test_a_print_keeps_the_texts_of_its_labels_only() -> None:
    asked = {"TEMPLATE": "plan", "LAYERS": "trees", "HEADING": "Plan", "FRAME": "file:///etc"}
    found = effective(judge("GetPrint", **asked), **asked)
    assert found["HEADING"] == "Plan"
    assert "FRAME" not in found


def test_a_selection_keeps_the_layers_that_are_shown() -> None:
    asked = {"LAYERS": "roads", "SELECTION": "roads:1,2;vault:1"}
    assert effective(judge(**asked), **asked)["SELECTION"] == "roads:1,2"


def judge_tile(operation: str = "GetTile", **parameters: str) -> Verdict:
    request = OwsRequest("WMTS", operation, parameters=parameters)
    return wmts.admit(request, access(operation, service="WMTS"), TREE)


def test_tiles_of_open_names_are_let_in() -> None:
    for name in ("roads", "town", "Project"):
        assert judge_tile(LAYER=name, FORMAT="image/png", TILEROW="1").refused is None


def test_tiles_of_closed_and_unknown_names_get_the_same_verdict() -> None:
    closed, unknown = judge_tile(LAYER="vault"), judge_tile(LAYER="valut")
    assert closed.refused == "Layer 'vault' not found"
    assert unknown.refused == "Layer 'valut' not found"
    assert judge_tile(LAYER="roads", TILEROW="x").refused is not None
    assert judge_tile("GetOther", LAYER="roads").status == 501


@pytest.mark.parametrize(
    ("template", "rows", "is_let_in"),
    [
        ("numbers", "1,2", True),
        ("numbers", "*", True),
        ("numbers", "1 OR 1 = 1", False),
        ("numbers", '1,2 ) OR ( "b" = 1', False),
        ("numbers", "*,1", False),
        ("keys", "a b,c'd", True),
        ("keys", "*", False),
        ("keys", ",*,", False),
        ("keys", "*,*", True),
        ("plan", "x y", True),
    ],
)
def test_rows_of_an_atlas_are_named_by_values(template: str, rows: str, is_let_in: bool) -> None:
    """QGIS puts row numbers into an expression as they are, and counts hidden rows for ``*``."""
    refused = judge("GetPrint", TEMPLATE=template, LAYERS="trees", ATLAS_PK=rows).refused
    assert (refused is None) == is_let_in
    assert is_let_in or "ATLAS_PK" in str(refused)


@pytest.mark.parametrize("operation", ["GetMap", "GetPrint", "GetLegendGraphic"])
@pytest.mark.parametrize("legends", [False, True])
@pytest.mark.parametrize(
    ("members", "is_let_in"), [(("trees_id", "vault_id"), False), (("trees_id",), True)]
)
def test_a_group_that_is_called_like_a_layer_opens_nothing(
    operation: str, legends: bool, members: tuple[str, ...], is_let_in: bool
) -> None:
    """Prints, and legends with groups, take such a name for the group, with all that is in it."""
    groups = {"trees": members, "all": ("roads_id", "trees_id")}
    tree = replace(TREE, groups=groups, has_legends_of_groups=legends)
    project = WmsProject(tree=tree, layouts=LAYOUTS)
    takes_group = operation == "GetPrint" or (legends and operation == "GetLegendGraphic")

    def names(asked: str) -> Optional[str]:
        values = {"LAYERS": asked, "TEMPLATE": "plan"}
        request = OwsRequest("WMS", operation, parameters=values)
        verdict = wms.admit(request, access(operation), project)
        return None if verdict.refused else effective(verdict, **values)["LAYERS"]

    whole = is_let_in or not takes_group
    assert names("trees") == ("trees" if whole else None)
    assert names("all") == ("trees,roads" if whole else "roads")


def test_a_group_that_is_called_like_a_layer_is_asked_as_well() -> None:
    """GetFeatureInfo asks the open members of such a group, one with a closed display name."""
    tree = replace(TREE, groups={"trees": ("trees_id", "roads_id", "vault_id")})
    project = WmsProject(tree=tree, unsafe_names=frozenset({"roads_id"}))
    values = {"LAYERS": "trees", "QUERY_LAYERS": "trees", "WITH_DISPLAY_NAME": "1"}
    values["FILTER"] = 'vault:"b" = 1'
    request = OwsRequest("WMS", "GetFeatureInfo", parameters=values)
    verdict = wms.admit(request, access("GetFeatureInfo"), project)
    assert verdict.refused is None
    assert set(verdict.changes) == {"WITH_DISPLAY_NAME", "FILTER"}
