"""The working memory of one session: what was said in it, as the model's own state rather than as text in a prompt.

Nothing of it is written to disk unless `save` is called, and it ends with the process. The ledger is the truth here as
well: a message that the ledger has lost, hides or words otherwise is out of the session's state before the next answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hybridmem.adapters.load_verified import load_verified
from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput, ModelError, StoreError
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Episode, Fact, checked_text, has_expired, new_id
from hybridmem.core.text.tokens import normalised
from hybridmem.models import prompts
from hybridmem.models.base import Generation, LanguageModel
from hybridmem.running import fingerprint as fingerprints
from hybridmem.running.chunks import SessionMessage
from hybridmem.running.families import unsupported
from hybridmem.running.fingerprint import Fingerprint
from hybridmem.running.settings import SessionSettings
from hybridmem.workspace import Workspace

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel
    from hybridmem.running.state import SessionState

ANSWER_TOKENS = 24
"""The longest answer, unless the caller says otherwise."""
_SPEAKS_FOR_ITSELF = ("user", "system", "developer")
"""Roles whose words are shown without a speaker where none is named."""

log = logging.getLogger("hybridmem.running")


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A part of a message, as a session keeps it."""

    message: str
    """The id of the message: of its episode, where the ledger has it."""
    text: str
    tokens: int
    surprise: float
    """Nats per token, when it was read first."""
    attended: float
    """Attention that the questions so far gave it: the sum of their `mass`."""
    answers: int
    """How many answers read it."""
    mass: float | None = None
    """The largest part of its attention, from 0 to 1, that a head gave it at a word of this question; None where
    everything could be read."""


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """What a session answered, and what of it was read for that."""

    text: str
    evidence: tuple[SessionEvent, ...]
    """The events that were read, in the order of the session."""
    prompt_tokens: int
    """Tokens that the model read for this question."""
    state_tokens: int
    """Keys of the session that it read them behind, which cost no reading; 0 where the answer came by retrieval."""
    seconds: float
    generation: Generation


