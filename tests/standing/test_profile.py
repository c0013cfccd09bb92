"""The profile: what it shows, in which order, within which budget, and what is out of it at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, Fact
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.retrieval.shortlist import estimated_tokens
from hybridmem.standing import candidates, profile
from tests.standing.conftest import NOON, Clock


def texts(memory: HybridMemory, budget: int = 800) -> list[str]:
    return [line.text for line in memory.profile(budget=budget).lines]


def about(memory: HybridMemory) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"user": [], "work": []}
    for line in memory.profile().lines:
        found[line.about].append(line.text)
    return found


def stated(memory: HybridMemory, id: str, subject: str, value: str, sources: tuple[str, ...] = ()) -> Fact:
    now = memory.clock()
    text = f"{subject} likes {value}."
    fact = Fact(id, memory.namespace, subject, "likes", value, text, now, recorded_at=now, sources=sources)
    return memory.ledger.put_fact(fact, replace=False)


def test_an_empty_memory_has_an_empty_profile(memory: HybridMemory) -> None:
    known = memory.profile()
    assert (known.lines, known.text, known.tokens) == ((), "", 0)


def test_every_line_names_its_facts_and_episodes(memory: HybridMemory) -> None:
    (said,) = memory.add("I like tea.")
    stated(memory, "fa_1", "I", "tea", (said.id,))
    (line,) = memory.profile().lines
    assert (line.text, line.about, line.facts, line.episodes) == ("I likes tea.", "user", ("fa_1",), (said.id,))
    assert (line.since, line.evidence) == (NOON, 1)


def test_facts_in_the_same_words_are_one_line(memory: HybridMemory) -> None:
    (one,), (other,) = memory.add("We moved to Porto in May."), memory.add("As I said.")
    for id, question, value, source in (
        ("fa_1", "Where did I move to?", "Porto", one.id),
        ("fa_2", "When did I move to Porto?", "in May", other.id),
    ):
        memory.ledger.put_fact(
            Fact(
                id, memory.namespace, "I", "moved", value, "The user moved to Porto in May.", NOON,
                recorded_at=NOON, sources=(source,), question=question,
            )
        )  # fmt: skip
    (line,) = memory.profile().lines
    assert line.facts == ("fa_2", "fa_1")
    assert set(line.episodes) == {one.id, other.id}


def test_the_user_stands_apart_from_the_work(memory: HybridMemory) -> None:
    (signed,) = memory.add("I keep bees.", speaker="Ana Brito")
    (agents,) = memory.add("Ana Brito sings.", role="assistant", speaker="Ana Brito")
    stated(memory, "fa_1", "I", "tea")
    stated(memory, "fa_2", "the user", "salt")
    stated(memory, "fa_3", "Ana Brito", "bees", (signed.id,))
    stated(memory, "fa_4", "Ana Brito", "songs", (agents.id,))
    stated(memory, "fa_5", "Ben", "sugar")
    found = about(memory)
    assert sorted(found["user"]) == ["Ana Brito likes bees.", "I likes tea.", "the user likes salt."]
    assert sorted(found["work"]) == ["Ana Brito likes songs.", "Ben likes sugar."]
    text = memory.profile().text
    assert text.startswith("What is known of the user:\n- ")
    assert text.index("I likes tea.") < text.index("What else is known") < text.index("Ben likes sugar.")


def test_what_is_said_and_used_often_comes_first_and_fades(memory: HybridMemory, clock: Clock) -> None:
    for number in range(3):
        stated(memory, f"fa_{number}", "Ben", f"thing {number}")
    assert texts(memory) == ["Ben likes thing 2.", "Ben likes thing 1.", "Ben likes thing 0."]
    for again in ("again_1", "again_2"):
        stated(memory, again, "Ben", "thing 0")
    assert texts(memory)[0] == "Ben likes thing 0."
    # Work fades within weeks; what is known of the user stands.
    clock.pass_days(60)
    stated(memory, "fa_new", "Ben", "something new")
    assert texts(memory)[0] == "Ben likes something new."
    # Uses count from the next making on.
    memory.ledger.touch(memory.namespace, ["fa_1"] * 1, memory.clock())
    for _ in range(200):
        memory.ledger.touch(memory.namespace, ["fa_1"], memory.clock())
    profile.make(memory.workspace, memory.clock())
    assert texts(memory)[0] == "Ben likes thing 1."


def test_uses_of_the_episodes_behind_a_fact_count_too(memory: HybridMemory) -> None:
    said = [memory.add(f"Ben likes thing {number}.")[0].id for number in range(2)]
    for number, id in enumerate(said):
        stated(memory, f"fa_{number}", "Ben", f"thing {number}", (id,))
    for _ in range(5):
        memory.ledger.touch(memory.namespace, [said[0]], memory.clock())
    assert texts(memory) == ["Ben likes thing 0.", "Ben likes thing 1."]


def remove(memory: HybridMemory) -> None:
    memory.delete("fa_1")


def remove_source(memory: HybridMemory) -> None:
    memory.delete("ep_1")


def supersede(memory: HybridMemory) -> None:
    memory.add_fact("I", "live in", "Lisbon")


def quarantine(memory: HybridMemory) -> None:
    memory.quarantine("fa_1")


def let_expire(memory: HybridMemory) -> None:
    memory.update("fa_1", expires_at=NOON - timedelta(seconds=1))


def let_source_expire(memory: HybridMemory) -> None:
    memory.update("ep_1", expires_at=NOON - timedelta(seconds=1))


def reword_source(memory: HybridMemory) -> None:
    memory.update("ep_1", "I live on a boat.")


@pytest.mark.parametrize(
    "go", [remove, remove_source, supersede, quarantine, let_expire, let_source_expire, reword_source]
)
def test_what_is_gone_is_out_of_it_at_once(memory: HybridMemory, go: Callable[[HybridMemory], object]) -> None:
    memory.ledger.append([Episode("ep_1", memory.namespace, "I live in Porto.", at=NOON, recorded_at=NOON)])
    memory.ledger.put_fact(
        Fact(
            "fa_1", memory.namespace, "I", "live in", "Porto", "I live in Porto.", NOON - timedelta(days=9),
            recorded_at=NOON, sources=("ep_1",),
        )
    )  # fmt: skip
    assert texts(memory) == ["I live in Porto."]
    go(memory)
    assert "I live in Porto." not in texts(memory)


def test_the_process_keeps_no_word_of_what_was_deleted(memory: HybridMemory) -> None:
    fact = memory.add_fact("I", "like", "marzipan")
    memory.add_fact("I", "drink", "tea")
    memory.profile()
    assert "marzipan" in str(memory.workspace.resources.derived)
    memory.delete(fact.id)
    assert "marzipan" not in str(memory.workspace.resources.derived)
    assert texts(memory) == ["I drink tea."]


def test_what_is_released_or_given_its_place_back_is_in_it_again(memory: HybridMemory) -> None:
    memory.add_fact("I", "live in", "Porto", valid_from="2024-01-01")
    newer = memory.add_fact("I", "live in", "Lisbon", valid_from="2025-01-01")
    assert texts(memory) == ["I live in Lisbon."]
    memory.quarantine(newer.id)
    assert texts(memory) == ["I live in Porto."]
    memory.release(newer.id)
    memory.delete(newer.id)
    assert texts(memory) == ["I live in Porto."]


def test_a_day_brings_its_facts_and_takes_them(memory: HybridMemory, clock: Clock) -> None:
    memory.add_fact("I", "work at", "the mill", valid_from="2026-03-05", valid_to="2026-03-09")
    assert texts(memory) == []
    clock.pass_days(5)
    assert texts(memory) == ["I work at the mill."]
    clock.pass_days(5)
    assert texts(memory) == []


def test_what_tools_and_pages_say_is_not_in_it(memory: HybridMemory) -> None:
    memory.add_fact("I", "trust", "this page", trust="web")
    memory.add_fact("I", "use", "uv", trust="tool")
    memory.add_fact("I", "drink", "tea", trust="agent")
    assert texts(memory) == ["I drink tea."]


def test_secrets_are_not_in_it(memory: HybridMemory) -> None:
    memory.add_fact("I", "have the wifi password", "Tr0ub4dor&3", text="The wifi password is Tr0ub4dor&3.")
    (line,) = memory.profile().lines
    assert "Tr0ub4dor" not in line.text


@pytest.mark.parametrize("budget", [0, 1, 7, 20, 60, 200, 10_000])
def test_it_keeps_within_its_budget(memory: HybridMemory, budget: int) -> None:
    for number in range(30):
        memory.add_fact("I", f"relation {number}", "words " * (number % 5 + 1))
        memory.add_fact("Ben", f"relation {number}", "other words " * (number % 3 + 1))
    known = memory.profile(budget=budget)
    assert known.tokens == estimated_tokens(known.text) <= budget
    whole = memory.profile(budget=100_000)
    assert len(whole.lines) == 60
    if budget == 10_000:
        assert known.lines == whole.lines
    if budget == 200:
        # Half is the user's, and the work has the other half.
        sizes = [sum(line.tokens for line in known.lines if line.about == name) for name in ("user", "work")]
        assert min(sizes) > 50


def test_one_side_has_what_the_other_leaves(memory: HybridMemory) -> None:
    for number in range(30):
        memory.add_fact("I", f"relation {number}", "some words")
    assert memory.profile(budget=200).tokens > 160
    memory.add_fact("Ben", "drinks", "tea")
    assert [line.about for line in memory.profile(budget=200).lines].count("work") == 1


def test_a_line_that_is_longer_than_the_budget_hides_nothing(memory: HybridMemory) -> None:
    memory.add_fact("I", "like", "tea")
    memory.add_fact("I", "wrote", "word " * 500)
    assert texts(memory, 100) == ["I like tea."]


@pytest.mark.parametrize("wrong", [-1, "many", None, 2.5, True])
def test_a_budget_that_is_none_is_refused(memory: HybridMemory, wrong: object) -> None:
    with pytest.raises(InvalidInput, match="budget"):
        memory.profile(budget=wrong)  # type: ignore[arg-type]


def test_another_process_and_the_next_start_see_the_same(memory: HybridMemory, clock: Clock) -> None:
    memory.add_fact("I", "like", "tea")
    first = memory.profile()
    with HybridMemory.open(memory.folder.root, model=FakeModel(), embedder="hashing", clock=clock) as other:
        assert other.profile() == first
        other.add_fact("I", "like", "coffee", replace=False)
        assert texts(other) == texts(memory) == ["I like coffee.", "I like tea."]
        other.ledger.touch(other.namespace, [first.lines[0].facts[0]], clock())
        other.ledger.touch(other.namespace, [first.lines[0].facts[0]], clock())
        profile.make(other.workspace, clock())
        assert texts(other) == texts(memory) == ["I like tea.", "I like coffee."]


def test_namespaces_keep_apart(memory: HybridMemory) -> None:
    memory.add_fact("I", "like", "tea")
    other = memory.at("users/ben")
    other.add_fact("I", "like", "salt")
    assert (texts(memory), texts(other)) == (["I like tea."], ["I like salt."])


def test_the_ledger_keeps_no_text_of_it(memory: HybridMemory) -> None:
    memory.add_fact("I", "like", "marzipan")
    memory.profile()
    stored = memory.ledger.get_state(memory.namespace, candidates.Candidates)
    assert stored is not None
    assert "marzipan" not in str(stored.to_json())
    assert candidates.Candidates.from_json(stored.to_json(), 1) == stored


def test_many_changes_are_followed_and_stored(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "SAVED_AFTER", 5)
    memory.profile()
    before = memory.ledger.get_state(memory.namespace, candidates.Candidates)
    for number in range(10):
        memory.add_fact("I", f"relation {number}", "x")
    assert len(texts(memory)) == 10
    after = memory.ledger.get_state(memory.namespace, candidates.Candidates)
    assert before is not None and after is not None
    assert after.position > before.position
    assert after.made == before.made
