"""Procedures as memories: counted, recalled, and gone with what they came from."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode
from hybridmem.memory import HybridMemory
from hybridmem.skills.memory_kind import RELATIONS
from tests.skills.conftest import Clock, opened
from tests.skills.sessions import deployed, session, tools_of


def requests(memory: HybridMemory, words: str) -> list[Episode]:
    found = memory.ledger.episodes(memory.namespace)
    return [each for each in found if each.role == "user" and each.text.startswith(words)]


def test_equal_runs_are_one_skill_with_counts(memory: HybridMemory) -> None:
    assert memory.learn_skills(deployed("alpha")).runs == 1
    memory.learn_skills(deployed("beta", word="Thanks, that worked!"))
    memory.learn_skills(deployed("gamma", ok=False))
    (skill,) = memory.skills()
    assert (skill.task, skill.successes, skill.failures, skill.unknown) == ("Deploy {service}", 2, 1, 0)
    assert skill.known_by == {"the error flag": 2, "the user's word": 1}
    assert skill.episodes == tuple(each.id for each in requests(memory, "Deploy"))
    assert len(skill.facts) == 3


def test_it_is_recalled_with_the_values_of_the_task(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    (skill,) = memory.skills("deploy delta")
    assert skill.same_task and skill.relevance == 1.0
    assert [step.arguments for step in skill.steps] == [{"service": "delta"}, {"service": "delta"}]
    (alike,) = memory.skills("Deploy the shop", min_score=0.3)
    assert not alike.same_task and alike.relevance < 1
    assert memory.skills("Water the plants") == []


def test_the_same_task_comes_before_one_that_is_alike(memory: HybridMemory) -> None:
    memory.learn_skills(session("Deploy alpha twice", ("copy", {"service": "alpha"}, "", False)))
    memory.learn_skills(deployed("alpha"))
    found = memory.skills("Deploy beta", min_score=0.1)
    assert [each.same_task for each in found] == [True, False]
    assert len(memory.skills("Deploy beta", min_score=0.1, limit=1)) == 1


def test_what_failed_each_time_lately_is_not_recommended(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.learn_skills(deployed("alpha", ok=False))
    assert memory.skills("Deploy alpha")[0].recommended
    memory.learn_skills(deployed("alpha", ok=False))
    assert memory.skills("Deploy alpha") == [] == memory.skills()
    (skill,) = memory.skills("Deploy alpha", failed=True)
    assert not skill.recommended and (skill.successes, skill.failures) == (1, 2)
    memory.learn_skills(deployed("alpha"))
    assert memory.skills("Deploy alpha")[0].recommended


def test_what_never_worked_is_not_recommended(memory: HybridMemory) -> None:
    memory.learn_skills(session("Look at x", ("look", {}, "words", None)))
    assert memory.skills() == []
    (skill,) = memory.skills(failed=True)
    assert (skill.successes, skill.failures, skill.unknown) == (0, 0, 1)


def test_a_procedure_that_breaks_off_on_the_way_has_failed(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    broken = [("build", {"service": "beta"}, "", False), ("deploy", {"service": "beta"}, "Exit code: 3", None)]
    memory.learn_skills(session("Deploy beta", *broken, ("ship", {"service": "beta"}, "", False)))
    known = {tuple(tools_of(each.steps)): each for each in memory.skills(failed=True)}
    old, new = known["build", "deploy"], known["build", "ship"]
    assert (old.successes, old.failures, old.known_by["the exit code"]) == (1, 1, 1)
    assert (new.successes, new.failures) == (1, 0)


def test_a_failure_counts_once(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.learn_skills(deployed("beta", ok=False))
    (skill,) = memory.skills(failed=True)
    assert (skill.successes, skill.failures) == (1, 1)


def test_it_goes_with_the_requests_behind_it(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.learn_skills(deployed("beta"))
    first, second = requests(memory, "Deploy")
    (kept,) = memory.skills()
    assert memory.delete(first.id).facts == ()
    assert memory.skills()[0].successes == 1
    assert memory.delete(second.id).facts == kept.facts
    assert memory.skills(failed=True) == [] == memory.skills("Deploy gamma", failed=True)
    assert not any("deploy" in text for _, text in memory.ledger.texts(memory.namespace))


def test_an_expired_request_no_longer_counts(memory: HybridMemory, clock: Clock) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.learn_skills(deployed("beta"))
    first, second = requests(memory, "Deploy")
    memory.update(first.id, expires_at=clock.now + timedelta(days=1))
    memory.update(second.id, expires_at=clock.now + timedelta(days=2))
    clock.now += timedelta(days=1)
    assert memory.skills()[0].successes == 1
    clock.now += timedelta(days=1)
    assert memory.skills(failed=True) == []


def test_a_quarantined_request_takes_it_aside(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    (request,) = requests(memory, "Deploy")
    memory.quarantine(request.id)
    assert memory.skills() == []
    memory.release(request.id)
    assert len(memory.skills()) == 1


def test_a_request_in_other_words_is_another_task(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.update(requests(memory, "Deploy")[0].id, "Water the plants")
    assert memory.skills(failed=True) == []


def test_what_somebody_edits_is_no_procedure_any_more(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    (fact,) = memory.skills()[0].facts
    memory.update(fact, metadata={"skill_steps": [{"tool": "drop", "arguments": {}}]})
    assert memory.skills(failed=True) == []


def test_nothing_crosses_a_namespace(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha"))
    assert memory.at(("users", "bo")).skills() == []


def test_it_is_a_tools_word_and_no_part_of_a_profile(memory: HybridMemory, tmp_path: Path) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.add_fact("Ana", "lives in", "Porto")
    facts = [each for each in memory.ledger.facts(memory.namespace) if each.relation in RELATIONS]
    assert {each.trust for each in facts} == {"tool"}
    assert [line.text for line in memory.profile().lines] == ["Ana lives in Porto."]
    assert len(memory.agents_md(tmp_path / "AGENTS.md").facts) == 1


def test_a_plain_search_finds_it_with_how_it_ended(memory: HybridMemory) -> None:
    memory.learn_skills(deployed("alpha", ok=False))
    (hit,) = memory.search("deploy", kinds=("fact",))
    assert hit.text.startswith('Steps that failed for "Deploy {service}" (known by the error flag)')


def test_secrets_stay_out_whatever_the_memory_keeps(memory: HybridMemory) -> None:
    arguments = {"password": "Tr0ub4dor&3", "url": "https://x.example/?api_key=sk-proj-abcdefghijklmnopqrst0123456789"}
    memory.learn_skills(session("Log in, the password is Tr0ub4dor&3", ("login", arguments, "", False)))
    (skill,) = memory.skills()
    fact = memory.get(skill.facts[0])
    for kept in (skill.text, fact.text, json.dumps(dict(fact.metadata))):
        assert "Tr0ub4dor" not in kept and "sk-proj" not in kept


def test_it_travels_with_an_export(memory: HybridMemory, tmp_path: Path) -> None:
    memory.learn_skills(deployed("alpha"))
    memory.learn_skills(deployed("beta", ok=False))
    memory.export(tmp_path / "out.jsonl")
    with opened(tmp_path / "n", memory.clock) as other:
        other.import_(tmp_path / "out.jsonl")
        assert other.skills(failed=True) == memory.skills(failed=True)
        assert other.skills("Deploy delta") == memory.skills("Deploy delta")


def test_a_session_without_words_teaches_nothing(memory: HybridMemory) -> None:
    for messages in ([], [{"role": "tool", "content": None}], deployed("alpha")[1:2]):
        assert memory.learn_skills(messages).runs == 0
    assert memory.list() == []


@pytest.mark.parametrize("messages", ["Hi", b"Hi", 3, None])
def test_what_is_no_session_is_refused(memory: HybridMemory, messages: Any) -> None:
    with pytest.raises(InvalidInput):
        memory.learn_skills(messages)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        memory.skills("x", min_score=2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["alpha", "beta"]), st.booleans()), min_size=1, max_size=6), st.data())
def test_the_counts_are_those_of_the_requests_that_are_there(
    memory: HybridMemory, lived: list[tuple[str, bool]], data: st.DataObject
) -> None:
    own = memory.at(("users", str(id(lived))))
    for service, ok in lived:
        own.learn_skills(deployed(service, ok=ok))
    asked = requests(own, "Deploy")
    gone = data.draw(st.sets(st.sampled_from(range(len(asked)))))
    for number in gone:
        own.delete(asked[number].id)
    left = [ok for number, (_, ok) in enumerate(lived) if number not in gone]
    found = own.skills(failed=True)
    assert [(each.successes, each.failures) for each in found] == ([(sum(left), len(left) - sum(left))] if left else [])
    if left:
        assert found[0].recommended == any(left[-2:])
