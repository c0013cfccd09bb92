"""How the tests are shared out among the workers of ``-n``: in units that keep together what shares a fixture, the
longest first, so that no worker still runs one when the others have nothing left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

EACH_TEST = (
    "tests/test_examples.py",
    "tests/test_readme.py",
    "tests/schedule/test_nights.py",
    "tests/cli/test_serve.py",
    "tests/server/mcp/test_stdio.py",
    "tests/coding_agents/test_hooks.py",
)
"""Long modules whose tests share nothing that is costly: every test is a unit."""
EACH_PARAMETER = ("tests/dreaming/test_families.py",)
"""Long modules with one costly fixture for each parameter: its tests are a unit."""
LONGEST = (
    "tests/test_promises.py",
    "tests/dreaming/test_reader_night.py",
    "tests/dreaming/test_cycle.py",
    "tests/models/huggingface/test_model.py::TestFamily",
    "tests/models/huggingface/test_microbatch.py",
    "tests/dreaming/test_crash_dream.py",
    "tests/training/test_trainer.py",
    "tests/jobs/test_dream_jobs.py",
    "tests/stores/ledger/test_sql.py",
    "tests/coding_agents/test_hooks.py",
    "tests/test_wheel.py",
    "tests/server/test_schema.py",
    "tests/models/huggingface/test_hub.py",
    "tests/models/huggingface/test_trainable.py",
    "tests/models/smollm2/test_commands.py",
    "tests/evaluation/suites/test_training.py",
    "tests/evaluation/suites/test_serve.py",
    "tests/cli/test_schedule.py",
    "tests/evaluation/demo/test_run.py",
    "tests/maintenance/test_provenance.py",
    "tests/models/huggingface/test_control_tokens.py",
    "tests/stores/index/test_chroma.py",
    "tests/server/mcp/test_http.py",
    "tests/server/test_limits.py",
    "tests/lab/test_documents.py",
    "tests/schedule/test_nights.py",
    "tests/server/mcp/test_stdio.py",
    "tests/test_examples.py",
    "tests/dreaming/test_families.py",
    "tests/test_readme.py",
    "tests/lab/test_train.py",
    "tests/cli/test_serve.py",
    "tests/test_bad_input.py",
)
"""Beginnings of the names of the units that take longest, in this order; an order that is no longer right costs time
alone."""


def unit_of(nodeid: str) -> str:
    """The unit that a test belongs to; its tests run one after the other on one worker."""
    module, _, test = nodeid.partition("::")
    if module in EACH_TEST:
        return nodeid
    if module in EACH_PARAMETER:
        return f"{module}{test[test.find('[') :]}"
    return nodeid.rsplit("::", 1)[0]


def longest_first(items: list[pytest.Item]) -> None:
    """Sort `items` by their units: those of `LONGEST`, then those of many tests."""
    sizes = Counter(unit_of(item.nodeid) for item in items)
    first_seen = {unit: place for place, unit in enumerate(sizes)}

    def rank(item: pytest.Item) -> tuple[int, int, int]:
        unit = unit_of(item.nodeid)
        place = next((number for number, start in enumerate(LONGEST) if unit.startswith(start)), len(LONGEST))
        return place, -sizes[unit], first_seen[unit]

    items.sort(key=rank)


class UnitScheduling(LoadScopeScheduling):
    """xdist's ``--dist loadscope``, with `unit_of` for a scope."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
