"""Whatever a client sends, its line is one line of valid JSON, bounded, and without secrets."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.request_context import DecisionRecord, RequestContext
from access_filter_plugin.request_log.descriptor import MAX_FILE_LINE, MAX_PIPE_LINE
from access_filter_plugin.request_log.entry import BadLayer, LineWriter, RequestFacts
from access_filter_plugin.request_log.pseudonym import Pseudonyms
from access_filter_plugin.request_log.service_error import read_error
from access_filter_plugin.request_log.settings import ALL_FIELDS, FIELDS, LogSettings
from access_filter_plugin.request_log.shorten import shorten
from access_filter_plugin.subject import Subject

# Put together here, so that Hypothesis cannot find it among the constants of this file and send it
# as an ordinary text.
SECRET = "plugh" * 2

TEXT = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\x00\x1b\x7f\x85\u2028\u202e\r\n\t\"\\{}[],:'%", max_size=40),
    st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=5),
    st.sampled_from(["x" * 1_000_000, '"' * 5000, "\\u0000" * 1000, "\n{}\n", "é" * 5000, ""]),
)
KNOWN_NAMES = """LAYERS STYLES CRS BBOX WIDTH HEIGHT FORMAT TEMPLATE FEATURE_COUNT TYPENAME
    FEATUREID QUERY_LAYERS MAP0:LAYERS MAP0:EXTENT COVERAGE LAYER"""
NAMES = st.sampled_from(KNOWN_NAMES.split())
SECRET_NAMES = st.sampled_from(
    ["password", "TOKEN", "Access_Token", "api_key", "X-Amz-Signature", "authcfg", "sessionid"]
)
#: Ways in which a secret gets into a text.
SECRET_TEXT = st.sampled_from(
    [
        "password={}",
        "token: {}",
        "Authorization: Basic {}",
        "Cookie: sid={}; other={}",
        "https://user:{}@example.org/",
        "postgresql://user:{}@host?dbname=x&project=y",
        "dbname='x' user='y' password='{}'",
        "api_key%3D{}",
        "/data/{}.gpkg|layername=x",
        "https://example.org/?q={}",
    ]
).map(lambda text: text.replace("{}", SECRET))
#: What may stand in a text that is shown whole; of an address only the place is shown.
SHOWN_SECRET = SECRET_TEXT.filter(lambda text: "?q=" not in text)
SERVICES = st.one_of(st.sampled_from(["WMS", "WFS", "WCS", "WMTS", "OAPIF", ""]), TEXT)
OPERATIONS = st.one_of(st.sampled_from(["GetMap", "GetFeatureInfo", "GetPrint"]), TEXT)


@st.composite
def requests(draw: Any) -> OwsRequest:
    values = st.one_of(TEXT, SHOWN_SECRET)
    parameters = draw(st.dictionaries(st.one_of(NAMES, TEXT), values, max_size=8))
    # Neither an unknown parameter nor one that sounds secret is ever shown.
    parameters[draw(SECRET_NAMES)] = SECRET
    return OwsRequest(
        service=draw(SERVICES),
        operation=draw(OPERATIONS),
        version=draw(TEXT),
        parameters=parameters,
        method=draw(st.one_of(st.sampled_from(["GET", "POST"]), TEXT)),
        url=f"http://x/?password={SECRET}",
        path=draw(st.one_of(TEXT, SHOWN_SECRET)),
        body=draw(st.one_of(st.binary(max_size=200), st.just(b"<Query typeName='" + b"x" * 99))),
        project=draw(st.one_of(TEXT, st.just(f"postgresql://u:{SECRET}@h?dbname=d&project=p"))),
    )


@st.composite
def contexts(draw: Any) -> RequestContext:
    names = st.lists(TEXT, max_size=5).map(tuple)
    decision = DecisionRecord(
        effect=draw(st.sampled_from(["allow", "deny", "none"])),
        rules=draw(names),
        denied=draw(names),
        filtered=draw(names),
        hidden=draw(st.dictionaries(TEXT, names, max_size=3)),
        refused=draw(st.one_of(st.none(), TEXT, SHOWN_SECRET)),
    )
    subject = Subject(draw(st.one_of(st.none(), TEXT)), draw(st.frozensets(TEXT, max_size=5)))
    return RequestContext(
        request=draw(requests()), subject=subject, decision=decision, request_id="id"
    )


@st.composite
def answers(draw: Any) -> RequestFacts:
    status = draw(st.sampled_from([200, 400, 500]))
    told = draw(st.one_of(TEXT, SHOWN_SECRET)).encode("utf-8", "replace")
    body = b"<ServiceExceptionReport><ServiceException>%s</ServiceException>" % told
    return RequestFacts(
        time=draw(st.floats(0, 4e9)),
        ms=draw(st.one_of(st.none(), st.floats(0, 1e9))),
        status=status,
        bytes=draw(st.one_of(st.none(), st.integers(0, 10**12))),
        error=read_error(status, body),
        user_agent=draw(st.one_of(TEXT, SHOWN_SECRET)),
        referer=draw(st.one_of(TEXT, SECRET_TEXT)),
        bad_layers=draw(st.lists(st.builds(BadLayer, TEXT, TEXT), max_size=3)),
        layer_ms=draw(st.none() | st.dictionaries(TEXT, st.floats(0, 1e6), max_size=3)),
    )


def checked(line: bytes, limit: int) -> dict[str, Any]:
    assert len(line) <= limit
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert not any(byte < 32 or byte == 127 for byte in line[:-1])
    text = line.decode("utf-8")
    assert text[:-1].isprintable()
    entry = json.loads(text)
    assert isinstance(entry, dict)
    assert set(entry) <= {*FIELDS, "shortened"}
    assert SECRET not in text
    return entry


@settings(max_examples=100, deadline=None)
@given(
    contexts(),
    answers(),
    st.sampled_from([frozenset(), frozenset({"user", "client"})]),
    st.sampled_from([ALL_FIELDS, ALL_FIELDS - {"client", "path"}]),
)
def test_every_line_is_whole_and_keeps_every_secret(
    context: RequestContext,
    facts: RequestFacts,
    anonymize: frozenset[str],
    fields: frozenset[str],
) -> None:
    writer = LineWriter(Pseudonyms("key"))
    chosen = LogSettings(fields=fields, anonymize=anonymize)
    line = writer.line(context, facts, chosen, "info")
    whole = checked(shorten(line, MAX_FILE_LINE), MAX_FILE_LINE)
    short = checked(shorten(line, MAX_PIPE_LINE), MAX_PIPE_LINE)
    assert set(whole) - {"shortened"} <= fields
    for name in ("status", "user"):
        assert short[name] == whole[name]
    for name in ("effect", "refused"):
        assert short["decision"].get(name) == whole["decision"].get(name)
