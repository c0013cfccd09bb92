"""Every test is in exactly one unit, and the lists of long modules name modules that exist."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.distribution import EACH_PARAMETER, EACH_TEST, LONGEST, longest_first, unit_of

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "module", sorted({name.partition("::")[0] for name in (*EACH_TEST, *EACH_PARAMETER, *LONGEST)})
)
def test_the_long_modules_exist(module: str) -> None:
    assert (ROOT / module).is_file()


def test_a_unit_is_a_module_a_class_a_test_or_a_parameter() -> None:
    assert unit_of("tests/test_memory.py::test_it[a]") == "tests/test_memory.py"
    assert unit_of("tests/test_memory.py::TestIt::test_it") == "tests/test_memory.py::TestIt"
    assert unit_of("tests/test_examples.py::test_runs[a]") == "tests/test_examples.py::test_runs[a]"
    assert unit_of("tests/dreaming/test_families.py::test_it[llama]") == "tests/dreaming/test_families.py[llama]"
    assert unit_of("tests/dreaming/test_families.py::test_that[llama]") == "tests/dreaming/test_families.py[llama]"


def test_long_units_come_first_and_stay_together() -> None:
    names = [
        "tests/a.py::test_1",
        "tests/b.py::test_1",
        "tests/b.py::test_2",
        "tests/test_examples.py::test_runs[01]",
        "tests/dreaming/test_crash_dream.py::test_1",
        "tests/test_promises.py::test_1",
        "tests/b.py::TestIt::test_1",
        "tests/test_promises.py::test_2",
    ]
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in names]
    longest_first(items)
    assert [item.nodeid for item in items] == [
        "tests/test_promises.py::test_1",
        "tests/test_promises.py::test_2",
        "tests/dreaming/test_crash_dream.py::test_1",
        "tests/test_examples.py::test_runs[01]",
        "tests/b.py::test_1",
        "tests/b.py::test_2",
        "tests/a.py::test_1",
        "tests/b.py::TestIt::test_1",
    ]
