"""The request log in a real server: one line per request, which agrees with request and answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from qgis.core import Qgis, QgsApplication, QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer

from access_filter_plugin.operator_settings import OperatorSettings
from access_filter_plugin.request_log.pseudonym import Pseudonyms
from access_filter_plugin.request_log.qgis_filter import RequestLog
from access_filter_plugin.request_log.settings import FIELDS
from access_filter_plugin.request_log.sink import make_sink
from tests.support.projects import policy_project, publish, save, vector_layer, write_geopackage
from tests.support.server import Answer, Client, Server

RULES = [
    {"id": "public", "layers": ["parcels", "ortho"], "attributes": ["*", "!owner*"]},
    {"id": "drafts", "effect": "deny", "roles": "!editor", "layers": "parcels",
     "filter": "\"status\" = 'draft'"},
    {"id": "edit", "roles": "editor", "layers": "parcels", "actions": ["read", "update"]},
]  # fmt: skip
MAP = {
    "SERVICE": "WMS",
    "REQUEST": "GetMap",
    "VERSION": "1.3.0",
    "LAYERS": "parcels",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,5,5",
    "WIDTH": "50",
    "HEIGHT": "40",
    "FORMAT": "image/png",
}
INFO = {
    **MAP,
    "REQUEST": "GetFeatureInfo",
    "LAYERS": "ortho,parcels",
    "QUERY_LAYERS": "parcels",
    "INFO_FORMAT": "application/json",
    "I": "10",
    "J": "10",
    "FEATURE_COUNT": "3",
}
FEATURES = {"SERVICE": "WFS", "REQUEST": "GetFeature", "VERSION": "1.1.0", "TYPENAME": "parcels"}
CAPABILITIES = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
SCHEMA = {**FEATURES, "REQUEST": "DescribeFeatureType"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Lines:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    def write(self, line: bytes, _level: str) -> None:
        self.raw.append(line)

    def take(self) -> list[dict[str, Any]]:
        """The entries since the last time."""
        entries = [json.loads(line) for line in self.raw]
        self.raw.clear()
        return entries

    def only(self) -> dict[str, Any]:
        """The one entry since the last time."""
        entries = self.take()
        assert len(entries) == 1, entries
        return entries[0]


@pytest.fixture(scope="module")
def request_log(server: Server) -> RequestLog:
    return next(f for f in server.plugin.wall.target._features if f.name == "request_log")


@pytest.fixture
def lines(request_log: RequestLog) -> Iterator[Lines]:
    before, request_log.sink = request_log.sink, Lines()
    request_log._begun = None
    yield request_log.sink
    request_log.sink = before


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    return policy_project(tmp_path_factory.mktemp("log"), access_rules=RULES)


@pytest.fixture
def alice(server: Server, project: Path) -> Client:
    return server.client(project, "alice", "viewer")


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """What QGIS's message log got at Critical level."""
    found: list[str] = []

    def hear(message: str, _tag: str, level: Any) -> None:
        if level == Qgis.MessageLevel.Critical:
            found.append(message)

    log = QgsApplication.messageLog()
    log.messageReceived.connect(hear)
    yield found
    log.messageReceived.disconnect(hear)


def project_with(folder: Path, **variables: Any) -> Path:
    return policy_project(folder, access_rules=[{"id": "all", "layers": "*"}], **variables)