class Session:
    """One working memory of one namespace. Open it with `HybridMemory.session`. Threads may share it."""

    def __init__(self, workspace: Workspace, id: str, settings: SessionSettings) -> None:
        self.id = id
        self.settings = settings
        self._workspace = workspace
        self._messages: dict[str, SessionMessage] = {}
        self._state: SessionState | None = None
        self._made_by: Fingerprint | None = None
        self._closed = False
        # Taken inside the model's own lock, so that a deletion never waits for a model that somebody else has.
        self._lock = threading.RLock()
        self._told: set[str] = set()

    @property
    def namespace(self) -> Namespace:
        return self._workspace.namespace

    @property
    def messages(self) -> tuple[SessionMessage, ...]:
        """What was read, in order."""
        return tuple(self._messages.values())

    @property
    def fingerprint(self) -> Fingerprint | None:
        """What computed the state; None before the first use, and for a model that keeps none."""
        return self._made_by

    @property
    def events(self) -> tuple[SessionEvent, ...]:
        """What is kept, in order; empty for a model that keeps no state."""
        with self._lock:
            return () if self._state is None else tuple(_shown(self._state, ()))

    @property
    def surprise(self) -> float:
        """Mean nats per token over what is kept, when it was read first: how much of it the model did not expect."""
        events = self.events
        tokens = sum(event.tokens for event in events)
        return sum(event.surprise * event.tokens for event in events) / tokens if tokens else 0.0

    @property
    def tokens(self) -> int:
        """How many tokens of the session are kept, compacted or not."""
        return 0 if self._state is None else self._state.tokens

    @property
    def nbytes(self) -> int:
        """Of the state; texts come to a few bytes a token beside it."""
        return 0 if self._state is None else self._state.nbytes

    def read(self, messages: Any) -> tuple[str, ...]:
        """Read messages, as `HybridMemory.add` takes them, or episodes that it returned; returns their ids.

        Episodes stay tied to the ledger: deleted there, they are gone here. Other messages are in this session alone,
        and `HybridMemory.delete` takes their ids too. Raises `InvalidInput`."""
        found = [message for message in _listed(messages) if message.id not in self._messages]
        with self._held() as state, self._lock:
            self._require_open()
            self._messages |= {message.id: message for message in found}
            if state is not None:
                # Where this is interrupted, everything is read again at the next use.
                self._state = None
                state.read(found)
                self._state = state
                self._tell_of_bytes(state)
        return tuple(message.id for message in found)

    def answer(self, question: str, *, max_new_tokens: int = ANSWER_TOKENS) -> SessionAnswer:
        """Answer from what was read, greedily. An empty session answers as the model does without it.

        A model whose state is not proven right answers over the messages that are nearest to the question instead.
        Raises `InvalidInput`, and `ModelError` for a question that is longer than what the model reads."""
        asked = checked_text(arguments.text("question", question))
        most = arguments.whole("max_new_tokens", max_new_tokens, least=1, most=2**31 - 1)
        started = time.perf_counter()
        with self._held() as state:
            with self._lock:
                self._require_open()
                if state is not None and state.events:
                    return _from_state(state, asked, most, started)
                messages = list(self._messages.values())
            return self._retrieved(messages, asked, most, started)

    def forget(self, ids: Collection[str], words: Collection[str] = ()) -> int:
        """Let go of the messages with these `ids`, and of those that no ledger has in the same `words`; returns how
        many events went. Chunks that they were in are read again without them before the next use."""
        named, same = set(ids), {normalised(text) for text in words}
        with self._lock:
            gone = [
                message.id
                for message in self._messages.values()
                if message.id in named or (not message.stored and not same.isdisjoint(_spellings(message)))
            ]
            for id in gone:
                del self._messages[id]
            if not gone:
                return 0
            return len(gone) if self._state is None else self._state.forget(set(gone)).events

    def save(self, folder: str | Path) -> None:
        """Write the session to `folder`, a new or an empty one: its messages in plain text, and its state. Raises
        `InvalidInput`."""
        from hybridmem.running.saving import save

        with self._held() as state, self._lock:
            self._require_open()
            save(arguments.path("folder", folder), self.id, self.namespace, self.messages, state, self._made_by)

    def load(self, folder: str | Path) -> None:
        """Go on from what `save` wrote, in place of what was read here. Raises `InvalidInput` for any other folder and
        for another namespace's, and `StateMismatch`, which names both hashes, for a state of another model, adapter,
        template or precision."""
        from hybridmem.running.saving import load

        with self._held() as state, self._lock:
            self._require_open()
            messages = load(arguments.path("folder", folder), self.namespace, state, self._made_by)
            self._messages = {message.id: message for message in messages}
        # What was deleted in the meantime goes now.
        with self._held():
            pass

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._closed = True
            self._messages.clear()
            self._state = None
            sessions = self._workspace.resources.sessions
            if sessions.get((self.namespace, self.id)) is self:
                del sessions[self.namespace, self.id]

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the model and the ledger

    @contextmanager
    def _held(self) -> Iterator[SessionState | None]:
        """Within this context the model is this session's, under the namespace's active adapter, and the state is of
        both and of the ledger as they are now; None for a model that keeps none."""
        self._require_open()
        model = self._workspace.model
        reason = unsupported(model)
        if reason is not None:
            self._tell(f"the model {model.name} {reason}: session {self.id} is answered by text retrieval")
        active = self._active(model)
        with ExitStack() as stack:
            if active is None:
                stack.enter_context(model.adapted(None))
            else:
                folder = self._workspace.adapters.path(active.version)
                stack.enter_context(load_verified(model, active, folder))
            if reason is not None:
                with self._lock:
                    self._follow_ledger()
                yield None
                return
            stack.enter_context(cast("HuggingFaceModel", model).exclusive())
            with self._lock:
                self._follow_ledger()
                yield self._current(cast("HuggingFaceModel", model), active)

    def _active(self, model: LanguageModel) -> AdapterRecord | None:
        """The adapter whose weights answer; one of another base stays out, as in the router."""
        active = self._workspace.adapters.active()
        return active if active is not None and active.base_sha256 == model.sha256 else None

    def _current(self, model: HuggingFaceModel, active: AdapterRecord | None) -> SessionState:
        """The state under what is in force now: read again where something else computed it."""
        from hybridmem.running.reader import SessionReader
        from hybridmem.running.state import SessionState

        reader = SessionReader(model)
        now = Fingerprint(
            base=model.sha256,
            adapter="" if active is None else fingerprints.adapter_sha256(active.files),
            template=fingerprints.template_sha256(model.tokenizer.chat_template, reader.opening),
            dtype=str(model.dtype).removeprefix("torch."),
        )
        if self._state is None or self._made_by != now:
            if self._state is not None and self._messages:
                log.warning(
                    "the model or its adapter changed: session %s is read again, %d messages",
                    self.id,
                    len(self._messages),
                )
            state, self._state = SessionState(reader, self.settings), None
            state.read(self._messages.values())
            self._state, self._made_by = state, now
        self._state.settle()
        return self._state

    def _follow_ledger(self) -> None:
        """Let go of what the ledger has lost or hides since, and take over the words that it has now."""
        stored = [message.id for message in self._messages.values() if message.stored]
        found = self._workspace.ledger.get_many(self.namespace, stored) if stored else {}
        now = self._workspace.clock()
        gone, reworded = [], False
        for id in stored:
            record = found.get(id)
            if not isinstance(record, Episode) or record.quarantined or has_expired(record, now):
                gone.append(id)
            elif record.text != self._messages[id].text:
                self._messages[id] = _of_episode(record)
                reworded = True
        if gone:
            self.forget(gone)
        if reworded:
            # In its own place among the others: rare enough to read everything again.
            self._state = None

    def _retrieved(self, messages: Sequence[SessionMessage], question: str, most: int, started: float) -> SessionAnswer:
        """The answer over the messages that are nearest to the question, as text in the prompt."""
        from hybridmem.running.retrieval import nearest

        model = self._workspace.model
        context: int | None = getattr(model, "context_length", None)

        def fits(shown: Sequence[str]) -> bool:
            return context is None or model.count_tokens(prompts.answer(question, shown)) + most <= context

        shown = nearest(messages, question, self._workspace.indexes.embedder, fits) if messages else []
        lines = [message.line for message in shown]
        (generation,) = model.generate([prompts.answer(question, lines)], max_new_tokens=most)
        evidence = tuple(SessionEvent(message.id, message.text, 0, 0.0, 0.0, 0) for message in shown)
        seconds = time.perf_counter() - started
        return SessionAnswer(generation.text, evidence, generation.prompt_tokens, 0, seconds, generation)

    def _require_open(self) -> None:
        self._workspace.resources.require_open()
        if self._closed:
            raise StoreError(f"session {self.id} is closed: open it again with memory.session({self.id!r})")

    def _tell_of_bytes(self, state: SessionState) -> None:
        if any(chunk.compacted for chunk in state.chunks):
            self._tell(
                f"session {self.id} is over its {self.settings.max_bytes:,} bytes: its oldest events are kept in "
                f"{self.settings.compact_to:.0%} of their keys"
            )
        if state.dropped:
            self._tell(f"session {self.id} is over its bytes once more: what was attended to least is let go")

    def _tell(self, line: str) -> None:
        """Log `line` once a session."""
        if line not in self._told:
            self._told.add(line)
            log.warning(line)


