"""script/suites.py counts what happened, and nothing that went wrong passes for success."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = Path(__file__).resolve().parents[2] / "script/suites.py"


class Checkout:
    """A folder with test files of our choice, on which the runner can be let loose."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def test_file(self, name: str, source: str) -> None:
        path = self.root / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and last line."""
        command = [sys.executable, SUITES, *arguments]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.root,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        return done.returncode, done.stdout.splitlines()[-1]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert False\n"


def test_the_suites_are_summed_up(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("two/test_a.py", GOOD + BAD)
    assert checkout.run() == (1, "2 passed, 1 failed")


def test_all_good_is_success(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("two/test_a.py", GOOD)
    assert checkout.run() == (0, "2 passed, 0 failed")


def test_a_folder_without_test_files_is_left_out(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("two/data.py", "")
    assert checkout.run() == (0, "1 passed, 0 failed")


def test_no_tests_at_all_is_no_success(checkout: Checkout) -> None:
    assert checkout.run() == (1, "0 passed, 0 failed")


def test_a_folder_whose_test_files_hold_no_test_fails(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("two/test_a.py", "")
    assert checkout.run() == (1, "1 passed, 1 failed")


def test_a_process_that_aborts_fails_its_suite_and_no_other(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", "import os\ndef test_it(): os.abort()\n")
    checkout.test_file("two/test_a.py", GOOD)
    assert checkout.run() == (1, "1 passed, 1 failed")


def test_a_file_that_cannot_be_imported_fails(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", "import nothing_of_that_name\n")
    checkout.test_file("two/test_a.py", GOOD)
    assert checkout.run() == (1, "1 passed, 1 failed")


def test_a_fixture_that_fails_to_clean_up_fails(checkout: Checkout) -> None:
    fixture = "import pytest\n@pytest.fixture(autouse=True)\ndef f():\n    yield\n    assert 0\n"
    checkout.test_file("one/test_a.py", fixture + GOOD)
    assert checkout.run()[0] == 1


def test_a_choice_by_name_may_leave_a_suite_empty(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("two/test_a.py", BAD)
    assert checkout.run("-k", "good") == (0, "1 passed, 0 failed")


def test_a_folder_can_be_left_out(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("two/test_a.py", BAD)
    assert checkout.run("--without", "two,three") == (0, "1 passed, 0 failed")


def test_a_path_limits_the_run_to_it(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD)
    checkout.test_file("one/test_b.py", BAD)
    checkout.test_file("two/test_a.py", BAD)
    assert checkout.run("tests/one/test_a.py") == (0, "1 passed, 0 failed")


def test_one_test_of_a_file_can_be_chosen(checkout: Checkout) -> None:
    checkout.test_file("one/test_a.py", GOOD + BAD)
    assert checkout.run("tests/one/test_a.py::test_good") == (0, "1 passed, 0 failed")
