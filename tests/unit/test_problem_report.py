"""What is told of problems in the log."""

from __future__ import annotations

from access_filter_plugin.problem_report import MAX_LINES, problem_lines
from access_filter_plugin.strict_json import Problem, Severity


def test_every_problem_of_a_severity_is_a_line() -> None:
    problems = [Problem("a", "x"), Problem("b", "y", Severity.WARNING), Problem("c", "z")]
    assert problem_lines(problems, Severity.ERROR) == "a: x\nc: z"
    assert problem_lines(problems, Severity.WARNING) == "b: y"


def test_a_hostile_number_of_problems_is_counted() -> None:
    lines = problem_lines((Problem(str(i), "x") for i in range(50_000)), Severity.ERROR).split("\n")
    assert (len(lines), lines[-1]) == (MAX_LINES + 1, f"and {50_000 - MAX_LINES} more")


def test_no_text_of_a_variable_makes_a_line_of_its_own() -> None:
    hostile = Problem("access_rules.a\n2026 all is well\x1b[2J", "unknown key")
    assert str(hostile) == "access_rules.a\\n2026 all is well\\x1b[2J: unknown key"
