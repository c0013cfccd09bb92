"""The ways of keeping a session that are compared. All but the full context read as many tokens of it at a question.

Each arm reads the session once and then gives each question what it is to be read behind. Reading is timed apart: a
text that was read once is kept as a cache here, as a server does."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import torch

from hybridmem.evaluation.session.fixed_state import FixedState
from hybridmem.evaluation.session.reply import MOST_TOKENS, Stopwatch, TextPrefix
from hybridmem.evaluation.session.script import Script, SessionQuestion
from hybridmem.evaluation.session.temp_lora import train_on
from hybridmem.models import prompts
from hybridmem.running import frame
from hybridmem.running.answering import Prefix, Votes
from hybridmem.running.chunk import Chunk
from hybridmem.running.chunks import SessionMessage
from hybridmem.running.compaction import compact
from hybridmem.running.output_memory import OutputMemory
from hybridmem.running.prefix import SessionPrefix
from hybridmem.running.reader import SessionReader
from hybridmem.running.retrieval import SHOWN
from hybridmem.running.rules.base import Rule
from hybridmem.running.rules.delta import Delta
from hybridmem.running.rules.ridge import Ridge
from hybridmem.running.settings import SessionSettings
from hybridmem.running.state import SessionState

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

_SEARCHED = 64
"""Memories that a search for a budget of tokens is asked for."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An arm that has read a session."""

    behind: Callable[[SessionQuestion, Sequence[int]], tuple[Prefix, int]]
    """The prefix of a question with its ids, and how many tokens or keys of the session are in it."""
    nbytes: int
    """What it keeps of the session."""
    closed_book: bool = False
    """Whether its prompt is that of a question without memories."""
    votes: Votes | None = None
    within: Callable[[], AbstractContextManager[None]] = nullcontext
    """The context in which it is asked."""

    def ids(self, reader: SessionReader, question: SessionQuestion) -> Sequence[int]:
        """The end of the prompt, which is read at the question."""
        if self.closed_book:
            return reader.model.render(prompts.answer(question.text))
        return frame.ending(reader.model, question.text)


@dataclass
class Bench:
    """One session in front of one model, and what several arms share of it."""

    reader: SessionReader
    script: Script
    other: Script
    """Another session of the same size."""
    budget: int
    """Tokens of the session that a question reads at most."""
    seed: int
    folder: Path
    """For what an arm puts on disk: empty, and gone afterwards."""
    open_memory: Callable[[Path], HybridMemory]
    settings: SessionSettings = field(init=False)

    def __post_init__(self) -> None:
        # One state serves both arms: what an output memory keeps changes no key.
        self.settings = SessionSettings(budget=self.budget, output_memory=True)

    @cached_property
    def state(self) -> SessionState:
        """The session, read, and its deleted messages forgotten."""
        return self.read(self.script)

    @cached_property
    def reading(self) -> Stopwatch:
        """What `state` took."""
        began = Stopwatch.start()
        _ = self.state
        return began.read()

    def read(self, script: Script) -> SessionState:
        state = SessionState(self.reader, self.settings)
        state.read(script.messages)
        state.forget(script.deleted)
        state.settle()
        return state

    def line_ids(self, message: SessionMessage) -> list[int]:
        return self.reader.model.encode_text(f"- {message.line}\n")

    def text_prefix(self, messages: Sequence[SessionMessage]) -> TextPrefix:
        """The text of `messages`, read in front of a question."""
        opened = self.reader.begin()
        ids = [id for message in messages for id in self.line_ids(message)]
        if ids:
            given = torch.tensor([ids], device=self.reader.device)
            self.reader.forward(opened.cache, given, len(self.reader.opening), logits_to_keep=1)
        return TextPrefix(opened.cache, len(self.reader.opening) + len(ids), len(ids))


# arms without the session memory


def none(bench: Bench) -> Ready:
    """The question alone."""
    return Ready(lambda question, ids: (_nothing(bench.reader), 0), 0, closed_book=True)


def truncation(bench: Bench) -> Ready:
    """The last messages that fit into the budget."""
    kept: list[SessionMessage] = []
    room = bench.budget
    for message in reversed(bench.script.left):
        room -= len(bench.line_ids(message))
        if room < 0:
            break
        kept.append(message)
    return _kept_text(bench, kept[::-1])


def full_context(bench: Bench) -> Ready | None:
    """Everything, where it fits."""
    context = bench.reader.model.context_length
    longest = max(len(frame.ending(bench.reader.model, each.text)) for each in bench.script.questions)
    needed = sum(len(bench.line_ids(message)) for message in bench.script.left) + longest + 2 * MOST_TOKENS
    if context is not None and len(bench.reader.opening) + needed > context:
        return None
    return _kept_text(bench, bench.script.left)


def retrieval(bench: Bench) -> Ready:
    """The text of the memories that a search finds, as many as the budget holds."""
    return _retrieved(bench, _SEARCHED)


def few_retrieved(bench: Bench) -> Ready:
    """The text of as many memories as a session shows of a model that keeps no state."""
    return _retrieved(bench, SHOWN)


def temp_lora(bench: Bench) -> Ready:
    """An adapter trained on the session, and no text."""
    model, folder = bench.reader.model, bench.folder / "temp-lora"
    ids = [id for message in bench.script.left for id in bench.line_ids(message)]
    with torch.enable_grad():
        nbytes = train_on(model, ids, folder, bench.seed)
    model.module.eval()

    @contextmanager
    def within() -> Iterator[None]:
        with model.adapted(folder):
            yield

    return Ready(lambda question, ids: (_nothing(bench.reader), 0), nbytes, closed_book=True, within=within)


# arms of the session memory


def session(bench: Bench) -> Ready:
    """The events that the question attends to."""
    return _events(bench, bench.state.chunks)


