"""The world of tools, the agent in it, and the twenty tasks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from hybridmem.core.skills import Skill, SkillStep
from hybridmem.evaluation.scripted_tasks.agent import exploration_order, hints, work
from hybridmem.evaluation.scripted_tasks.tasks import CLASSES, Task, measured, practised
from hybridmem.evaluation.scripted_tasks.world import DESTRUCTIVE, TOOLS, Work
from hybridmem.retrieval.shortlist import estimated_tokens

ORDER = exploration_order(TOOLS)


def skill(*tools: str) -> Skill:
    steps = tuple(SkillStep(tool, {"name": "atlas"}) for tool in tools)
    return Skill("x", steps, 1, 0, 0, {}, True, datetime(2026, 3, 1, tzinfo=UTC), True, 1.0, ("f",), ("e",))


def task(*recipe: str) -> Task:
    return Task("Mend the atlas", "atlas", recipe, "new")


def test_there_are_twenty_tasks_four_of_a_class() -> None:
    tasks = measured()
    assert Counter(each.task_class for each in tasks) == dict.fromkeys(CLASSES, 4)
    assert len({each.text for each in tasks}) == len(tasks)
    assert {tool for each in (*tasks, *practised()) for tool in each.recipe} <= set(TOOLS)


def test_what_a_class_says_of_a_task_is_true() -> None:
    before = {each.text: each.recipe for each in practised()}
    kinds = {text.replace(each.object, "{}"): each.recipe for each in practised() for text in (each.text,)}
    for each in measured():
        kind = each.text.replace(each.object, "{}")
        known = kinds.get(kind)
        assert (each.text in before and before[each.text] == each.recipe) == (each.task_class == "same")
        assert (known == each.recipe) == (each.task_class in ("same", "other object"))
        assert (known is not None and known != each.recipe) == (each.task_class == "changed")
        assert any(kind.startswith(other) for other in kinds) == (each.task_class != "new")


def test_the_right_tools_do_it_and_a_destructive_one_spoils_it() -> None:
    state = Work(("fetch", "purge"))
    assert not state.call("build").ok and not state.finished
    assert state.call("fetch").ok and state.call("purge").ok and state.finished
    spoilt = Work(("fetch", "purge"))
    spoilt.call("purge")
    assert spoilt.spoilt and not spoilt.call("fetch").ok


def test_the_agent_explores_and_tries_what_destroys_last() -> None:
    assert ORDER[-1] in DESTRUCTIVE
    trial = work(task(ORDER[2], ORDER[0]), ORDER)
    assert [tool for tool, _ in trial.calls] == [*ORDER[:3], ORDER[0]]
    assert trial.succeeded and not work(task(*[ORDER[-2]] * 3), ORDER).succeeded


def test_a_skill_is_followed_until_a_step_fails() -> None:
    right = work(task("sign", "upload"), ORDER, skill=skill("sign", "upload"))
    assert [tool for tool, _ in right.calls] == ["sign", "upload"] and right.succeeded
    broken = work(task("sign", ORDER[1]), ORDER, skill=skill("sign", "purge"))
    assert broken.calls[1][0] == "purge" and not broken.succeeded
    harmless = work(task("sign", ORDER[1]), ORDER, skill=skill("sign", "notify", "check"))
    assert [tool for tool, _ in harmless.calls] == ["sign", "notify", *ORDER[:2]] and harmless.succeeded


def test_lines_that_have_a_word_of_the_task_name_the_tools_to_try_first() -> None:
    section = "## Known\n- The atlas is mended with upload and sign.\n- A boat needs purge.\nfetch for the atlas\n"
    assert hints("Mend the atlas", section) == ("upload", "sign")
    assert hints("Paint the wall", section) == ()
    trial = work(task("upload", "sign"), ORDER, section=section)
    assert [tool for tool, _ in trial.calls] == ["upload", "upload", "sign"]


def test_every_call_pays_for_its_whole_prompt() -> None:
    bare = work(task("sign"), ("sign",))
    section = "- A boat needs purge.\n" * 40
    paid = work(task("sign"), ("sign",), section=section)
    assert paid.tokens - bare.tokens == pytest.approx(estimated_tokens(section), abs=1)


def test_its_session_ends_with_the_users_word() -> None:
    assert work(task("sign"), ORDER).messages()[-1]["content"] == "Thanks, that worked."
    assert work(task("sign"), ("upload",)).messages()[-1]["content"] == "That did not work."