def open_session(workspace: Workspace, id: str, settings: SessionSettings | None = None) -> Session:
    """The session of this id in this namespace, as it is where it is open. Raises `InvalidInput`."""
    if not arguments.text("id", id).strip():
        raise InvalidInput("the session's id is empty: name it")
    workspace.resources.require_open()
    made = Session(workspace, id, settings or SessionSettings())
    session = cast(Session, workspace.resources.sessions.setdefault((workspace.namespace, id), made))
    if settings is not None and session.settings != settings:
        raise InvalidInput(f"session {id} is open with other settings: close it first")
    return session


def _from_state(state: SessionState, question: str, most: int, started: float) -> SessionAnswer:
    """The answer of a state that is not empty."""
    from hybridmem.running import frame
    from hybridmem.running.answering import SessionSteps
    from hybridmem.running.output_memory import OutputMemory

    reader, model = state.reader, state.reader.model
    ids = frame.ending(model, question)
    room = None if model.context_length is None else model.context_length - len(reader.opening) - len(ids) - most
    if room is not None and room < 1:
        raise ModelError(
            f"a question of {len(ids)} tokens and an answer of {most} leave no room for the session in the "
            f"{model.context_length} that {model.name!r} reads: ask less at a time"
        )
    prefix = state.prefix(question, ids, room)
    memory = OutputMemory(state.chunks, state.settings.most_vote) if state.settings.output_memory else None
    generation = model.complete(ids, SessionSteps(reader, prefix, memory), most)
    state.note(prefix)
    shown = _shown(state, prefix.mass)
    evidence = tuple(shown[number] for number in prefix.events)
    seconds = time.perf_counter() - started
    return SessionAnswer(generation.text, evidence, len(ids), prefix.length, seconds, generation)