OWS = [
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMS", "REQUEST": "GetProjectSettings"},
    MAP,
    INFO,
    {"SERVICE": "WMS", "REQUEST": "GetLegendGraphic", "LAYER": "parcels", "FORMAT": "image/png"},
    {"SERVICE": "WMS", "REQUEST": "DescribeLayer", "LAYERS": "parcels", "SLD_VERSION": "1.1.0"},
    {"SERVICE": "WMS", "REQUEST": "Nonsense"},
    {**MAP, "LAYERS": "salaries"},
    {**MAP, "LAYERS": "no_such_layer"},
    {**MAP, "CRS": "nonsense"},
    {"SERVICE": "WFS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "TYPENAME": "parcels"},
    FEATURES,
    {**FEATURES, "OUTPUTFORMAT": "application/json"},
    {**FEATURES, "RESULTTYPE": "hits"},
    {**FEATURES, "TYPENAME": "salaries"},
    {"SERVICE": "WCS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WCS", "REQUEST": "DescribeCoverage", "COVERAGE": "ortho"},
    {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMTS", "REQUEST": "GetTile", "LAYER": "no_such_layer"},
    {"SERVICE": "ACCESS", "REQUEST": "GetPermissions"},
    {"SERVICE": "ACCESS", "REQUEST": "Health"},
    {"SERVICE": "ACCESS", "REQUEST": "Explain", "USER": "bob"},
    {"SERVICE": "NONSENSE", "REQUEST": "GetMap"},
    {"REQUEST": "GetMap"},
    {},
]


@pytest.mark.parametrize(
    "parameters", OWS, ids=lambda p: f"{p.get('SERVICE')}-{p.get('REQUEST')}-{len(p)}"
)
def test_every_request_has_one_line_that_agrees_with_request_and_answer(
    alice: Client, lines: Lines, parameters: dict[str, str], project: Path
) -> None:
    answer = alice.get(**parameters)
    entry = lines.only()
    assert_agrees(entry, answer)
    assert entry["project"] == str(project)
    assert entry["user"] == "alice"
    assert entry["roles"] == ["viewer"]
    assert entry["client"] == "198.51.100.7"
    if "SERVICE" in parameters:
        assert entry["service"] == parameters["SERVICE"]
        assert entry["request"] == parameters["REQUEST"]


def assert_agrees(entry: dict[str, Any], answer: Answer) -> None:
    assert entry["status"] == answer.status
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    assert entry["bytes"] in (len(answer.body), None)
    assert set(entry) <= set(FIELDS)
    assert 0 < entry["ms"] < 60_000
    assert entry["level"] == expected_level(entry)


def expected_level(entry: dict[str, Any]) -> str:
    decision = entry["decision"]
    refused = decision["effect"] == "deny" or "refused" in decision or entry["status"] in (401, 403)
    if entry["status"] >= 500:
        return "error"
    return "warning" if refused or entry["ms"] >= 1000 else "info"


@pytest.mark.parametrize(
    ("path", "layers"),
    [
        ("/", None),
        ("/collections", None),
        ("/collections/parcels", ["parcels"]),
        ("/collections/parcels/items", ["parcels"]),
        ("/collections/parcels/items/3", ["parcels"]),
        ("/collections/salaries/items", ["salaries"]),
        ("/conformance", None),
        ("/nonsense", None),
    ],
)
def test_every_api_request_has_one_line_with_its_path(
    alice: Client, lines: Lines, path: str, layers: Any
) -> None:
    answer = alice.api(path)
    entry = lines.only()
    assert_agrees(entry, answer)
    assert (entry["path"], entry["service"]) == (f"/wfs3{path}", "OAPIF")
    assert entry.get("layers") == layers


@pytest.mark.parametrize("path", ["/", "/index.json", "/nonsense"])
def test_the_landing_page_has_its_line(server: Server, lines: Lines, path: str) -> None:
    answer = server.run(f"http://localhost{path}")
    entry = lines.only()
    assert_agrees(entry, answer)
    assert (entry["path"], entry["user"]) == (path, None)


def test_a_map_is_told_with_what_was_asked(alice: Client, lines: Lines) -> None:
    alice.get(**{**MAP, "TOKEN": "s3cret"})
    entry = lines.only()
    told = {name: entry[name] for name in ("version", "layers", "crs", "bbox", "width", "height")}
    assert told == {
        "version": "1.3.0",
        "layers": ["parcels"],
        "crs": "EPSG:4326",
        "bbox": [0, 0, 5, 5],
        "width": 50,
        "height": 40,
    }
    assert "s3cret" not in json.dumps(entry)


def test_a_feature_info_names_the_layers_that_were_queried(alice: Client, lines: Lines) -> None:
    alice.get(**INFO)
    entry = lines.only()
    assert (entry["layers"], entry["feature_count"]) == (["parcels"], 3)
    assert entry["format"] == "application/json"


def test_a_transaction_names_the_layer_it_changes(alice: Client, lines: Lines) -> None:
    body = (
        '<wfs:Transaction service="WFS" version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs" '
        'xmlns:ogc="http://www.opengis.net/ogc"><wfs:Delete typeName="parcels"><ogc:Filter>'
        '<ogc:FeatureId fid="parcels.1"/></ogc:Filter></wfs:Delete></wfs:Transaction>'
    )
    answer = alice.post(body)
    entry = lines.only()
    assert_agrees(entry, answer)
    assert (entry["service"], entry["request"], entry["method"]) == ("WFS", "Transaction", "POST")
    assert entry["layers"] == ["parcels"]


def test_the_line_tells_the_decision(alice: Client, lines: Lines) -> None:
    alice.get(**MAP)
    decision = lines.only()["decision"]
    assert decision["effect"] == "allow"
    assert set(decision["rules"]) == {"public", "drafts"}
    assert decision["filtered"] == ["parcels"]
    assert set(decision["hidden"]["parcels"]) >= {"owner", "owner_name"}


def test_a_refused_request_leaves_the_decision_of_the_next_one_alone(
    alice: Client, lines: Lines
) -> None:
    for _ in range(2):
        alice.get(**MAP, SLD_BODY="<StyledLayerDescriptor/>")
        alice.get(**MAP)
    told = [json.loads(line)["decision"] for line in lines.raw]
    assert [decision["effect"] for decision in told] == ["deny", "allow", "deny", "allow"]
    assert ["refused" in decision for decision in told] == [True, False, True, False]


def test_a_refused_request_is_a_warning_with_its_reason(alice: Client, lines: Lines) -> None:
    answer = alice.get(**MAP, SLD_BODY="<StyledLayerDescriptor/>")
    entry = lines.only()
    assert_agrees(entry, answer)
    assert entry["level"] == "warning"
    assert "SLD_BODY" in entry["decision"]["refused"]


def test_an_error_of_qgis_is_told_with_code_and_text(alice: Client, lines: Lines) -> None:
    alice.get(**{**MAP, "CRS": "nonsense"})
    error = lines.only()["error"]
    assert error["code"] == "InvalidCRS"
    assert error["text"]


def test_an_unknown_service_is_an_error_although_its_status_is_200(
    server: Server, lines: Lines, tmp_path: Path
) -> None:
    answer = server.client(project_with(tmp_path / "open")).get(SERVICE="NONSENSE")
    entry = lines.only()
    assert (entry["status"], answer.status) == (200, 200)
    assert entry["error"]["code"] == "Service configuration error"


def test_a_streamed_answer_has_no_size_and_its_headers_all_the_same(
    alice: Client, lines: Lines
) -> None:
    answer = alice.get(headers={"X-Request-ID": "mine", "traceparent": TRACE}, **FEATURES)
    entry = lines.only()
    assert b"<gml:featureMember" in answer.body
    assert entry["bytes"] is None
    assert answer.headers["X-Request-ID"] == entry["request_id"] == "mine"
    assert answer.headers["traceparent"] == TRACE


@pytest.mark.parametrize("fails", [None, "request_ready", "response_complete"])
@pytest.mark.parametrize("document", [CAPABILITIES, SCHEMA], ids=["capabilities", "schema"])
def test_a_document_of_the_cache_has_its_size_and_a_failure_after_it_its_own(
    alice: Client,
    server: Server,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    document: dict[str, str],
    fails: Optional[str],
) -> None:
    alice.get(**document)
    lines.take()
    feature = type(server.plugin.wall.target._access_control)
    if fails is not None:
        do = getattr(feature, fails)

        def fail(self: Any, context: Any, handler: Any) -> None:
            do(self, context, handler)
            raise RuntimeError("after the document")

        monkeypatch.setattr(feature, fails, fail)
    answer = alice.get(**document)
    entry = lines.only()
    assert entry["cached"] is True
    assert answer.status == (200 if fails is None else 503)
    assert (entry["status"], entry["bytes"]) == (answer.status, len(answer.body))


@pytest.mark.parametrize("parameters", [MAP, FEATURES, {**MAP, "LAYERS": "x"}, {"SERVICE": "X"}])
def test_ids_of_the_caller_are_taken_and_given_back(
    alice: Client, lines: Lines, parameters: dict[str, str]
) -> None:
    answer = alice.get(headers={"X-Request-ID": "a-1", "traceparent": TRACE}, **parameters)
    entry = lines.only()
    assert (entry["request_id"], entry["trace_id"]) == ("a-1", TRACE[3:35])
    assert (answer.headers["X-Request-ID"], answer.headers["traceparent"]) == ("a-1", TRACE)


def test_an_id_that_could_do_harm_is_replaced(alice: Client, lines: Lines) -> None:
    headers = {"X-Request-ID": 'a"\r\nSet-Cookie: b', "traceparent": "nonsense"}
    answer = alice.get(headers=headers, **MAP)
    entry = lines.only()
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    assert entry["request_id"].replace("-", "").isalnum()
    assert "trace_id" not in entry
    assert "traceparent" not in answer.headers


@pytest.mark.parametrize(("roles", "is_told"), [("gisadmin", True), ("viewer", False), ("", False)])
def test_server_timing_is_for_administrators(
    server: Server, project: Path, lines: Lines, roles: str, is_told: bool
) -> None:
    headers = server.client(project, "alice", roles).get(**MAP).headers
    assert ("Server-Timing" in headers) is is_told
    if is_told:
        assert headers["Server-Timing"].startswith("total;dur=")


def test_headers_of_browsers_are_told_without_a_query(alice: Client, lines: Lines) -> None:
    sent = {
        "User-Agent": "Leaflet\x1b[2J",
        "Referer": "https://example.org/map?token=s3cret",
        "Authorization": "Basic s3cret",
        "Cookie": "session=s3cret",
    }
    alice.get(headers=sent, **MAP)
    assert b"s3cret" not in lines.raw[0]
    entry = lines.only()
    assert entry["referer"] == "https://example.org/map"
    assert entry["user_agent"] == "Leaflet\x1b[2J"


HOSTILE = [
    {**MAP, "LAYERS": 'parcels","user":"root'},
    {**MAP, "LAYERS": 'x\n{"status":200,"user":"root"}\n'},
    {**MAP, "STYLES": "\x00\x1b[31m\x7f\u2028\u202e"},
    {**MAP, "TEMPLATE": "x" * 1_000_000},
    {**MAP, "LAYERS": "no_such_layer," * 100_000},
    {**MAP, "PASSWORD": "s3cret", "access_token": "s3cret", "LAYERS": "password=s3cret"},
    {**MAP, "BBOX": "]" * 1000, "WIDTH": "1e9", "HEIGHT": "-1", "CRS": '"'},
    {"SERVICE": "W\nS" * 1000, "REQUEST": "\x85" * 1000},
    {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "((((" * 50_000},
    {"SERVICE": "WMS", "MAP": "postgresql://u:s3cret@127.0.0.1:1/x?dbname=s&project=p"},
    {"SERVICE": "WMS", "MAP": "/no/such/\n\x1b.qgs"},
]


@pytest.mark.parametrize("parameters", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_request_is_one_bounded_line_without_secrets(
    alice: Client, lines: Lines, parameters: dict[str, str]
) -> None:
    answer = alice.get(**parameters)
    raw = lines.raw[0]
    entry = lines.only()
    assert entry["status"] == answer.status
    assert entry["user"] == "alice"
    assert len(raw) < 20_000
    assert raw.decode()[:-1].isprintable()
    assert b"s3cret" not in raw


def test_invalid_utf8_is_one_line(server: Server, project: Path, lines: Lines) -> None:
    url = f"http://localhost/?MAP={project}&SERVICE=WMS&REQUEST=GetMap&LAYERS=%FF%FE%ED%A0%80"
    answer = server.run(url, headers={"User-Agent": "\udcff"})
    assert lines.only()["status"] == answer.status


def test_a_project_that_is_missing_has_its_line(server: Server, lines: Lines) -> None:
    answer = server.client(Path("/no/such/project.qgs"), "bob").get(**MAP)
    entry = lines.only()
    assert_agrees(entry, answer)
    assert (entry["project"], entry["user"]) == ("/no/such/project.qgs", "bob")


def broken_project(folder: Path) -> Path:
    """A project whose second layer is missing and whose third cannot be reached."""
    folder.mkdir()
    write_geopackage(folder / "data.gpkg")
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    source = "dbname='gis' host=127.0.0.1 port=1 user='u' password='s3cret' table=\"a\".\"b\" (g)"
    project.addMapLayers(
        [
            vector_layer(folder, "parcels"),
            QgsVectorLayer("/no/such/s3cret.gpkg|layername=x", "roads", "ogr"),
            QgsVectorLayer(source, "rivers", "postgres"),
        ]
    )
    publish(project)
    return save(project, folder / "project.qgs", {})


def test_a_project_that_does_not_load_names_the_layers_that_kept_it_from_loading(
    server: Server, lines: Lines, tmp_path: Path
) -> None:
    answer = server.client(broken_project(tmp_path / "broken"), "bob").get(**MAP)
    raw = lines.raw[0]
    entry = lines.only()
    assert_agrees(entry, answer)
    assert answer.status == 500
    assert sorted(layer["name"].split("_")[0] for layer in entry["bad_layers"]) == [
        "rivers",
        "roads",
    ]
    assert b"s3cret" not in raw


def test_a_project_can_switch_its_log_off(server: Server, lines: Lines, tmp_path: Path) -> None:
    client = server.client(project_with(tmp_path / "off", request_log="off"))
    assert "X-Request-ID" in client.get(**MAP).headers
    assert lines.take() == []


def test_a_project_can_sample_and_still_tells_errors_and_refusals(
    server: Server, lines: Lines, tmp_path: Path
) -> None:
    client = server.client(project_with(tmp_path / "sample", request_log={"sample": 0.25}))
    for _ in range(8):
        client.get(**MAP)
    assert len(lines.take()) == 2
    for _ in range(4):
        client.get(**{**MAP, "LAYERS": "nonsense"})
    assert len(lines.take()) == 4


def test_a_slow_request_is_a_warning_and_never_left_out(
    server: Server, lines: Lines, tmp_path: Path
) -> None:
    slow = {"slow_ms": 0.001, "sample": 0}
    server.client(project_with(tmp_path / "slow", request_log=slow)).get(**MAP)
    assert lines.only()["level"] == "warning"


def test_a_project_can_anonymize_and_leave_out(
    server: Server, lines: Lines, tmp_path: Path
) -> None:
    settings = {"fields": ["*", "!roles"], "anonymize": ["user", "client"]}
    path = project_with(tmp_path / "anonymous", request_log=settings)
    server.client(path, "alice", "viewer").get(**MAP)
    assert b"alice" not in lines.raw[0]
    entry = lines.only()
    assert entry["user"].startswith("~")
    assert entry["client"] == "198.51.100.0"
    assert "roles" not in entry


def test_a_projects_settings_may_stand_in_a_file_beside_it(
    server: Server, lines: Lines, tmp_path: Path
) -> None:
    path = project_with(tmp_path / "file", request_log="file:log.json")
    (path.parent / "log.json").write_text('{"fields": ["status"]}')
    server.client(path).get(**MAP)
    assert list(lines.only()) == ["status"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{"slow": 5}', 'request_log.slow: unknown key, did you mean "slow_ms"?'),
        ('{"sample": ', "request_log: not JSON"),
        ("file:missing.json", "cannot be read"),
    ],
)
def test_a_mistake_in_the_settings_is_told_once_and_the_defaults_are_used(
    server: Server, lines: Lines, tmp_path: Path, messages: list[str], value: str, told: str
) -> None:
    client = server.client(project_with(tmp_path / "mistake", request_log=value))
    client.get(**MAP)
    client.get(**MAP)
    assert len(lines.take()) == 2
    assert [told in message for message in messages] == [True]


def test_a_sink_that_fails_breaks_no_request_and_is_told_once(
    alice: Client, request_log: RequestLog, lines: Lines, messages: list[str], tmp_path: Path
) -> None:
    from access_filter_plugin import qgis_log

    request_log.sink = make_sink(str(tmp_path / "missing" / "requests.log"), qgis_log.critical)
    assert [alice.get(**MAP).status for _ in range(3)] == [200, 200, 200]
    assert len(messages) == 1


def test_a_request_that_another_plugin_ended_early_still_has_its_line(
    alice: Client, request_log: RequestLog, lines: Lines
) -> None:
    complete = type(request_log).response_complete
    type(request_log).response_complete = lambda *_: None
    try:
        alice.get(**MAP)
    finally:
        type(request_log).response_complete = complete
    alice.get(**MAP)
    first, second = lines.take()
    assert (first["error"]["code"], first["ms"], first["status"]) == ("unfinished", None, 500)
    assert first["time"] <= second["time"]
    assert first["request_id"] != second["request_id"]


class Unloaded:
    """What a project's state is to the log."""

    def __init__(self, project: Any) -> None:
        self.project, self.path, self.variables = project, "p.qgs", {}
        self.layers = project.mapLayers()
        self.files = None


def test_the_layers_of_a_loaded_project_are_bad_for_reasons_in_our_words(
    tmp_path: Path, server: Server
) -> None:
    project = QgsProject()
    project.read(str(broken_project(tmp_path / "broken")))
    bad = {layer.name: layer.reason for layer in log_of().compile(Unloaded(project)).bad_layers}
    assert bad == {"roads": "file not found", "rivers": "postgres could not open it"}


def log_of(**settings: Any) -> RequestLog:
    return RequestLog(OperatorSettings(log_sink="off", **settings))


def test_the_operators_key_makes_pseudonyms_that_last(server: Server) -> None:
    first, second = (log_of(log_key="k")._writer._pseudonyms.of("alice") for _ in range(2))
    assert first == second == Pseudonyms("k").of("alice")


def test_an_operator_that_logs_always_is_not_overruled(server: Server) -> None:
    state = Unloaded(QgsProject())
    state.variables = {"request_log": "off"}
    state.files = type("Files", (), {"text": staticmethod(lambda _name, text: text)})()
    assert log_of(log_default="always").compile(state).settings.enabled
    assert not log_of(log_default="on").compile(state).settings.enabled
