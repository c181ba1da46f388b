"""Redaction of WMS and WMTS answers, as texts."""

from __future__ import annotations

import json

import pytest

from access_filter_plugin.access_control.catalogue import LayerInfo
from access_filter_plugin.access_control.decision import EVERY_ROW, LayerDecision
from access_filter_plugin.access_control.redaction.feature_info import (
    MAX_SEARCHED,
    Keys,
    LayerKeys,
    layer_keys,
    redact_gml,
    redact_html,
    redact_json,
    redact_plain,
    redact_xml,
)
from access_filter_plugin.access_control.redaction.wms_capabilities import (
    ListedLayer,
    Listing,
    redact_capabilities,
)
from access_filter_plugin.access_control.redaction.wms_errors import redact_error
from access_filter_plugin.access_control.redaction.xml import (
    XmlError,
    as_written,
    descendants,
    indented,
    parse,
    parse_answer,
)

ROADS = LayerInfo("roads_id", "roads", wms_name="roads", attributes=("name", "secret", "raw"))
DECISION = LayerDecision(
    "roads_id",
    read=True,
    rows=EVERY_ROW,
    attributes=frozenset({"name", "raw"}),
    hidden=frozenset({"secret"}),
    raw_attributes=frozenset({"raw"}),
)


def keys() -> Keys:
    found = layer_keys(ROADS, DECISION, {"secret": "Geheim"})
    return Keys([found] if found else [], ["open"])


def test_a_layer_with_nothing_hidden_needs_no_redaction() -> None:
    decision = LayerDecision("roads_id", read=True, attributes=frozenset(ROADS.attributes))
    assert layer_keys(ROADS, decision, {}) is None


XML = """<GetFeatureInfoResponse>
 <Layer name="roads">
  <Feature id="1">
   <Attribute value="a" name="name"/>
   <Attribute name="Geheim" value="x name=&quot;name&quot;"/>
   <Attribute value="y" name="secret"/>
   <Attribute value="z" name="raw"/>
  </Feature>
 </Layer>
 <Layer name="open">
  <Attribute value="kept" name="secret"/>
 </Layer>
</GetFeatureInfoResponse>
"""


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x1e", "\x0b", "\x0c", "\r", ">"])
def test_a_closed_value_goes_whatever_signs_are_in_it(sign: str) -> None:
    """What Python takes for the end of a line is none to QGIS, and ``>`` stands in values as it is."""
    for order in ('value="before{}after" name="secret"', 'name="secret" value="before{}after"'):
        line = f"   <Attribute {order.format(sign)}/>\n"
        assert redact_xml(XML.replace("  </Feature>", line + "  </Feature>"), keys()) == redact_xml(
            XML, keys()
        )
    text = f"Layer 'roads'\nFeature 1\nsecret = 'before{sign}after'\nname = 'a'\n"
    assert redact_plain(text, keys()) == "Layer 'roads'\nFeature 1\nname = 'a'\n"


def test_xml_loses_the_lines_of_closed_attributes() -> None:
    text = redact_xml(XML, keys())
    assert text.count("<Attribute") == 2
    assert 'value="a"' in text
    assert "kept" in text


def test_plain_text_loses_closed_values_with_all_their_lines() -> None:
    closed = "Geheim = 'x\ny'\nraw = 'z'\n"
    text = f"Layer 'roads'\nFeature 1\nname = 'a\nb'\n{closed}\nLayer 'open'\nraw = '1'\n"
    assert redact_plain(text, keys()) == (
        "Layer 'roads'\nFeature 1\nname = 'a\nb'\n\nLayer 'open'\nraw = '1'\n"
    )


OLD_PAGE = (
    "<TABLE>\n<TR><TH width=25%>Layer</TH><TD>roads</TD></TR>\n"
    "<TR><TH>name</TH><TD>a</TD></TR>\n<TR><TH>Geheim</TH><TD>x</TD></TR>\n</TABLE>"
)
NEW_PAGE = (
    "<div class='layer-title'>roads</div>\n<table>\n  <tr>\n   <th>name</th>\n   <td>a</td>\n"
    "  </tr>\n  <tr>\n   <th>Geheim</th>\n   <td>x</td>\n  </tr>\n</table>"
)