def _shown(state: SessionState, mass: Sequence[float]) -> list[SessionEvent]:
    """The events of a state as others see them."""
    decode = state.reader.model.tokenizer.decode
    found: list[SessionEvent] = []
    for chunk in state.chunks:
        ids = chunk.ids
        for event in chunk.events:
            text = decode(ids[event.begin : event.begin + event.tokens])
            nats, given = event.surprise / event.tokens, mass[len(found)] if mass else None
            found.append(SessionEvent(event.message, text, event.tokens, nats, event.attended, event.answers, given))
    return found


def _listed(messages: Any) -> list[SessionMessage]:
    """`messages` as a session reads them."""
    from hybridmem.importers.message import is_single, listed, turns

    if isinstance(messages, str):
        return [SessionMessage(new_id("ms"), checked_text(messages))]
    if isinstance(messages, Episode):
        messages = [messages]
    if not (is_single(messages) or isinstance(messages, Sequence)) or isinstance(messages, bytes | bytearray):
        raise InvalidInput(f"the messages are {arguments.kind_of(messages)}: pass a text, or a list of messages")
    found = []
    for each in listed(messages):
        if isinstance(each, SessionMessage):
            found.append(each)
            continue
        if isinstance(each, Episode):
            found.append(_of_episode(each))
            continue
        if isinstance(each, Fact):
            raise InvalidInput(f"{each.id} is a fact: read the episodes that it came of")
        if isinstance(each, str):
            found.append(SessionMessage(new_id("ms"), checked_text(each)))
            continue
        for turn in turns(each):
            speaker = turn.speaker or (None if turn.role in _SPEAKS_FOR_ITSELF else turn.role)
            found.append(SessionMessage(new_id("ms"), turn.text, speaker, turn.at))
    return found


def _of_episode(episode: Episode) -> SessionMessage:
    speaker = episode.speaker or (None if episode.role in _SPEAKS_FOR_ITSELF else episode.role)
    return SessionMessage(episode.id, episode.text, speaker, episode.at, stored=True)


def _spellings(message: SessionMessage) -> set[str]:
    """How an erasure may write a message, normalised."""
    quoted = f"{message.speaker}: {message.text}" if message.speaker else message.text
    return {normalised(message.text), normalised(quoted)}
