"""WMS for restricted callers on the real server: what is refused, what is rewritten, what works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.PyQt.QtGui import QImage

from tests.support.server import Answer, Client, Server
from tests.support.wms_projects import wms_project

MAP: dict[str, Any] = {
    "SERVICE": "WMS",
    "REQUEST": "GetMap",
    "VERSION": "1.3.0",
    "LAYERS": "parcels",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,5,5",
    "WIDTH": 60,
    "HEIGHT": 60,
    "FORMAT": "image/png",
}
PRINT: dict[str, Any] = {
    "SERVICE": "WMS",
    "REQUEST": "GetPrint",
    "VERSION": "1.3.0",
    "TEMPLATE": "simple",
    "FORMAT": "png",
    "CRS": "EPSG:4326",
    "DPI": 30,
    "map0:EXTENT": "0,0,5,5",
    "map0:LAYERS": "parcels",
}
LEGEND: dict[str, Any] = {
    "SERVICE": "WMS",
    "REQUEST": "GetLegendGraphic",
    "VERSION": "1.3.0",
    "LAYER": "parcels",
    "FORMAT": "image/png",
}
#: Salaries are closed; of parcels the rows that are not public, and the owners' names.
RULES = [
    {
        "layers": ["parcels"],
        "filter": "public = 1",
        "attributes": ["*", "!owner_name", "!owner"],
        "styles": ["*", "!blue"],
    },
    {"layers": ["reports", "owners", "ortho"]},
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project with rules that restrict everybody."""
    return wms_project(tmp_path_factory.mktemp("wms"), access_rules=RULES)


@pytest.fixture
def client(server: Server, project: Path) -> Client:
    """Return an anonymous client."""
    return server.client(project)


def get(client: Client, base: dict[str, Any], **changes: Any) -> Answer:
    """Send a request with changes; None takes a parameter away."""
    merged = {**base, **changes}
    return client.get(**{name: value for name, value in merged.items() if value is not None})


def is_picture(answer: Answer) -> bool:
    return answer.status == 200 and answer.body[:4] == b"\x89PNG"


def pixels(answer: Answer) -> bytes:
    """Return a picture without the time of its making, which prints carry."""
    image = QImage.fromData(answer.body).convertToFormat(QImage.Format.Format_ARGB32)
    return bytes(image.bits().asstring(image.sizeInBytes()))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"LAYERS": "mixed"},
        {"LAYERS": "Town"},
        {"LAYERS": "ortho,parcels,reports", "STYLES": ",,default"},
        {"STYLES": "default"},
        {"FILTER": "parcels:\"name\" = 'one'"},
        {"FILTER": 'parcels:"zone" IN ( 1 , 2 ) AND "name" LIKE \'%n%\''},
        {"SELECTION": "parcels:1,4"},
        {"OPACITIES": "128"},
        {"TRANSPARENT": "TRUE", "BGCOLOR": "0xFFFFFF", "DPI": "120", "TILED": "true"},
        {"VERSION": "1.1.1", "SRS": "EPSG:4326", "CRS": None},
        {"_": "1699999999", "TOKEN": "abc", "_t": "1"},
        {"FORMAT": "image/jpeg"},
        {
            "HIGHLIGHT_GEOM": "POINT(2 2)",
            "HIGHLIGHT_SYMBOL": "<StyledLayerDescriptor><UserStyle><Name>Highlight</Name>"
            "<FeatureTypeStyle><Rule><PointSymbolizer><Graphic><Mark><WellKnownName>circle"
            '</WellKnownName><Fill><SvgParameter name="fill">#ff0000</SvgParameter></Fill></Mark>'
            "<Size>9</Size></Graphic></PointSymbolizer></Rule></FeatureTypeStyle></UserStyle>"
            "</StyledLayerDescriptor>",
        },
        {
            "FILTER": "<Filter><PropertyIsEqualTo><PropertyName>name</PropertyName>"
            "<Literal>one</Literal></PropertyIsEqualTo></Filter>"
        },
    ],
)
def test_an_everyday_map_still_works(client: Client, changes: dict[str, Any]) -> None:
    answer = get(client, MAP, **changes)
    assert is_picture(answer) or answer.headers["Content-Type"] == "image/jpeg", answer.text