@pytest.mark.parametrize("page", [OLD_PAGE, NEW_PAGE])
def test_html_loses_the_rows_of_closed_attributes(page: str) -> None:
    text = redact_html(page, keys())
    assert "name" in text
    assert "Geheim" not in text
    assert "x<" not in text


def test_json_keeps_other_layers_and_untouched_bytes() -> None:
    feature = {"id": "roads.1", "properties": {"name": "a", "GEHEIM": 1, "secret": 2, "raw": 3}}
    other = {"id": "open.1", "properties": {"raw": 1}}
    body = json.dumps({"features": [feature, other]}).encode()
    found = json.loads(redact_json(body, keys()))["features"]
    assert [f["properties"] for f in found] == [{"name": "a"}, {"raw": 1}]
    untouched = json.dumps({"features": [other]}).encode()
    assert redact_json(untouched, keys()) == untouched


@pytest.mark.parametrize(
    "key",
    [
        *("secret", "SECRET", r"\u0073ecret", r"s\u0045cret", "\u017fecret", "GEHEIM", "STRASSE"),
        *("stra\u00dfe", r"na\"me", r"NA\"ME", "\u1e9eig", "ssig", r"back\\slash", r"with\/slash"),
    ],
)
def test_json_loses_a_closed_key_however_it_is_written(key: str) -> None:
    closed = ["secret", "geheim", "stra\u00dfe", 'na"me', "\u00dfig", "back\\slash", "with/slash"]
    one = LayerKeys(frozenset({"roads"}), frozenset(name.casefold() for name in closed))
    body = f'{{"features":[{{"id":"roads.1","properties":{{"name":"a","{key}":"x"}}}}]}}'.encode()
    found = json.loads(redact_json(body, Keys([one], {"open"})))
    assert found["features"][0]["properties"] == {"name": "a"}


@pytest.mark.parametrize("value", ["", " ", "secret", r"a\nb", "\u017f"])
def test_json_without_a_closed_key_stays_byte_for_byte(value: str) -> None:
    body = f'{{ "features": [{{"id": "roads.1","properties":{{"name":"{value}"}} }}]}}'.encode()
    assert redact_json(body, keys()) == body


def test_json_that_is_no_text_is_not_passed_on() -> None:
    with pytest.raises(UnicodeDecodeError):
        redact_json(b'{"features":[{"id":"roads.1","properties":{"name":"\xff"}}]}', keys())


@pytest.mark.parametrize("count", [MAX_SEARCHED, MAX_SEARCHED + 1])
def test_each_of_many_closed_names_is_found(count: int) -> None:
    names = frozenset(f"closed{number}" for number in range(count))
    many = Keys([LayerKeys(frozenset({"roads"}), names)], ())
    body = '{"features":[{"id":"roads.1","properties":{"name":"a","%s":1}}]}'
    assert not any(b"closed" in redact_json((body % name).encode(), many) for name in names)


def test_of_a_name_that_layers_share_json_keeps_the_ids() -> None:
    shared = {"id": "two.1", "properties": {"name": "a"}, "geometry": {}, "bbox": [0, 0, 1, 1]}
    other = {"id": "twofold.1", "properties": {"name": "b"}, "geometry": None}
    body = json.dumps({"features": [shared, other]}).encode()
    found = json.loads(redact_json(body, keys(), frozenset({"two"})))["features"]
    assert found == [{"id": "two.1", "properties": {}, "geometry": None}, other]


def test_an_unknown_layer_is_redacted_like_every_layer() -> None:
    body = json.dumps({"features": [{"id": "x.1", "properties": {"secret": 1}}]}).encode()
    assert b"secret" not in redact_json(body, keys())


def test_gml_loses_the_elements_of_closed_attributes() -> None:
    body = (
        b'<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs"'
        b' xmlns:gml="http://www.opengis.net/gml" xmlns:qgs="http://qgis.org/gml">'
        b'<gml:featureMember><qgs:roads fid="roads.1"><qgs:name>a</qgs:name>'
        b"<qgs:Geheim>x</qgs:Geheim></qgs:roads></gml:featureMember></wfs:FeatureCollection>"
    )
    text = redact_gml(body, keys())
    assert b"<qgs:name>a</qgs:name>" in text
    assert b"Geheim" not in text


