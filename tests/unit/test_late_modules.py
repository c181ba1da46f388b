"""Modules of others are loaded by their first use, each time in a Python that has none of them."""

from __future__ import annotations

import html
import subprocess
import sys
from pathlib import Path

import pytest

from access_filter_plugin.late_modules import unescape

ROOT = Path(__file__).resolve().parents[2]


def run(program: str) -> str:
    text = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (
            "from access_filter_plugin.access_control.redaction.xml import parse as use\n"
            "text = '<a/>'",
            "lxml.etree",
        ),
        ("from access_filter_plugin.late_modules import unescape as use\ntext = '&lt;'", "html"),
        ("from access_filter_plugin.json_codec import dumps as use\ntext = '<'", "orjson"),
        (
            "from access_filter_plugin.feature_info.attachments import media_type as use\n"
            "text = 'https://example.org/a.tiff'",
            "mimetypes",
        ),
    ],
)
def test_a_module_is_loaded_by_its_first_use(program: str, name: str) -> None:
    loaded = f"{name!r} in sys.modules"
    assert run(f"{program}\nprint({loaded})\nuse(text)\nprint({loaded})").split() == [
        *("False", "True")
    ]


@pytest.mark.parametrize(
    "text", ["", "plain", "a & b", "&lt;&#39;&eacute;&amp;amp;", "&notit;", "<"]
)
def test_references_become_what_html_makes_of_them(text: str) -> None:
    assert unescape(text) == html.unescape(text)


def test_a_json_without_orjson_says_so_before_it_is_used() -> None:
    found = run(
        "sys.modules['orjson'] = None\n"
        "from access_filter_plugin.json_codec import CODEC, dumps, loads\n"
        "print(CODEC.backend, dumps({'a': [1, 'é']}).decode(), loads(b'[2]'))"
    )
    assert found == 'json {"a":[1,"é"]} [2]'