def test_a_filter_that_was_rewritten_still_filters(client: Client) -> None:
    one = get(client, MAP, FILTER="parcels:\"name\" = 'one'")
    spaced = get(client, MAP, FILTER="parcels:\"name\"   =    'one'")
    assert one.body == spaced.body != get(client, MAP).body


def test_a_group_draws_its_permitted_members_only(client: Client, server: Server) -> None:
    group = get(client, MAP, LAYERS="mixed")
    with server.unguarded():
        assert get(client, MAP, LAYERS="mixed").body != group.body
    assert group.body == get(client, MAP, LAYERS="parcels").body


@pytest.mark.parametrize(
    "base",
    [
        MAP,
        {
            **MAP,
            "REQUEST": "GetFeatureInfo",
            "QUERY_LAYERS": "parcels",
            "I": 1,
            "J": 1,
            "INFO_FORMAT": "application/json",
        },
        {**LEGEND, "LAYER": None, "LAYERS": "parcels"},
        {"SERVICE": "WMS", "REQUEST": "GetStyles", "VERSION": "1.1.1", "LAYERS": "parcels"},
        {
            "SERVICE": "WMS",
            "REQUEST": "DescribeLayer",
            "VERSION": "1.1.1",
            "LAYERS": "parcels",
            "SLD_VERSION": "1.1.0",
        },
        {**PRINT, "LAYERS": "parcels"},
    ],
    ids=lambda base: base["REQUEST"],
)
def test_a_closed_layer_answers_like_one_that_does_not_exist(
    client: Client, base: dict[str, Any]
) -> None:
    assert get(client, base).status == 200
    closed, unknown = get(client, base, LAYERS="salaries"), get(client, base, LAYERS="sillaries")
    assert closed.status == unknown.status == 400
    assert closed.text.replace("salaries", "sillaries") == unknown.text
    assert "LayerNotDefined" in closed.text


@pytest.mark.parametrize("group", ["secrets", "nothings"])
def test_a_group_without_an_open_layer_does_not_exist(client: Client, group: str) -> None:
    answer = get(client, MAP, LAYERS=group)
    assert answer.status == 400
    assert f"The layer '{group}' does not exist." in answer.text


def test_a_closed_style_answers_like_one_that_does_not_exist(client: Client) -> None:
    closed, unknown = get(client, MAP, STYLES="blue"), get(client, MAP, STYLES="gray")
    assert closed.status == unknown.status == 400
    assert closed.text.replace("blue", "gray") == unknown.text
    # A style that draws a hidden attribute is closed by itself.
    assert get(client, MAP, STYLES="owners").text.replace("owners", "gray") == unknown.text


def test_a_closed_layout_answers_like_one_that_does_not_exist(client: Client) -> None:
    closed, unknown = get(client, PRINT, TEMPLATE="locked"), get(client, PRINT, TEMPLATE="lucked")
    assert closed.status == unknown.status == 400
    assert closed.text.replace("locked", "lucked") == unknown.text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"FILTER": 'parcels:"public" = 0 ) OR ( "public" = 0'}, "FILTER"),
        ({"FILTER": "parcels:\"owner_name\" LIKE 'A%'"}, "FILTER"),
        ({"FILTER": "parcels:\"name\" = 'a;b'"}, "FILTER"),
        ({"FILTER": ' <Filter x="q:1">;parcels:"public" = 0;q:1</Filter>'}, "FILTER: it is not"),
        (
            {
                "FILTER": "<Filter><PropertyIsEqualTo><PropertyName>owner_name</PropertyName>"
                "<Literal>x</Literal></PropertyIsEqualTo></Filter>"
            },
            "FILTER",
        ),
        (
            {
                "FILTER": '<Filter><PropertyIsEqualTo><Function name="lower"><PropertyName>name'
                "</PropertyName></Function><Literal>x</Literal></PropertyIsEqualTo></Filter>"
            },
            "FILTER",
        ),
        ({"SLD_BODY": "<StyledLayerDescriptor/>"}, "SLD_BODY"),
        ({"SLD": "http://127.0.0.1/x"}, "SLD"),
        ({"FORMAT": "application/dxf"}, "FORMAT"),
        ({"FORMAT": "application/pdf"}, "FORMAT"),
        ({"BBOX": "0,0,x,5"}, "BBOX"),
        ({"HIGHLIGHT_SYMBOL": "<a><ExternalGraphic/></a>"}, "HIGHLIGHT_SYMBOL"),
        ({"REQUEST": "GetSecrets"}, "REQUEST"),
    ],
)
def test_what_cannot_be_enforced_is_refused_by_name(
    client: Client, changes: dict[str, Any], named: str
) -> None:
    answer = get(client, MAP, **changes)
    assert answer.status in {400, 403, 501}
    assert named in answer.text