def capabilities(inner: str) -> bytes:
    return f"<C><Capability><Layer queryable='1'>{inner}</Layer></Capability></C>".encode()


def redacted(inner: str) -> str:
    root = parse(capabilities(inner))
    listing = Listing(
        layers={
            "roads": ListedLayer(
                is_queryable=False,
                closed_styles=frozenset({"blue"}),
                attributes=frozenset({"name"}),
                has_hidden=True,
            )
        },
        templates=frozenset({"plan"}),
        other_names=frozenset({"roads"}),
    )
    redact_capabilities(root, listing)
    return indented(root).decode()


ROADS_XML = (
    "<Layer queryable='1' displayField='secret'><Name>roads</Name>"
    "<Style><Name>default</Name></Style><Style><Name>blue</Name></Style>"
    "<PrimaryKey><PrimaryKeyAttribute>fid</PrimaryKeyAttribute></PrimaryKey>"
    "<Attributes><Attribute name='name'/><Attribute name='secret'/></Attributes></Layer>"
)


def test_groups_without_an_open_layer_leave_no_trace() -> None:
    empty = "<Layer queryable='1'><Name>g</Name><Title>t</Title></Layer>"
    nested = f"<Layer queryable='1'><Name>h</Name>{empty}</Layer>"
    assert redacted(ROADS_XML + empty + nested) == redacted(ROADS_XML)


def test_a_listed_layer_keeps_what_is_open_only() -> None:
    text = redacted(ROADS_XML)
    for closed in ("blue", "secret", "fid", 'queryable="1"'):
        assert closed not in text
    assert "<Name>default</Name>" in text
    assert '<Attribute name="name"/>' in text


LAYER = "<Layer queryable='1'><Name>{}</Name><Style><Name>a</Name></Style></Layer>"


@pytest.mark.parametrize(
    "closed", [{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}, set()], ids=str
)
def test_the_layout_does_not_tell_where_a_layer_was(closed: set[int]) -> None:
    """It is QGIS's own all through, so that nothing has to be laid out anew."""

    def document(names: list[str]) -> bytes:
        group = "<Layer><Name>g</Name>" + "".join(map(LAYER.format, names)) + "</Layer>"
        return indented(parse(capabilities(LAYER.format("roads") + group)))

    names = ["closed" if number in closed else "roads" for number in range(3)]
    left = [name for name in names if name == "roads"]
    root = parse(document(names))
    redact_capabilities(root, Listing({"roads": ListedLayer()}))
    if left:
        assert as_written(root) == document(left)
    else:
        assert as_written(root) == indented(parse(capabilities(LAYER.format("roads"))))


def test_an_unlisted_layer_is_removed() -> None:
    other = "<Layer><Name>vault</Name><Style><Name>default</Name></Style></Layer>"
    assert "vault" not in redacted(ROADS_XML + other)


@pytest.mark.parametrize(
    ("body", "is_replaced"),
    [(b"access the layer vault", True), (b"the layer other", False), (b"you sent: vault-x", False)],
)
def test_an_error_names_only_what_was_sent(body: bytes, is_replaced: bool) -> None:
    sent = {"LAYERS": "vault"} if b"sent" in body else {"LAYERS": "v"}
    assert (redact_error(body, frozenset({"vault"}), sent) is not None) is is_replaced


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a>",
        b"\xff\xfe<\0a\0/\0>\0",
        b"<a>" * 300 + b"</a>" * 300,
        b"",
    ],
)
def test_a_document_that_no_client_needs_is_refused(document: bytes) -> None:
    with pytest.raises(XmlError):
        parse(document)


def test_an_answer_keeps_its_document_type() -> None:
    body = b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd">\n<a><b/></a>'
    root = parse_answer(body)
    assert len(descendants(root, "b")) == 1
    assert b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd">' in indented(root)
