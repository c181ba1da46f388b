"""Colours on a terminal only, and one exit code for one meaning."""

from __future__ import annotations

import io
import sys

import pytest

from access_filter_plugin.command_line import output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert output.paint("closed", output.RED) == "\033[31mclosed\033[0m"


def test_a_terminal_gets_none_where_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert output.paint("closed", output.RED) == "closed"


def test_a_pipe_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert output.paint("closed", output.RED) == "closed"
