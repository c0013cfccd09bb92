"""The bounds of the public class: wrong types, numbers out of range, use after `close` and after a fork, and what an
agent waits for while its memory dreams."""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import HybridMemError, InvalidInput, StoreError
from hybridmem.core.records import MAX_METADATA
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel

Call = Callable[[HybridMemory], Any]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder="hashing") as memory:
        yield memory


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


WRONG: dict[str, tuple[Call, str]] = {
    "add a number": (lambda m: m.add(42), "content is an int"),
    "add nothing": (lambda m: m.add(None), "content is None"),
    "add bytes": (lambda m: m.add(b"Ana"), "content is a bytes"),
    "add with a UUID as session": (lambda m: m.add("x", session=uuid.uuid4()), "session is a UUID"),
    "add with a number as session": (lambda m: m.add("x", session=42), "session is an int"),
    "add without a role": (lambda m: m.add("x", role=None), "role is None"),
    "add with unknown trust": (lambda m: m.add("x", trust="king"), "no trust 'king'"),
    "add with a number as speaker": (lambda m: m.add("x", speaker=42), "speaker is an int"),
    "add with a list as metadata": (lambda m: m.add("x", metadata=[1]), "metadata is a list"),
    "add with large metadata": (lambda m: m.add("x", metadata={"a": "x" * MAX_METADATA}), "metadata has 10,000,009"),
    "a fact with large metadata": (
        lambda m: m.add_fact("Ana", "is", "x", metadata={"a": "x" * MAX_METADATA}),
        "metadata has 10,000,009",
    ),
    "add with deep metadata": (lambda m: m.add("x", metadata={"a": nested(900)}), "nested more than 64 deep"),
    "add with bottomless metadata": (lambda m: m.add("x", metadata={"a": nested(9000)}), "nested more than 64 deep"),
    "a fact with deep metadata": (lambda m: m.add_fact("a", "b", "c", metadata={"a": nested(65)}), "more than 64 deep"),
    "a fact of no number": (lambda m: m.add_fact("a", "b", float("nan")), "object is"),
    "a policy that is a list": (lambda m: m.set_policy(expire_after_days=[1]), "expire_after_days is a list"),
    "add from an empty path": (lambda m: m.add_from(""), "path is empty"),
    "export to an empty path": (lambda m: m.export(""), "path is empty"),
    "add from a number": (lambda m: m.add_from(42), "path is an int"),
    "ask why of None": (lambda m: m.why(None), "id is None"),
    "add a fact of None": (lambda m: m.add_fact("Ana", "age", None), "object is None"),
    "search for nothing": (lambda m: m.search(None), "query is None"),
    "search for a number": (lambda m: m.search(42), "query is an int"),
    "search a session of a number": (lambda m: m.search("x", session=42), "on 'session' takes a text"),
    "search with a text as limit": (lambda m: m.search("x", limit="5"), "limit is a str"),
    "search with a text as budget": (lambda m: m.search("x", token_budget="5"), "token_budget is a str"),
    "search with a kind that is a text": (lambda m: m.search("x", kinds="fact"), "kinds is a text"),
    "search with no kind": (lambda m: m.search("x", kinds=()), "kinds is empty"),
    "search with an unknown kind": (lambda m: m.search("x", kinds=("facts",)), "no kind 'facts'"),
    "answer None": (lambda m: m.answer(None), "question is None"),
    "answer by an unknown route": (lambda m: m.answer("Where?", route="weight"), "no route 'weight'"),
    "answer a text as many": (lambda m: m.answer_many("Where?"), "questions is a text"),
    "list an unknown kind": (lambda m: m.list(kind="facts"), "no kind 'facts'"),
    "list after a negative position": (lambda m: m.list(after=-5), "after is -5"),
    "list none": (lambda m: m.list(limit=0), "limit is 0"),
    "list a text": (lambda m: m.list(limit="5"), "limit is a str"),
    "update to nothing": (lambda m: m.update("ep_1", None), "there is nothing to change"),
    "get None": (lambda m: m.get(None), "id is None"),
    "delete a number": (lambda m: m.delete(42), "id is an int"),
    "dream of a number": (lambda m: m.dream(recipe=42), "recipe is an int"),
    "a namespace of a number": (lambda m: m.at(42), "the namespace is"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_type_is_one_error_that_names_the_argument(memory: HybridMemory, name: str) -> None:
    call, words = WRONG[name]
    with pytest.raises(HybridMemError) as raised:
        call(memory)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert memory.list() == []


@pytest.mark.parametrize(
    "given", [{"path": 42}, {"model": 42}, {"embedder": []}, {"vectors": 4.2}, {"reader": b"x"}, {"clock": 42}], ids=str
)
def test_a_memory_is_not_opened_with_what_can_be_no_part_of_it(tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"{next(iter(given))} is an? "):
        HybridMemory.open(**{"path": tmp_path / "memory", **given})


def test_a_number_is_taken_as_the_object_of_a_fact(memory: HybridMemory) -> None:
    assert memory.add_fact("Ana", "is aged", 42).text == "Ana is aged 42."


def test_bounds_beyond_every_number_hold(memory: HybridMemory) -> None:
    memory.add("Ana moved to Lisbon.")
    assert len(memory.list(limit=10**30)) == 1
    assert memory.list(after=10**30) == []
    assert len(memory.search("Ana", limit=10**30, token_budget=10**30)) == 1


# ---- closed and forked

USES: dict[str, Call] = {
    "add": lambda m: m.add("x"),
    "search": lambda m: m.search("x"),
    "answer": lambda m: m.answer("Where?"),
    "list": lambda m: m.list(),
    "dream": lambda m: m.dream(),
    "stats": lambda m: m.stats(),
    "another namespace": lambda m: m.at("other").search("x"),
}


@pytest.mark.parametrize("name", USES)
def test_a_closed_memory_says_that_it_is_closed(memory: HybridMemory, name: str) -> None:
    memory.add("Ana moved to Lisbon.")
    memory.search("Ana")
    memory.answer("Where does Ana live?")
    memory.close()
    with pytest.raises(StoreError, match="this memory is closed"):
        USES[name](memory)
    memory.close()


def test_a_forked_child_is_told_to_open_its_own(memory: HybridMemory) -> None:
    memory.add("Ana moved to Lisbon.")
    memory.search("Ana")
    child = os.fork()
    if child == 0:
        refused = 0
        for use in USES.values():
            try:
                use(memory)
            except StoreError as error:
                refused += "open it in the child" in str(error)
        memory.close()
        os._exit(refused)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == len(USES)
    assert memory.search("Ana")
    assert memory.add("Ana moved to Porto.")


# ---- an agent while its memory dreams


def test_a_night_holds_up_no_add_and_no_search(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a night that lasts until both are done: whatever waits for it never is."""
    from hybridmem.dreaming import runner

    woken = threading.Event()
    monkeypatch.setattr(runner, "run", lambda *_, **given: woken.wait(30))
    memory.search("Ana")

    async def live() -> bool:
        night = asyncio.create_task(memory.adream())
        await asyncio.sleep(0.05)
        async with asyncio.timeout(20):
            await memory.aadd("Ana moved to Lisbon.")
            assert (await memory.asearch("Where does Ana live?"))[0].text == "Ana moved to Lisbon."
        woken.set()
        return bool(await night)

    assert asyncio.run(live()), "the night was over first"


def test_a_model_that_loads_holds_up_no_search(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.add("Ana moved to Lisbon.")
    memory.search("Ana")
    loading, loaded = threading.Event(), threading.Event()

    def slow() -> FakeModel:
        loading.set()
        assert loaded.wait(30)
        return FakeModel()

    monkeypatch.setattr(memory.workspace.resources.model, "_make", slow)
    thread = threading.Thread(target=lambda: memory.model)
    thread.start()
    assert loading.wait(10)
    searcher = threading.Thread(target=memory.search, args=("Ana",))
    searcher.start()
    searcher.join(10)
    held_up = searcher.is_alive()
    loaded.set()
    thread.join()
    assert not held_up


def test_a_running_night_slows_an_agent_little(memory: HybridMemory) -> None:
    """The bound is generous, because a machine under test has other work; standing still for a night would break it."""
    for name, place in zip(
        ["Ana", "Rui", "Eva", "Tom", "Ida", "Max"], ["Porto", "Riga", "Oslo", "Rome", "Bern", "Graz"], strict=True
    ):
        memory.add(f"{name} lives in {place}.")
    memory.search("Ana")

    async def turn(number: int) -> float:
        started = time.perf_counter()
        await memory.aadd(f"Note {number} was written.")
        await memory.asearch("Where does Ana live?")
        return time.perf_counter() - started

    async def live() -> tuple[list[float], list[float]]:
        idle = [await turn(number) for number in range(10)]
        night, dreaming = asyncio.create_task(memory.adream()), []
        while not night.done():
            dreaming.append(await turn(len(dreaming)))
        await night
        return idle, dreaming

    idle, dreaming = asyncio.run(live())
    assert len(dreaming) >= 3, "the agent stood still"
    assert statistics.median(dreaming) < 10 * statistics.median(idle) + 0.1
