"""Ids that follow a request: accepted when harmless, made when missing."""

from __future__ import annotations

import pytest

from access_filter_plugin.request_log.sampler import Sampler
from access_filter_plugin.request_log.server_timing import server_timing
from access_filter_plugin.request_log.tracing import RequestIds, read_traceparent, trace_id

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("sent", ["abc", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "a=b/c+d@e:f"])
def test_a_harmless_request_id_is_kept(sent: str) -> None:
    assert RequestIds().accept_or_make(sent) == sent


@pytest.mark.parametrize("sent", ["", "a b", "a\nb", 'a"b', "x" * 129, "ü", "<b>", "a\n"])
def test_any_other_request_id_is_replaced(sent: str) -> None:
    made = RequestIds().accept_or_make(sent)
    assert made != sent
    assert made.isascii()
    assert made.replace("-", "").isalnum()


def test_made_ids_are_unique_within_and_between_processes() -> None:
    first, second = RequestIds(), RequestIds()
    made = [ids.accept_or_make("") for ids in (first, second) for _ in range(1000)]
    assert len(set(made)) == 2000


def test_a_valid_traceparent_gives_its_trace_id() -> None:
    assert read_traceparent(TRACE) == TRACE
    assert trace_id(TRACE) == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        TRACE.upper(),
        TRACE + "\n",
        TRACE + "-more",
        "ff" + TRACE[2:],
        "00-" + "0" * 32 + TRACE[35:],
        TRACE[:36] + "0" * 16 + TRACE[52:],
        "x" * 1_000_000,
    ],
)
def test_an_invalid_traceparent_is_none(sent: str) -> None:
    assert read_traceparent(sent) == ""
    assert trace_id("") == ""


def test_a_traceparent_of_a_later_version_is_passed_on_without_what_we_do_not_know() -> None:
    assert read_traceparent("01" + TRACE[2:] + "-what\r\never") in ("", "01" + TRACE[2:])
    assert read_traceparent("01" + TRACE[2:] + "-x") == "01" + TRACE[2:]


@pytest.mark.parametrize(("share", "kept"), [(1.0, 100), (0.1, 10), (0.25, 25), (0.0, 0)])
def test_a_sample_keeps_its_share_evenly(share: float, kept: int) -> None:
    sampler = Sampler()
    assert sum(sampler.keeps(share) for _ in range(100)) == kept


def test_server_timing_tells_the_whole_and_the_layers() -> None:
    assert server_timing(12.34, {"a": 3.0}) == 'total;dur=12.3, layer;desc="a";dur=3.0'


def test_a_layers_name_cannot_end_the_header() -> None:
    value = server_timing(1, {'a"\r\nSet-Cookie: x\\ü': 1.0})
    assert value == 'total;dur=1.0, layer;desc="a???Set-Cookie: x??";dur=1.0'