def test_a_filter_breaks_out_of_the_row_rule_only_unguarded(client: Client, server: Server) -> None:
    hidden = 'parcels:"public" = 0 ) OR ( "public" = 0'
    plain = get(client, MAP)
    with server.unguarded():
        everything = get(client, MAP)
        assert is_picture(get(client, MAP, FILTER=hidden))
    assert everything.body != plain.body
    assert get(client, MAP, FILTER=hidden).status == 400


def test_a_name_in_pieces_is_not_one_attribute_to_us_and_another_to_qgis(
    server: Server, tmp_path: Path
) -> None:
    """``owner`` is hidden and ``owner_name`` is not; QGIS reads a name up to its first piece."""
    rules = [{"layers": "parcels", "attributes": ["*", "!owner"]}]
    client = server.client(wms_project(tmp_path / "pieces", access_rules=rules))
    text = (
        "<Filter><PropertyIsEqualTo><PropertyName>{}</PropertyName><Literal>{}</Literal>"
        "</PropertyIsEqualTo></Filter>"
    )
    pieces = text.format("owner<![CDATA[_name]]>", "alice")
    nothing = get(client, MAP, FILTER=text.format("owner_name", "alice"))
    assert is_picture(nothing)
    with server.unguarded():
        assert get(client, MAP, FILTER=pieces).body != nothing.body  # it is a filter by owner
    answer = get(client, MAP, FILTER=pieces)
    assert answer.status == 400
    assert "FILTER" in answer.text


def test_a_map_without_a_service_is_judged_like_one_of_wms(client: Client) -> None:
    assert get(client, MAP, SERVICE=None, LAYERS="salaries").status == 400
    assert is_picture(get(client, MAP, SERVICE=None))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"map0:LAYERS": "mixed"},
        {"map0:LAYERS": None, "LAYERS": "parcels"},
        {"TEMPLATE": "locked parcels", "map0:LAYERS": None},
        {"heading": "Plan of 2026"},
        {"FORMAT": "pdf"},
        {"map0:STYLES": "default"},
    ],
)
def test_an_everyday_print_still_works(client: Client, changes: dict[str, Any]) -> None:
    answer = get(client, PRINT, **changes)
    assert answer.status == 200, answer.text
    assert len(answer.body) > 500


def test_a_print_of_a_group_holds_its_permitted_members_only(client: Client) -> None:
    group = get(client, PRINT, **{"map0:LAYERS": "mixed"})
    assert pixels(group) == pixels(get(client, PRINT))


def test_a_label_of_a_layout_takes_text(client: Client) -> None:
    assert pixels(get(client, PRINT, heading="Plan")) != pixels(get(client, PRINT))


@pytest.mark.parametrize(
    "changes",
    [
        {"map0:LAYERS": "salaries"},
        {"map0:LAYERS": None},
        {"heading": "[% 1 + 1 %]"},
        {"heading": "%5B%25 1 + 1 %25%5D"},
        {"TEMPLATE": "themed", "map0:LAYERS": None},
    ],
)
def test_a_print_that_would_show_more_is_refused(client: Client, changes: dict[str, Any]) -> None:
    assert get(client, PRINT, **changes).status == 400


