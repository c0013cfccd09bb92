"""A memory that keeps what it is told in a dictionary: commands are tested against it without a store or a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from hybridmem.adapters.registry import AdapterDiff
from hybridmem.core.errors import CorruptAdapter, UnknownAdapter, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.policy import MemoryPolicy
from hybridmem.core.records import (
    AdapterRecord,
    Answer,
    Check,
    DreamReport,
    Episode,
    ErasureReceipt,
    Event,
    Fact,
    Hit,
    ReviewItem,
    Step,
)
from hybridmem.core.skills import Skill, SkillStep
from hybridmem.core.standing import Block, Reflection, StandingQuestion, Statement
from hybridmem.importers import ImportReport, IntactTurns, read
from hybridmem.maintenance.agents_md import AgentsSection
from hybridmem.router.policy import Explanation, Feedback
from hybridmem.router.routing import RouteResult
from hybridmem.router.signals import Evidence
from hybridmem.skills.learning import LearnedSkills
from hybridmem.standing.blocks import Blocks
from hybridmem.standing.profile import Profile, ProfileLine
from hybridmem.stores.ledger.archive import Restored
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Steps = Callable[[str, int, int], None]


def adapter(version: str, status: Any = "retired") -> AdapterRecord:
    return AdapterRecord(version, ("default",), "bundled", "ab" * 32, None, status, NOON, "dream_1", files={"a": "b"})


class Adapters:
    def __init__(self) -> None:
        self.records = [adapter("v0001"), adapter("v0002", "active"), adapter("v0003", "rejected")]
        self.damaged: set[str] = set()

    def list(self) -> list[AdapterRecord]:
        return self.records

    def active(self) -> AdapterRecord | None:
        return next((record for record in self.records if record.status == "active"), None)

    def get(self, version: str) -> AdapterRecord:
        for record in self.records:
            if record.version == version:
                return record
        raise UnknownAdapter(f"default has no adapter {version!r}: it has v0001, v0002, v0003")

    def promote(self, version: str | None, *, force: bool = False) -> AdapterRecord | None:
        return None if version is None else replace(self.get(version), status="active")

    def rollback(self) -> AdapterRecord | None:
        return self.promote("v0001")

    def diff(self, before: str, after: str) -> AdapterDiff:
        return AdapterDiff(before, after, ("f2",), (), {"learned": (None, 0.9)})

    def export(self, version: str, destination: Path) -> Path:
        destination.mkdir()
        return destination

    def verify(self, version: str) -> AdapterRecord:
        if version in self.damaged:
            raise CorruptAdapter(f"{version}: adapter_model.safetensors is not what its card says: roll back")
        return self.get(version)


class Questions:
    """One standing question, which is answered."""

    def __init__(self, namespace: Namespace) -> None:
        said = (Statement("On the sofa.", ("ep_1",)),)
        self.kept = [StandingQuestion("sq_1", namespace, "Where is the ferret?", said, ("ep_1",), "tiny", NOON)]

    def add(self, question: str) -> StandingQuestion:
        return self.kept[0]

    def list(self) -> list[StandingQuestion]:
        return self.kept

    answers = list

    def remove(self, id: str) -> None:
        self.kept = [each for each in self.kept if each.id != id]


class HybridMemory:
    """What `hybridmem.memory.HybridMemory` promises the command line. One for each folder and namespace."""

    kept: dict[tuple[Path, Namespace], HybridMemory] = {}  # noqa: RUF012
    status: Any = "promoted"
    findings: tuple[str, ...] = ()
    unrepairable: tuple[str, ...] = ()
    raises: BaseException | None = None

    def __init__(self, folder: Path, namespace: Namespace, model: str | None) -> None:
        self.folder, self.namespace, self.model_name = folder, namespace, model
        self.embedder_name: str | None = None
        self.backends: dict[str, str | None] = {}
        self.memories: dict[str, Episode | Fact] = {}
        self.adapters = Adapters()
        self.calls: list[tuple[str, Any]] = []
        ledger = InMemoryLedger()
        ledger.put_block(namespace, Block("persona", "You are brief."), replaces=None, by="user")
        stub: Any = SimpleNamespace(ledger=ledger, namespace=namespace, clock=lambda: NOON)
        self.blocks = Blocks(stub)
        self.standing_questions = Questions(namespace)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        namespace: Namespace,
        model: str | None,
        embedder: str | None,
        vectors: str | None = None,
        reader: str | None = None,
        redact: str = "train",
    ) -> HybridMemory:
        path.mkdir(parents=True, exist_ok=True)
        (path / "memory.json").touch()
        made = cls.kept.setdefault((path.resolve(), namespace), cls(path, namespace, model))
        made.model_name, made.embedder_name = model, embedder
        made.backends = {"vectors": vectors, "reader": reader, "redact": redact}
        return made

    def __enter__(self) -> HybridMemory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def add(self, text: str, **given: Any) -> list[Episode]:
        self._fail()
        self.calls.append(("add", given))
        given = {name: value for name, value in given.items() if value is not None and name != "tags"}
        position = len(self.memories) + 1
        episode = Episode(f"ep_{position}", self.namespace, text, position=position, **given)
        self.memories[episode.id] = episode
        return [episode]

    def add_from(self, path: Path, progress: Steps | None = None, **given: Any) -> ImportReport:
        self.calls.append(("add_from", given))
        turns = IntactTurns(read(path, given["format"]))
        added = tuple(self.add(turn.text, role=turn.role)[0].id for turn in turns)
        return ImportReport(added, tuple(turns.broken))

    def search(self, query: str, **given: Any) -> list[Hit]:
        self.calls.append(("search", given))
        return [
            Hit(memory.id, memory.text, 0.5, "episode", {"dense": 0.3, "lexical": 0.2}, NOON)
            for memory in self.memories.values()
            if set(query.lower().split()) & set(memory.text.lower().split())
        ]

    def answer(self, question: str, route: Any = None, reference_date: Any = None) -> Answer:
        return Answer("Lisbon", route or "retrieval", 0.9, tuple(self.search(question)), 42, "v0002", 0.1)

    def explain(self, question: str, reference_date: Any = None) -> Explanation:
        answer = self.answer(question)
        routes: dict[Any, RouteResult] = {"retrieval": RouteResult(answer, ())}
        return Explanation(answer, "The memories say so.", answer.evidence, Evidence(), 0.6, 0.05, False, routes)

    def feedback(self, question: str, answer: str | None) -> Feedback:
        return Feedback(answer is None, 0.5, 0.6, 0.05, True)

    def reflect(self, question: str, limit: int = 20) -> Reflection:
        said = (Statement("The ferret is adopted.", ("ep_1",)),)
        return Reflection(question, said[0].text, said, tuple(self.search(question)), ("ep_1",), ("It flies.",), "tiny")

    def skills(
        self, task: str | None = None, *, limit: int = 5, min_score: float = 0.5, failed: bool = False
    ) -> list[Skill]:
        step = SkillStep("look", {"place": "the sofa"})
        return [
            Skill("Find the ferret", (step,), 2, 1, 0, {"the exit code": 3}, True, NOON, True, 1.0, ("f1",), ("ep_1",))
        ]

    def learn_skills_from(self, path: str, *, format: str = "auto") -> LearnedSkills:
        return LearnedSkills(("f1",), 2, already=1, without_source=1)

    def profile(self, budget: int = 800) -> Profile:
        line = ProfileLine("I adopted a ferret.", "user", ("fa_1",), ("ep_1",), NOON, 2, 6)
        return Profile(self.namespace, (line,), budget, NOON, NOON)

    def get(self, id: str) -> Episode | Fact:
        if id not in self.memories:
            raise UnknownMemory(f"no memory {id!r} in default: see `hybridmem list`")
        return self.memories[id]

    def list(
        self, limit: int = 50, after: int | None = None, kind: Any = None, filters: Any = None
    ) -> list[Episode | Fact]:
        return [m for m in self.memories.values() if m.position > (after or 0)][:limit]

    policy = MemoryPolicy()

    def set_policy(self, **given: Any) -> MemoryPolicy:
        self.policy = MemoryPolicy(**given)
        return self.policy

    def update(self, id: str, text: str, object: str | None = None) -> Episode | Fact:
        self.memories[id] = replace(self.get(id), text=text)
        return self.memories[id]

    def history(self, id: str) -> list[Event]:
        return [Event(id, "added", NOON, self.get(id).text)]

    def why(self, id: str) -> dict[str, Any]:
        return {"memory": self.get(id), "facts": [{"id": "fact_1", "text": "so"}], "adapters": ["v0002"], "nights": 1}

    def delete(self, id: str, copies: bool = False) -> ErasureReceipt:
        self.get(id)
        del self.memories[id]
        return ErasureReceipt(id, self.namespace, NOON, {"ledger": 1, "vectors": 1}, tainted_adapters=("v0002",))

    def review(self) -> list[ReviewItem]:
        claims = ("contradiction", "Where does Ana live? Mordor", "Ana lives in Mordor.")
        return [ReviewItem("fa_1", *claims, NOON, ("Ana lives in Mordor.",), "Ana | lives in | Lisbon", "yes", "no")]

    def quarantine(self, id: str) -> None:
        self.memories[id] = replace(self.get(id), quarantined=True)

    def release(self, id: str) -> None:
        self.memories[id] = replace(self.get(id), quarantined=False)

    def dream(self, dry_run: bool = False, recipe: str = "default", progress: Steps | None = None) -> DreamReport:
        if progress is not None:
            progress("train", 0, 10)
            progress("train", 10, 10)
        self._fail()
        passed = self.status == "promoted"
        gate = (Check("learned", 0.9 if passed else 0.1, 0.7, passed),)
        status = "estimated" if dry_run else self.status
        steps = (Step("train", 1.5, 1000, {"new": 3}),)
        return DreamReport(
            "d1", self.namespace, status, 1, NOON, 2.0, "v0002", gate=gate, steps=steps, test={"acc": 0.8}
        )

    def dreams(self) -> list[DreamReport]:
        return [self.dream()]

    def namespaces(self) -> list[Namespace]:
        here = self.folder.resolve()
        return [namespace for (folder, namespace), made in self.kept.items() if folder == here and made.memories]

    def at(self, namespace: Namespace) -> Self:
        return self

    def secrets(self) -> list[Any]:
        return [memory for memory in self.memories.values() if "password" in memory.text]

    def stats(self) -> dict[str, Any]:
        return {"ledger": {"episodes": len(self.memories), "facts": 0}, "vectors": len(self.memories)}

    def export(self, path: Path) -> int:
        return path.write_text("".join(f"{memory.text}\n" for memory in self.memories.values()), encoding="utf-8")

    def import_(self, path: Path) -> Restored:
        return Restored(sum(len(self.add(line)) for line in path.read_text(encoding="utf-8").splitlines()), 0)

    def agents_md(self, file: Path, budget: int = 800, dry_run: bool = False) -> AgentsSection:
        return AgentsSection(str(file), "- I adopted a ferret.\n", ("ep_1",), 0, 6, True, dry_run)

    def reindex(self, progress: Steps | None = None) -> int:
        return len(self.memories)

    def doctor(self, repair: bool = False) -> list[str]:
        found = [*self.findings, *self.unrepairable]
        if repair:
            type(self).findings = ()
        return found

    def _fail(self) -> None:
        if self.raises is not None:
            raise self.raises
