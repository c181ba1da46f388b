"""Error code and text are read out of QGIS's error documents, and out of nothing else."""

from __future__ import annotations

import pytest

from access_filter_plugin.request_log.service_error import ServiceError, read_error
from tests.support.bounded import bounded

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
REPORT = (
    HEAD + b'<ServiceExceptionReport xmlns="http://www.opengis.net/ogc" version="1.3.0">\n '
    b'<ServiceException code="%s">%s</ServiceException>\n</ServiceExceptionReport>\n'
)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            400,
            REPORT % (b"LayerNotDefined", b"The layer &apos;x&apos; does not exist."),
            ("LayerNotDefined", "The layer 'x' does not exist."),
        ),
        (
            200,
            REPORT % (b"Service configuration error", b"Service unknown"),
            ("Service configuration error", "Service unknown"),
        ),
        (
            500,
            HEAD + b"<ServerException>Layer(s) not valid</ServerException>\n",
            ("ServerException", "Layer(s) not valid"),
        ),
        (
            404,
            b'[{"code":"API not found error","description":"Collection (x) was not found"}]',
            ("API not found error", "Collection (x) was not found"),
        ),
        (
            400,
            HEAD + b'<ows:ExceptionReport><ows:Exception exceptionCode="NoApplicableCode">'
            b"<ows:ExceptionText>oh</ows:ExceptionText></ows:Exception></ows:ExceptionReport>",
            ("NoApplicableCode", "oh"),
        ),
        (403, b"plain words", ("403", "")),
        (500, b"", ("500", "")),
        (404, b"{not json", ("404", "")),
        (503, b'{"description": "\\ud800"}', ("", "\ud800")),
    ],
)
def test_an_error_is_read(status: int, body: bytes, error: tuple[str, str]) -> None:
    assert read_error(status, body) == ServiceError(*error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x89PNG\r\n",
        HEAD + b"<WMS_Capabilities><Exception><Format>XML</Format></Exception></WMS_Capabilities>",
        b'{"code": "a", "description": "an attribute of a feature"}',
        b"<html><body>ServiceException</body></html>",
    ],
)
def test_a_good_answer_is_no_error(body: bytes) -> None:
    assert read_error(200, body) is None


def test_an_error_text_is_bounded_and_has_no_secret() -> None:
    text = b"could not open dbname='gis' password='s3cret' " + b"x" * 1000
    error = read_error(500, REPORT % (b"x", text))
    assert error is not None
    assert len(error.text) <= 300
    assert "s3cret" not in error.text


@pytest.mark.parametrize("unit", [b"<ServiceException ", b"<", b'"code":"', b"\\", b"<a "])
def test_a_strange_body_costs_next_to_nothing(unit: bytes) -> None:
    with bounded(0.3):
        read_error(400, HEAD + b"<ServiceExceptionReport>" + unit * 200_000)
        read_error(400, b"[" + unit * 200_000)
