"""The benchmark of skills: every condition and class is measured, against the agent without memory."""

from __future__ import annotations

import pytest

from hybridmem.evaluation.scripted_tasks.tasks import CLASSES, Task, measured, practised
from hybridmem.evaluation.suites import skills


def few(tasks: list[Task]) -> list[Task]:
    """The tasks that have to do with caches and queues, and one that has not."""
    return [each for each in tasks if "cache" in each.text or "queue" in each.text or "outage" in each.text]


def test_gain_and_harm_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = few(measured())
    monkeypatch.setattr(skills, "measured", lambda: tasks)
    monkeypatch.setattr(skills, "practised", lambda: few(practised()))
    result = skills.run(orders=1, embedder="hashing")
    assert (result["tasks"], result["orders"]) == (len(tasks), 1)
    assert list(result["conditions"]) == list(skills.CONDITIONS)
    assert list(result["classes"]) == list(CLASSES)
    without, same_task = (result["conditions"][name] for name in ("without", "same-task skills"))
    assert (without["helped"], without["harmed"], without["skills_followed"]) == (0, 0, 0)
    assert same_task["skills_followed"] > 0
    for name in ("same", "other object"):
        assert result["classes"][name]["skills"]["success"] == 1.0
        assert result["classes"][name]["skills"]["calls"] == 2.0
    assert result["classes"]["changed"]["skills"]["harmed"] + result["classes"]["alike"]["skills"]["harmed"] > 0
    assert result["classes"]["new"]["skills"] == result["classes"]["new"]["without"]
    assert result["section_tokens"] > 0
    for condition in skills.CONDITIONS:
        every = [result["classes"][name][condition] for name in CLASSES]
        for figure in ("helped", "harmed", "skills_followed"):
            assert sum(each[figure] for each in every) == result["conditions"][condition][figure]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures() -> None:
    assert skills.run(orders=1, seed=3, embedder="hashing") == skills.run(orders=1, seed=3, embedder="hashing")
