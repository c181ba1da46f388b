"""The command ``log``: what request logs tell, whatever state they are in."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

from access_filter_plugin.command_line import log_analysis_progress, log_analysis_report
from access_filter_plugin.command_line.log_analysis import run
from access_filter_plugin.command_line.log_analysis_progress import Progress
from access_filter_plugin.command_line.log_analysis_report import THE_REST, Report


def entry(**members: Any) -> dict[str, Any]:
    return {
        "time": "2026-01-01T12:00:00.000Z",
        "level": "info",
        "request_id": "id",
        "project": "/data/town.qgs",
        "service": "WMS",
        "request": "GetMap",
        "layers": ["parcels"],
        "status": 200,
        "ms": 10.0,
        "bytes": 1000,
        "user": "alice",
        "decision": {"effect": "allow", "rules": ["public"]},
        **members,
    }


REFUSED = entry(
    status=403, user=None, decision={"effect": "deny", "rules": ["no-salaries"]}, request_id="r"
)
FAILED = entry(status=500, error={"code": "ServerException", "text": "Layer(s) not valid"}, ms=3)


def log(path: Path, *entries: Any) -> Path:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: Any, code: int = 0) -> Any:
    assert run(["--json", *map(str, arguments)]) == code
    return json.loads(capsys.readouterr().out)


def test_requests_are_counted_with_times_statuses_and_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = entry(time="2026-01-02T00:00:00.000Z", ms=30.0)
    report = told(capsys, log(tmp_path / "a.log", entry(), later, FAILED, REFUSED))
    assert report["requests"] == report["lines"] == 4
    assert (report["from"], report["to"]) == (entry()["time"], later["time"])
    assert report["statuses"] == {"200": 2, "403": 1, "500": 1}
    assert report["bytes"] == 4000
    assert report["times"]["max_ms"] == 30


def test_the_slowest_requests_come_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [entry(ms=float(ms), request_id=str(ms)) for ms in (5, 50, 1, 500, 2)]
    report = told(capsys, log(tmp_path / "a.log", *entries), "--top", 2)
    assert [one["request_id"] for one in report["slow"]] == ["500", "50"]


def test_a_requests_time_is_shared_among_its_layers_unless_qgis_measured_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = entry(layers=["a", "b"], ms=10.0)
    measured = entry(layers=["a", "b"], ms=10.0, layer_ms={"a": 1.0, "b": 7.0})
    report = told(capsys, log(tmp_path / "a.log", shared, measured))
    times = {one["layer"]: one["total_ms"] for one in report["by_layer"]}
    assert times == {"a": 6.0, "b": 12.0}


def test_layers_of_equal_names_in_two_projects_are_two_layers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(capsys, log(tmp_path / "a.log", entry(), entry(project="/data/other.qgs")))
    assert len(report["by_layer"]) == 2


def test_refusals_are_counted_by_rule_or_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = entry(status=400, decision={"effect": "deny", "refused": "FILTER is not allowed"})
    nothing = entry(status=403, decision={"effect": "deny"})
    report = told(capsys, log(tmp_path / "a.log", REFUSED, REFUSED, reason, nothing, entry()))
    counts = {one["rule"]: one["count"] for one in report["refusals"]}
    assert counts == {"no-salaries": 2, "FILTER is not allowed": 1, "(no rule opened it)": 1}


def test_errors_are_counted_by_status_and_code_without_the_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aborted = entry(error={"code": "aborted", "text": "gone"})
    report = told(capsys, log(tmp_path / "a.log", FAILED, FAILED, aborted, REFUSED))
    errors = {(one["status"], one["code"]): one["count"] for one in report["errors"]}
    assert errors == {("500", "ServerException"): 2, ("200", "aborted"): 1}


def test_users_are_counted_with_their_refusals_and_nobody_is_anonymous(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(capsys, log(tmp_path / "a.log", entry(), entry(), REFUSED))
    users = {one["user"]: (one["count"], one["refused"]) for one in report["users"]}
    assert users == {"alice": (2, 0), "(anonymous)": (1, 1)}


def test_percentiles_are_right_to_within_five_per_cent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [entry(ms=float(ms)) for ms in range(1, 1001)]
    times = told(capsys, log(tmp_path / "a.log", *entries))["times"]
    assert times["p50_ms"] == pytest.approx(500, rel=0.05)
    assert times["p95_ms"] == pytest.approx(950, rel=0.05)


@pytest.mark.parametrize("pack", [gzip.open, bz2.open, lzma.open])
def test_packed_logs_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pack: Any
) -> None:
    with pack(tmp_path / "a.log.1", "wt") as stream:
        stream.write(json.dumps(entry()) + "\n")
    assert told(capsys, tmp_path / "a.log.1")["requests"] == 1


def test_a_dash_is_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with log(tmp_path / "a.log", entry()).open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert told(capsys, "-")["requests"] == 1


def test_rotated_logs_beside_a_log_are_read_oldest_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log(tmp_path / "a.log", entry(request_id="3"))
    log(tmp_path / "a.log.1", entry(request_id="2"))
    with gzip.open(tmp_path / "a.log.2.gz", "wt") as stream:
        stream.write(json.dumps(entry(request_id="1")) + "\n")
    os.utime(tmp_path / "a.log.1", (2, 2))
    os.utime(tmp_path / "a.log.2.gz", (1, 1))
    log(tmp_path / "another.log", entry())
    report = told(capsys, tmp_path / "a.log", "--rotated")
    assert [one["request_id"] for one in report["slow"]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("line", "broken", "other"),
    [
        ('{"time": "2026-01-01T12:00:00.0', 1, 0),
        ('{"status": 200, "user": "\\ud800"}', 1, 0),
        ('{"a": 1} {"b": 2}', 1, 0),
        ("Server: Request finished in 3 ms", 0, 1),
        ('{"level": "debug", "message": "of another program"}', 0, 1),
        ("[1, 2]", 0, 1),
        ("", 0, 0),
    ],
)
def test_what_is_no_entry_is_counted_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, broken: int, other: int
) -> None:
    report = told(capsys, log(tmp_path / "a.log", entry(), line, entry()))
    assert (report["requests"], report["broken"], report["other"]) == (2, broken, other)


def test_a_line_that_never_ends_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(capsys, log(tmp_path / "a.log", '{"a": "' + "x" * 3_000_000, entry()))
    assert report["requests"] == 1
    assert report["broken"] >= 1


@pytest.mark.parametrize(
    "wrapped",
    [
        "Jan  1 12:00:00 host access_filter[7]: " + json.dumps(entry()),
        json.dumps({"log": json.dumps(entry()) + "\n", "stream": "stderr"}),
        json.dumps({"MESSAGE": json.dumps(entry()), "_PID": "7"}),
    ],
)
def test_lines_that_syslog_docker_or_journald_wrapped_are_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrapped: str
) -> None:
    assert told(capsys, log(tmp_path / "a.log", wrapped))["users"][0]["user"] == "alice"


@pytest.mark.parametrize(
    "strange",
    [
        {"status": "x", "ms": [], "time": 5, "layers": "a", "decision": "b", "user": {}},
        {"status": None, "ms": None, "bytes": None, "layer_ms": {"a": "x"}, "layers": [1, None]},
        {"status": 1e400, "ms": -1e400, "error": [], "decision": {"effect": 1, "rules": {}}},
        {"status": True, "ms": -5},
    ],
)
def test_members_of_a_wrong_type_count_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strange: dict[str, Any]
) -> None:
    path = tmp_path / "a.log"
    path.write_text(json.dumps(strange).replace("Infinity", "1e400") + "\n")
    assert run([str(path)]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("cut", "end"), [(1000, b""), (0, gzip.compress(b"x")[:10] + b"\x07" * 20)]
)
def test_a_damaged_gzip_file_is_read_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: int, end: bytes
) -> None:
    lines = [json.dumps(entry(n=n, ms=n**2 % 977)).encode() + b"\n" for n in range(20_000)]
    whole = gzip.compress(b"".join(lines))
    (tmp_path / "a.gz").write_bytes(whole[: len(whole) - cut] + end)
    report = told(capsys, tmp_path / "a.gz", code=2)
    assert report["requests"] > 100
    assert "a.gz" in report["unreadable"][0]


def test_a_missing_file_is_told_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log(tmp_path / "a.log", entry())
    assert run([str(tmp_path / "missing.log"), str(path)]) == 2
    printed = capsys.readouterr()
    assert "No such file" in printed.err
    assert printed.out.startswith("1 requests")


def test_a_choice_by_time_project_and_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log(
        tmp_path / "a.log",
        entry(time="2026-01-01T00:00:00.000Z"),
        entry(time="2026-01-02T00:00:00.000Z"),
        entry(time="2026-01-03T00:00:00.000Z", user="bob", project="/data/other.qgs"),
    )
    assert told(capsys, path, "--since", "2026-01-02")["requests"] == 2
    assert told(capsys, path, "--until", "2026-01-02T01:00:00+01:00")["requests"] == 1
    assert told(capsys, path, "--project", "other")["requests"] == 1
    assert told(capsys, path, "--user", "bob")["requests"] == 1


@pytest.mark.parametrize("option", [["--since", "yesterday"], ["--top", "0"], []])
def test_wrong_options_are_an_error(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(option if not option else [*option, "a.log"])
    assert "usage" in capsys.readouterr().err


def test_the_tables_show_every_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(log(tmp_path / "a.log", entry(), REFUSED, FAILED, "noise"))]) == 0
    printed = capsys.readouterr().out
    for words in ("Slowest", "Requests by", "Layers by", "Refusals", "Errors", "Users"):
        assert f"\n{words}" in printed
    for words in ("no-salaries", "ServerException", "alice", "1 lines of other programs"):
        assert words in printed


def test_nothing_in_a_log_reaches_the_terminal_as_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[2J\x9b\u202e\n"
    forged = entry(user=evil, layers=[evil], error={"code": evil, "text": evil}, request=evil)
    forged["decision"] = {"effect": "deny", "rules": [evil]}
    run([str(log(tmp_path / "a.log", forged))])
    printed = capsys.readouterr().out
    assert all(line.isprintable() for line in printed.split("\n"))


def test_an_empty_log_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(log(tmp_path / "a.log"))]) == 0
    assert capsys.readouterr().out.startswith("0 requests")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def bar(path: Path, stream: io.StringIO) -> str:
    progress = Progress([str(path)], stream)
    with path.open("rb") as raw:
        for line in raw:
            progress.at(raw, len(line))
    progress.finish_file()
    progress.done()
    return stream.getvalue()


def test_a_terminal_sees_a_bar_on_long_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_analysis_progress, "LONG_BYTES", 1000)
    path = tmp_path / "a.log"
    path.write_bytes(b"x\n" * 10_000)
    assert "[#" in bar(path, Terminal())
    assert bar(path, io.StringIO()) == ""


def test_short_input_has_no_bar(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"x\n" * 10_000)
    assert bar(path, Terminal()) == ""


def test_memory_does_not_grow_with_the_number_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_analysis_report, "MAX_NAMES", 100)
    report = Report(top=1)
    for number in range(110):
        report.add({"status": 200, "user": f"u{number}"})
    assert len(report.users) == 101
    assert report.users[(THE_REST,)].times.count == 10
