"""Memory folders to look into: a large one for the figures, and nights that were never dreamt.

``python -m tests.inspector.worlds FOLDER [EPISODES]`` makes one and says how long it took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from hybridmem.core.records import AdapterRecord, Audit, Check, DreamReport, Episode, Fact, Step
from hybridmem.evaluation.memory_jobs.vocabulary import FIRST_NAMES, LAST_NAMES
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import ADAPTER_FILE, FakeModel

NAMESPACE = ("users", "ana")
FIRST_DAY = datetime(2024, 3, 1, 8, tzinfo=UTC)
DAYS = 730
TURNS = 20
"""Turns of a session."""
FACT_EVERY = 20
"""One fact for so many episodes."""

_PLACES = ("Lisbon", "Porto", "Oslo", "Riga", "Kyoto", "Quito", "Accra", "Lima", "Turin", "Ghent", "Bergen", "Cork")
_THINGS = ("a ferret", "a kayak", "a violin", "a greenhouse", "a beehive", "an old Volvo", "a telescope")
_DAYS_OF_WORK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "the weekend", "the holidays")
_OPENINGS = (
    "{a} told me that",
    "On {day} I heard that",
    "You will laugh:",
    "By the way,",
    "I forgot to say that",
    "As it turns out,",
    "My sister swears that",
    "Between us,",
    "After the meeting at {hour} it was clear that",
)
_EVENTS = (
    "{b} is moving to {place} with {c}",
    "{b} sold {thing} for {price} euros",
    "the flat in {place} costs {price} a month now",
    "{b} and {c} want to open a bakery in {place}",
    "{c} has been learning to look after {thing} since {day}",
    "the train to {place} was {price} minutes late",
    "nobody has seen {thing} since {b} left {place}",
    "{b} baked {price} rolls for the party of {c}",
    "the roof over {thing} leaks again",
    "{c} wrote a letter of {price} pages about {place}",
)
_ENDINGS = (
    "and honestly I am glad.",
    "which surprised everyone at the table.",
    "so dinner was late and the rice was burnt.",
    "but the last word is not spoken yet.",
    "and {c} only shrugged.",
    "so remind me to call before {day}.",
    "just as it began to rain.",
    "and that is why I need the other key.",
    "though I would not bet {price} euros on it.",
    "and the neighbours still talk about it.",
)
_RELATIONS = (("lives in", _PLACES), ("keeps", _THINGS), ("grew up in", _PLACES), ("wants", _THINGS))


def large(folder: Path, episodes: int, *, nights: int = 30, seed: int = 7) -> None:
    """A memory of two years: `episodes` turns in sessions, a fact for every twentieth, `nights`, indexes caught up."""
    rng = Random(seed)
    people = [f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}" for _ in range(3000)]
    with HybridMemory.open(folder, namespace=NAMESPACE, model=FakeModel(), embedder="hashing") as memory:
        batch: list[Episode] = []
        facts: list[Fact] = []
        for episode in _episodes(rng, people, episodes):
            batch.append(episode)
            if len(batch) == 1000:
                facts += _told(memory, rng, people, memory.ledger.append(batch))
                batch = []
        facts += _told(memory, rng, people, memory.ledger.append(batch))
        dream(memory, facts, nights)
        memory.catch_up()


SCRIPT = "<script>window.broken = true</script><img src=x onerror='window.broken = true'>"


def add_script(memory: HybridMemory) -> None:
    """One more memory, the latest of all, that wants to be a script."""
    at = FIRST_DAY + timedelta(days=DAYS + 1)
    memory.ledger.append([Episode("ep_script", memory.namespace, f"Somebody wrote {SCRIPT} to me.", at=at)])
    memory.catch_up()


SCRIPT_STEP = "<script>window.broken = true</script>"


def add_skills(memory: HybridMemory) -> None:
    """One that worked twice, one that failed, and one whose task and steps want to be scripts."""
    for service, ok in (("alpha", True), ("beta", True), ("gamma", False)):
        task = "Deploy {} to staging" if ok else "Restart {} at night"
        calls = (("build", {"service": service}), ("push", {"env": "staging", "force": ok}))
        memory.learn_skills(_session(task.format(service), calls, ok), session=service)
    memory.learn_skills(_session(f"Show {SCRIPT_STEP}", (("run", {"code": SCRIPT_STEP}),), True), session="script")


def _session(task: str, calls: Sequence[tuple[str, dict[str, object]]], ok: bool) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = [{"role": "user", "content": task}]
    for number, (tool, arguments) in enumerate(calls):
        asked = {"type": "tool_use", "id": f"c{number}", "name": tool, "input": arguments}
        ended = {"type": "tool_result", "tool_use_id": f"c{number}", "content": "", "is_error": not ok}
        messages += [{"role": "assistant", "content": [asked]}, {"role": "user", "content": [ended]}]
    return messages


def small(folder: Path) -> HybridMemory:
    """An open memory of a few days with three nights: one memory holds a script, one is quarantined, and a second
    namespace has a word of its own."""
    memory = HybridMemory.open(folder, namespace=NAMESPACE, model=FakeModel(), embedder="hashing")
    said = [
        Episode(
            f"ep_{number}",
            NAMESPACE,
            text,
            speaker="Ana",
            session="s1",
            at=FIRST_DAY + timedelta(days=number // 3),
            metadata={"channel": "chat"},
        )
        for number, text in enumerate(
            (
                "I moved from Porto to Lisbon with Ben Okafor.",
                "Ben Okafor keeps a ferret that is called Biscuit.",
                "I keep bees in Lisbon.",
                f"Somebody wrote {SCRIPT} to me.",
                "My bank is in Oslo.",
                "Nothing much happened, it rained.",
            )
        )
    ]
    memory.ledger.append(said)
    facts = [
        memory.ledger.put_fact(
            Fact(f"fa_{n}", NAMESPACE, subject, relation, value, f"{subject} {relation} {value}.", at, sources=sources)
        )
        for n, (subject, relation, value, at, sources) in enumerate(
            (
                ("Ana", "lives in", "Porto", FIRST_DAY - timedelta(days=9), ()),
                ("Ana", "lives in", "Lisbon", FIRST_DAY, ("ep_0",)),
                ("Ben Okafor", "keeps", "a ferret", FIRST_DAY, ("ep_1",)),
            )
        )
    ]
    dream(memory, facts, 3)
    memory.quarantine("ep_4")
    memory.at("users/ben").add("Ben whispers xylophone.")
    memory.catch_up()
    return memory


def dream(memory: HybridMemory, facts: Sequence[Fact], nights: int) -> None:
    """`nights` as if they had been dreamt: reports, adapters with files and parents, audits; every seventh rejected."""
    parent: str | None = None
    held: list[Fact] = []
    rng = Random(nights)
    for night in range(1, nights + 1):
        new = facts[(night - 1) * len(facts) // nights : night * len(facts) // nights]
        passed = night % 7 != 0
        at = FIRST_DAY + timedelta(days=night * DAYS // nights, hours=19)
        candidate = memory.folder.dreams / "candidate"
        candidate.mkdir(parents=True)
        answers = {
            f"Where does {fact.subject} live?": fact.object for fact in [*held, *new] if fact.relation == "lives in"
        }
        (candidate / ADAPTER_FILE).write_text(json.dumps(answers), encoding="utf-8")
        record = AdapterRecord(
            version="",
            namespace=memory.namespace,
            base="fake",
            base_sha256=FakeModel().sha256,
            parent=parent,
            status="candidate" if passed else "rejected",
            created_at=at,
            dream=f"dream-{night}",
            facts=tuple(fact.id for fact in [*held, *new]),
            scores={"recall": 0.9 + night % 3 / 30, "retention": 0.95 - night / 1000, "drift": 0.02 + night / 2000},
        )
        version = memory.adapters.register(candidate, record).version
        memory.ledger.save_audits(memory.namespace, [Audit(version, f.id, "dev", 4, 3 + night % 2) for f in new])
        memory.ledger.save_dream(
            DreamReport(
                id=f"dream-{night}",
                namespace=memory.namespace,
                status="promoted" if passed else "rejected",
                night=night,
                started_at=at,
                seconds=61.5 + night,
                adapter=version,
                parent=parent,
                new_facts=len(new),
                held_facts=len(held) + len(new),
                left_to_retrieval=tuple(fact.id for fact in new[:1]),
                steps=(
                    Step("extract", 4.2, 1800, {"episodes": 40, "facts": len(new)}),
                    Step("train", 50.1, 91000, {"steps": 150}),
                    Step("gate", 6.4, 2100, {"questions": 96}),
                ),
                gate=(
                    Check("learned", 0.93, 0.7, True),
                    Check("forgetting", 0.02 if passed else 0.31, 0.1, passed),
                    Check("drift", 0.03, 0.1, True),
                ),
                test={"recall": 0.91, "retention": 0.94, "false_answers": 0.06},
                retention=tuple(max(0.0, 1 - rng.random() * (night - j) / 60) for j in range(1, night + 1)),
                trained_tokens=91000,
                peak_memory_mb=812.0,
                reason="" if passed else "forgetting 0.31 is above 0.10",
            )
        )
        if passed:
            memory.adapters.promote(version)
            parent, held = version, [*held, *new]


def _episodes(rng: Random, people: Sequence[str], count: int) -> Iterator[Episode]:
    for number in range(count):
        if number % TURNS == 0:
            session = number // TURNS
            a, b, c = rng.sample(people, 3)
            start = FIRST_DAY + timedelta(days=number * DAYS // count, hours=rng.randrange(12))
        turn = number % TURNS
        said = " ".join(rng.choice(part) for part in (_OPENINGS, _EVENTS, _ENDINGS))
        text = said.format(
            a=a,
            b=b,
            c=c,
            place=rng.choice(_PLACES),
            thing=rng.choice(_THINGS),
            day=rng.choice(_DAYS_OF_WORK),
            hour=f"{rng.randrange(7, 20)}:{rng.choice((15, 30, 45))}",
            price=rng.randrange(3, 900),
        )
        yield Episode(
            id=f"ep_{number:07d}",
            namespace=NAMESPACE,
            text=text,
            role="user" if turn % 2 == 0 else "assistant",
            speaker=a if turn % 2 == 0 else b,
            session=f"session-{session}",
            at=start + timedelta(minutes=turn),
            recorded_at=start + timedelta(minutes=turn),
            source="synthetic",
        )


def _told(memory: HybridMemory, rng: Random, people: Sequence[str], said: Sequence[Episode]) -> list[Fact]:
    """Facts out of every twentieth of the episodes `said`; some replace an earlier value of their slot."""
    stored = []
    for episode in said[::FACT_EVERY]:
        subject = rng.choice(people)
        relation, values = rng.choice(_RELATIONS)
        value = rng.choice(values)
        stored.append(
            memory.ledger.put_fact(
                Fact(
                    id=f"fa_{episode.id[3:]}",
                    namespace=memory.namespace,
                    subject=subject,
                    relation=relation,
                    object=value,
                    text=f"{subject} {relation} {value}.",
                    valid_from=episode.at,
                    recorded_at=episode.at,
                    sources=(episode.id,),
                )
            )
        )
    return stored


if __name__ == "__main__":
    started = time.perf_counter()
    large(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
    print(f"made in {time.perf_counter() - started:.0f} s")