def session_with_output_memory(bench: Bench) -> Ready:
    """The same, and the votes of the nearest hidden states."""
    chunks = bench.state.chunks
    return dataclasses.replace(
        _events(bench, chunks, hidden=True), votes=OutputMemory(chunks, bench.settings.most_vote)
    )


def compacted(to: float) -> Callable[[Bench], Ready]:
    """The session memory, with that proportion of its keys."""

    def made(bench: Bench) -> Ready:
        chunks = copy.deepcopy(bench.state.chunks)
        settings = dataclasses.replace(bench.settings, compact_to=to)
        for chunk in chunks:
            chunk.open = None
            compact(bench.reader, chunk, settings)
        return _events(bench, chunks)

    return made


def random_events(bench: Bench) -> Ready:
    """As many keys of events that were drawn."""
    rng = Random(bench.seed)  # noqa: S311 - a reproducible draw
    chunks = bench.state.chunks
    count = sum(len(chunk.events) for chunk in chunks)

    def behind(question: SessionQuestion, ids: Sequence[int]) -> tuple[Prefix, int]:
        prefix = SessionPrefix(bench.reader, chunks, bench.budget, mass=[rng.random() for _ in range(count)])
        return prefix, prefix.length

    return Ready(behind, _bytes(chunks))


def other_session(bench: Bench) -> Ready:
    """The session memory of a session that says nothing of what is asked: the placebo, and the check for leaks."""
    return _events(bench, bench.read(bench.other).chunks)


def fixed_state(rule: Rule[Any]) -> Callable[[Bench], Ready]:
    """The question alone, with the votes of a state of fixed size."""

    def made(bench: Bench) -> Ready:
        votes = FixedState(bench.reader, bench.state.chunks, rule)
        return dataclasses.replace(none(bench), nbytes=votes.nbytes, votes=votes)

    return made


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of keeping a session."""

    make: Callable[[Bench], Ready | None]
    """None where it cannot take this session."""
    control: bool = False
    """Whether it is there to be compared with, and so asked a part of the questions only."""
    default: bool = True
    of_state: bool = False
    """Whether it begins with the session memory's own reading."""


ARMS = {
    "none": Arm(none),
    "truncation": Arm(truncation),
    "session": Arm(session, of_state=True),
    "session, output memory": Arm(session_with_output_memory, of_state=True),
    "retrieval": Arm(retrieval),
    "full context": Arm(full_context),
    "delta state": Arm(fixed_state(Delta(rate=0.5)), control=True, of_state=True),
    "ridge state": Arm(fixed_state(Ridge(keep=0.999)), control=True, of_state=True),
    "random events": Arm(random_events, control=True, of_state=True),
    "another session": Arm(other_session, control=True),
    "compacted to 25%": Arm(compacted(0.25), control=True, of_state=True),
    "compacted to 10%": Arm(compacted(0.1), control=True, of_state=True),
    f"retrieval, {SHOWN} memories": Arm(few_retrieved, control=True),
    "temp-lora": Arm(temp_lora, control=True, default=False),
}
"""In the order in which they are asked: what the claims rest on comes first."""


def _nothing(reader: SessionReader) -> TextPrefix:
    """An empty cache: not even the opening of a prompt with memories."""
    from transformers import DynamicCache

    return TextPrefix(DynamicCache(config=reader.module.config), 0, 0)


def _kept_text(bench: Bench, messages: Sequence[SessionMessage]) -> Ready:
    """Text that is read once, before all questions."""
    read = bench.text_prefix(messages)

    def behind(question: SessionQuestion, ids: Sequence[int]) -> tuple[Prefix, int]:
        return dataclasses.replace(read, cache=copy.deepcopy(read.cache)), read.length

    layers = (read.cache.layers[at] for at in bench.reader.layers)
    return Ready(behind, sum(layer.keys.nbytes + layer.values.nbytes for layer in layers))


def _retrieved(bench: Bench, limit: int) -> Ready:
    memory = bench.open_memory(bench.folder / f"memory{limit}")
    place = {message.text: number for number, message in enumerate(bench.script.messages)}
    deleted = {message.text for message in bench.script.messages if message.id in bench.script.deleted}
    added = memory.add([{"role": "user", "content": message.text} for message in bench.script.messages])
    for episode in added:
        if episode.text in deleted:
            memory.delete(episode.id)
    memory.catch_up()

    def behind(question: SessionQuestion, ids: Sequence[int]) -> tuple[Prefix, int]:
        found, room = [], bench.budget
        for hit in memory.search(question.text, limit=limit, kinds=("episode",)):
            message = bench.script.messages[place[hit.text]]
            length = len(bench.line_ids(message))
            if length <= room:
                found.append(message)
                room -= length
        prefix = bench.text_prefix(sorted(found, key=lambda message: place[message.text]))
        return prefix, prefix.length

    return Ready(behind, sum(len(message.text.encode()) for message in bench.script.left))


def _events(bench: Bench, chunks: Sequence[Chunk], *, hidden: bool = False) -> Ready:
    """The session memory over `chunks`."""
    model = bench.reader.model

    def behind(question: SessionQuestion, ids: Sequence[int]) -> tuple[Prefix, int]:
        prefix = SessionPrefix(bench.reader, chunks, bench.budget, ids, frame.words(model, question.text))
        return prefix, prefix.length

    return Ready(behind, _bytes(chunks, hidden=hidden))


def _bytes(chunks: Sequence[Chunk], *, hidden: bool = False) -> int:
    """What the session memory keeps; the hidden states only where an output memory reads them."""
    without = 0 if hidden else sum(chunk.hidden.nbytes for chunk in chunks if chunk.hidden is not None)
    return sum(chunk.nbytes for chunk in chunks) - without