@pytest.mark.parametrize("changes", [{}, {"LAYER": "mixed"}, {"STYLE": "default"}])
def test_an_everyday_legend_still_works(client: Client, changes: dict[str, Any]) -> None:
    assert get(client, LEGEND, **changes).status == 200


def test_a_legend_counts_nothing_and_names_no_group(client: Client) -> None:
    plain = get(client, LEGEND)
    more = {"SHOWFEATURECOUNT": "TRUE", "SHOWRULEDETAILS": "TRUE", "ADDLAYERGROUPS": "TRUE"}
    assert get(client, LEGEND, **more).body == plain.body


def test_a_legend_by_content_is_refused_where_rows_are_hidden(client: Client) -> None:
    content = {"BBOX": "0,0,5,5", "CRS": "EPSG:4326", "WIDTH": 50, "HEIGHT": 50}
    assert get(client, LEGEND, **content).status == 403
    assert get(client, LEGEND, LAYER="reports", **content).status == 200


def test_the_open_style_is_drawn_when_the_default_is_closed(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "styles": ["blue"]}]
    client = server.client(wms_project(tmp_path, access_rules=rules))
    open_, named = get(client, MAP), get(client, MAP, STYLES="blue")
    assert is_picture(open_)
    assert open_.body == named.body
    with server.unguarded():
        assert get(client, MAP).body != open_.body
        assert get(client, MAP, STYLES="blue").body == open_.body
    assert get(client, MAP, STYLES="default").status == 400


def test_an_unrestricted_caller_gets_the_same_bytes(server: Server, tmp_path: Path) -> None:
    project = wms_project(tmp_path, access_rules=[{"layers": "*"}])
    client = server.client(project, "root")
    requests = [
        MAP,
        {**MAP, "LAYERS": "mixed", "SLD_VERSION": "1.1.0"},
        {**MAP, "FORMAT": "application/dxf"},
        PRINT,
        {**LEGEND, "SHOWFEATURECOUNT": "TRUE"},
        {"SERVICE": "WMS", "REQUEST": "GetStyles", "LAYERS": "parcels"},
    ]
    guarded = [get(client, base) for base in requests]
    with server.unguarded():
        for mine, base in zip(guarded, requests):
            stock = get(client, base)
            assert mine.status == stock.status == 200
            assert len(mine.body) == len(stock.body)


@pytest.mark.parametrize(("user", "status"), [(None, 401), ("bob", 403)])
def test_a_challenge_tells_closed_from_unknown(
    server: Server, tmp_path: Path, user: str, status: int
) -> None:
    project = wms_project(tmp_path, access_rules=RULES, access_catalog="challenge")
    client = server.client(project, user)
    closed = get(client, MAP, LAYERS="salaries")
    assert closed.status == status
    assert "Security" in closed.text
    assert ("WWW-Authenticate" in closed.headers) == (status == 401)
    assert get(client, MAP, LAYERS="sillaries").status == 400
    assert is_picture(get(client, MAP))


def test_a_challenge_covers_capabilities_when_nothing_is_open(
    server: Server, tmp_path: Path
) -> None:
    rules = [{"layers": "*", "users": "*"}]
    project = wms_project(tmp_path, access_rules=rules, access_catalog="challenge")
    capabilities = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
    assert server.client(project).get(**capabilities).status == 401
    assert server.client(project, "bob").get(**capabilities).status == 200


def test_a_form_that_is_posted_is_judged_like_a_url(client: Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = {name: value for name, value in MAP.items() if name != "LAYERS"}
    assert client.post("LAYERS=salaries", headers, **asked).status == 400
    assert is_picture(client.post("LAYERS=parcels", headers, **asked))
    assert client.post("LAYERS=salaries", headers, **MAP).status == 400


def test_the_path_of_another_service_opens_nothing(server: Server, client: Client) -> None:
    url = client.url(**{**MAP, "LAYERS": "salaries", "SERVICE": ""})
    answer = server.run(url.replace("/?", "/wfs3/?"), cgi=client.cgi)
    assert not is_picture(answer)
    assert answer.status in {400, 403, 404}
