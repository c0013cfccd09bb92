"""`HybridMemory`, the public class: an agent's memory outside the model and inside it.

>>> with HybridMemory.open("memory", namespace=("users", "ana")) as memory:   # doctest: +SKIP
...     memory.add("Ana moved to Lisbon in March.")
...     memory.dream()
...     memory.answer("Where does Ana live?").route
'weights'
"""

from __future__ import annotations

import asyncio
import builtins
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_args

from hybridmem.core import arguments
from hybridmem.core.clock import Time, end_of_time, parse_time, utc_now
from hybridmem.core.edit import UNCHANGED, Edit, Unchanged, edit_of, tagged
from hybridmem.core.errors import InvalidInput, ReadOnlyMemory
from hybridmem.core.filters.options import asked_for
from hybridmem.core.filters.parse import parse
from hybridmem.core.folder import MemoryFolder
from hybridmem.core.namespace import Namespace
from hybridmem.core.policy import DEFAULT_RISK, MemoryPolicy, checked_half_life, checked_policy
from hybridmem.core.progress import Progress, quiet
from hybridmem.core.records import (
    ROUTES,
    Answer,
    BulkReceipt,
    DreamReport,
    Episode,
    ErasureReceipt,
    Event,
    Fact,
    Hit,
    Kind,
    ReviewItem,
    Route,
    Trust,
    checked_text,
    new_id,
    stated,
)
from hybridmem.core.roles import TRUSTS, checked_trust, least_trusted
from hybridmem.core.spans import traced
from hybridmem.workspace import Backends, Redact, Workspace

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hybridmem.adapters.registry import AdapterRegistry
    from hybridmem.core.skills import Skill
    from hybridmem.core.standing import Reflection
    from hybridmem.dreaming.proposal import DreamReview
    from hybridmem.dreaming.recipes import Recipe
    from hybridmem.dreaming.steps.unlearn import Probe
    from hybridmem.embedding.base import Embedder
    from hybridmem.importers import ImportedTurn, ImportReport
    from hybridmem.maintenance.agents_md import AgentsSection
    from hybridmem.maintenance.markdown.comparison import Prefer
    from hybridmem.maintenance.markdown.importing import MarkdownReceipt
    from hybridmem.maintenance.markdown.writing import MarkdownExport
    from hybridmem.maintenance.secrets import SecretReport
    from hybridmem.models.base import LanguageModel
    from hybridmem.models.reader import ChatModel, Reader
    from hybridmem.models.trainable import TrainableModel
    from hybridmem.retrieval.pipeline import Retrieval
    from hybridmem.router.policy import Explanation, Feedback, Router
    from hybridmem.running.session import Session
    from hybridmem.running.settings import SessionSettings
    from hybridmem.skills.learning import LearnedSkills
    from hybridmem.standing.blocks import Blocks
    from hybridmem.standing.profile import Profile
    from hybridmem.standing.questions import StandingQuestions
    from hybridmem.stores.index.base import GraphIndex, LexicalIndex, VectorIndex
    from hybridmem.stores.index.follower import Indexes
    from hybridmem.stores.ledger.archive import Restored
    from hybridmem.stores.ledger.base import Ledger


APPEND_AT_ONCE = 500
MOST_AT_ONCE = 2**31 - 1
"""The most hits, or tokens of hits, of one search; a higher bound is taken as this one."""

P = ParamSpec("P")
T = TypeVar("T")


def _twin(
    method: Callable[Concatenate[HybridMemory, P], T],
) -> Callable[Concatenate[HybridMemory, P], Coroutine[Any, Any, T]]:
    """The asynchronous twin of `method`: the same call in a worker thread, beside whatever else runs."""

    @functools.wraps(method)
    async def twin(self: HybridMemory, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(method, self, *args, **kwargs)

    twin.__name__ = twin.__qualname__ = f"a{method.__name__}"
    return twin


class HybridMemory:
    """One namespace of a memory folder. Make it with `open`; close it, or use it as a context manager.

    Nothing is loaded before it is needed: `add` opens the ledger alone, `search` the indexes and the embedding model,
    `answer` and `dream` the language model. All that it works on is in its `workspace`.
    """

    def __init__(self, workspace: Workspace, *, closes: bool = True) -> None:
        """`closes`: whether `close` closes what the workspace has open."""
        self.workspace = workspace
        self._closes = closes

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        namespace: Sequence[str] | str = ("default",),
        model: str | Path | LanguageModel | None = None,
        embedder: str | Embedder | None = None,
        reader: str | Reader | ChatModel | None = None,
        ledger: str | Path | Ledger | None = None,
        vectors: str | VectorIndex | None = None,
        lexical: str | LexicalIndex | None = None,
        graph: str | GraphIndex | None = None,
        redact: Redact = "train",
        clock: Callable[[], datetime] = utc_now,
    ) -> HybridMemory:
        """The memory in folder `path`, made where nothing is there yet. One that cannot be written to is read: listed,
        searched, asked and exported from a temporary copy of its ledger and indexes; a write raises `ReadOnlyMemory`.

        `model`: a folder, GGUF file or hub name of any causal language model, a `LanguageModel`, or None for the one
        that HYBRIDMEM_MODEL names or that `hybridmem.models.default_name` finds.
        `embedder`: a name that `hybridmem.embedding.load` knows, an `Embedder`, or None for all-MiniLM-L6-v2.
        `reader`: who extracts facts, writes exercises and answers over memories: a LangChain chat model,
        ``openai:MODEL@http://HOST:PORT/v1`` (any endpoint that speaks OpenAI's API, with the key in OPENAI_API_KEY),
        ``model:NAME``, a `Reader`, or None for `model`. An endpoint is sent what it reads. Options such as prices and a
        bound follow its name after commas, or are a `LangChainReader`'s `ReaderSettings`.

        The stores are objects of their protocols, which stay the caller's to close, or names:
        `ledger`: an SQLite file, a database's URL or ``memory``, in place of the folder's SQLite.
        `vectors`: ``chroma`` (the default, in the folder), ``memory``, or a Chroma server's ``http://HOST:PORT``; where
        it asks for a token, that is in HYBRIDMEM_CHROMA_TOKEN. `lexical`: ``fulltext`` or ``memory``. `graph`:
        ``networkx`` or ``memory``. Indexes in memory are filled from the ledger at the first search.

        `redact`: no training reads a secret (a password, key, token or card number). With ``store``, none is written
        either: its kind stands in its place, in texts and metadata.

        Raises `StoreError`, `InvalidNamespace`, and `InvalidInput` for a name that stands for nothing."""
        backends = Backends(model, embedder, reader, ledger, vectors, lexical, graph, redact)
        if not callable(clock):
            raise InvalidInput(f"the clock is {arguments.kind_of(clock)}: pass a function that returns a datetime")
        return cls(Workspace.open(arguments.path("path", path), namespace, backends, clock))

    def at(self, namespace: Sequence[str] | str) -> HybridMemory:
        """Another namespace of the same folder. Ledger, indexes and models are shared with this memory, which alone
        has to be closed. Threads may use several at once. Raises `InvalidNamespace`."""
        return HybridMemory(self.workspace.at(namespace), closes=False)

    def __enter__(self) -> HybridMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the databases. What was added is on disk already."""
        if self._closes:
            self.workspace.close()

    # ---- what it works on, opened when first asked for

    @property
    def namespace(self) -> Namespace:
        return self.workspace.namespace

    @property
    def folder(self) -> MemoryFolder:
        """The places in the memory folder."""
        return self.workspace.folder

    @property
    def clock(self) -> Callable[[], datetime]:
        """What tells the time of whatever is recorded."""
        return self.workspace.clock

    @property
    def ledger(self) -> Ledger:
        """The truth."""
        return self.workspace.ledger

    @property
    def indexes(self) -> Indexes:
        """The vector, full-text and graph indexes."""
        return self.workspace.indexes

    @property
    def model(self) -> LanguageModel:
        """The agent's model."""
        return self.workspace.model

    @property
    def adapters(self) -> AdapterRegistry:
        """This namespace's adapters: list, active, promote, rollback, diff, export, verify."""
        return self.workspace.adapters

    @property
    def retrieval(self) -> Retrieval:
        """The searchers."""
        return self.workspace.retrieval

    @property
    def router(self) -> Router:
        """What chooses where an answer comes from."""
        return self.workspace.router

    @property
    def policy(self) -> MemoryPolicy:
        """How long this namespace keeps what it is told, and how age counts in its searches and answers."""
        return self.workspace.policy

    def set_policy(
        self,
        *,
        half_life_days: float | None = None,
        expire_after_days: Mapping[Trust, float] | None = None,
        risk: float = DEFAULT_RISK,
    ) -> MemoryPolicy:
        """Put a policy in place of the present one; without arguments, nothing expires or ages by itself.

        `half_life_days` ranks older memories lower, in searches and answers that do not say otherwise, and hides none.
        `expire_after_days`, by trust, as in ``{"web": 30}``, sets `expires_at` of episodes that are added from now on
        without one. `risk` is the share of all questions that may be answered wrongly. Raises `InvalidInput`."""
        arguments.mapping_or_none("expire_after_days", expire_after_days)
        expiry = {str(trust): days for trust, days in (expire_after_days or {}).items()}
        policy = checked_policy(MemoryPolicy(half_life_days, expiry, risk))
        self.ledger.put_state(self.namespace, policy)
        return policy

    # ---- remembering

    @traced("add", lambda added: {"episodes": len(added)})
    def add(
        self,
        content: str | Mapping[str, Any] | Sequence[Mapping[str, Any] | Any],
        *,
        session: str | None = None,
        at: Time | None = None,
        metadata: Mapping[str, Any] | None = None,
        trust: Trust | None = None,
        role: str = "user",
        speaker: str | None = None,
        source: str = "add",
        tags: Iterable[str] = (),
        expires_at: str | float | datetime | None = None,
    ) -> list[Episode]:
        """Remember a text, or one message or several as OpenAI, Anthropic and LangChain write them, as dicts or as
        their libraries' objects. Calls no model.

        What it returns is on disk. `at` is when it was said (now); a message's own date and session win. A role has a
        trust (`core.roles`), and `trust` can lower it: nobody's words pass for the user's. Messages without words are
        left out, and one that has an id and was added to its session before is that memory: its words, where they were
        edited since, take the place of the old ones, which stay in the history.
        `tags` go into the metadata, under that key. From `expires_at` on it is neither found nor answered nor trained.
        Raises `InvalidInput`."""
        from hybridmem.importers import ImportedTurn
        from hybridmem.importers.message import is_single, listed, turns

        self.workspace.resources.calls.note()
        when = arguments.time_or_none("at", at)
        arguments.mapping_or_none("metadata", metadata)
        given = tagged(metadata or {}, tags)
        expires = arguments.time_or_none("expires_at", expires_at)
        if isinstance(content, str):
            remembered = [ImportedTurn(content, role, speaker, session, when, source, trust or TRUSTS[0], given)]
        elif not (is_single(content) or isinstance(content, Sequence)) or isinstance(content, bytes | bytearray):
            raise InvalidInput(f"the content is {arguments.kind_of(content)}: pass a text, or a list of messages")
        else:
            remembered = []
            for message in listed(content):
                for turn in turns(message, source=source, session=session):
                    remembered.append(
                        ImportedTurn(
                            turn.text,
                            turn.role,
                            turn.speaker or speaker,
                            turn.session,
                            turn.at or when,
                            source,
                            least_trusted(turn.trust, checked_trust(trust or turn.trust)),
                            tagged({**given, **turn.metadata}, tags),
                            turn.key,
                        )
                    )
            if not remembered:
                raise InvalidInput("there are no messages to remember: pass at least one with words in it")
        from hybridmem.maintenance.repetition import remember

        now, policy = self._now(), self.policy
        episodes = [self._episode(turn, now, policy, expires) for turn in remembered]
        keys = {each.id: turn.key for each, turn in zip(episodes, remembered, strict=True) if turn.key is not None}
        return remember(self.workspace, episodes, keys)

    def add_turns(self, turns: Iterable[ImportedTurn], *, progress: Progress = quiet) -> list[Episode]:
        """Remember what an importer read, in batches; each batch is on disk before the next is read."""
        added: list[Episode] = []
        batch: list[Episode] = []
        policy = self.policy
        for turn in turns:
            batch.append(self._episode(turn, self._now() if not batch else batch[-1].recorded_at, policy))
            if len(batch) == APPEND_AT_ONCE:
                added += self.ledger.append(batch)
                batch = []
                progress("add", len(added), len(added))
        if batch:
            added += self.ledger.append(batch)
        progress("add", len(added), len(added))
        return added

    def _now(self) -> datetime:
        from hybridmem.stores.ledger.present import present

        return present(self.ledger, self.namespace, self.clock)

    def _episode(
        self, turn: ImportedTurn, now: datetime, policy: MemoryPolicy, expires_at: datetime | None = None
    ) -> Episode:
        arguments.text("role", turn.role)
        arguments.text("source", turn.source)
        arguments.optional_text("speaker", turn.speaker)
        arguments.optional_text("session", turn.session)
        arguments.choice("trust", turn.trust, get_args(Trust))
        return turn.episode(new_id("ep"), self.namespace, now, policy, expires_at)

    @traced("import", lambda report: {"episodes": len(report.added), "already": report.already})
    def add_from(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        me: Sequence[str] = (),
        day_first: bool | None = None,
        timezone: str | None = None,
        progress: Progress = quiet,
    ) -> ImportReport:
        """Remember what a file, zip or folder holds: chats, memories of other systems, agents' logs, notes.

        The same import twice adds nothing, and a longer export adds what is new. `me`: your names in chats of people.
        `day_first`: how a chat's dates are written, where it leaves that open. `timezone`, as ``Europe/Lisbon``: where
        times were written that have no zone (UTC; in Aider, WhatsApp and Telegram, this machine's). docs/importing.md
        lists the formats.
        Raises `InvalidInput`."""
        from hybridmem.importers import read
        from hybridmem.maintenance.imports import add_entries

        arguments.optional_text("timezone", timezone)
        entries = read(arguments.path("path", path), format, me=me, day_first=day_first, timezone=timezone)
        return add_entries(self.workspace, entries, progress)

    def watch(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        me: Sequence[str] = (),
        day_first: bool | None = None,
        timezone: str | None = None,
        every: float = 2.0,
        stop: threading.Event | None = None,
    ) -> Iterator[ImportReport]:
        """`add_from` for a file or folder that grows, as agents' sessions do: a report for each look, `every` so many
        seconds, until `stop` is set. A restart doubles nothing. Raises `InvalidInput`."""
        from hybridmem.importers.watch import Watcher
        from hybridmem.maintenance.imports import add_entries

        arguments.optional_text("timezone", timezone)
        watcher = Watcher(arguments.path("path", path), format, me=me, day_first=day_first, timezone=timezone)
        stop = stop or threading.Event()
        while True:
            yield add_entries(self.workspace, watcher.poll())
            if stop.wait(every):
                return

    def add_fact(
        self,
        subject: str,
        relation: str,
        object: str | float,
        *,
        text: str | None = None,
        valid_from: Time | None = None,
        valid_to: Time | None = None,
        trust: Trust = "user",
        replace: bool = True,
        metadata: Mapping[str, Any] | None = None,
        tags: Iterable[str] = (),
        expires_at: str | float | datetime | None = None,
        question: str = "",
    ) -> Fact:
        """State a fact. It replaces the current value of its (subject, relation) slot, unless `replace` is off.

        With a `question`, which `object` answers, that is the slot, as it is of the facts that dreams read in
        propositions. An `object` that is a number is taken as its text. A fact of lower `trust` than the value that it
        would replace is quarantined instead, for a person to judge. The fact that is returned says what became of it:
        `quarantined`, or `superseded_by` a value that holds later. A naive `datetime` is local time, and a date or time
        in text without a zone is UTC."""
        subject, relation = arguments.text("subject", subject), arguments.text("relation", relation)
        object = arguments.text_or_number("object", object)
        arguments.optional_text("text", text)
        begins, ends = arguments.time_or_none("valid_from", valid_from), arguments.time_or_none("valid_to", valid_to)
        arguments.choice("trust", trust, get_args(Trust))
        arguments.text("question", question)
        for part in (subject, relation, object, *([question] if question else [])):
            checked_text(part)
        now = self._now()
        parts = (question.strip(), subject.strip(), relation.strip(), object.strip())
        fact = Fact(
            id=new_id("fa"),
            namespace=self.namespace,
            subject=parts[1],
            relation=parts[2],
            object=parts[3],
            text=checked_text(text) if text is not None else stated(*parts),
            valid_from=begins or now,
            valid_to=ends,
            recorded_at=now,
            trust=trust,
            metadata=tagged(metadata or {}, tags),
            expires_at=arguments.time_or_none("expires_at", expires_at),
            question=parts[0],
        )
        return self.ledger.put_fact(fact, replace=replace)

    # ---- recalling

    @traced("search", lambda hits: {"hits": len(hits)})
    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        as_of: Time | None = None,
        token_budget: int | None = None,
        kinds: tuple[Kind, ...] | None = None,
        filters: Mapping[str, Any] | None = None,
        min_score: float | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        session: str | None = None,
        role: str | Sequence[str] | None = None,
        trust: Trust | Sequence[Trust] | None = None,
        questions: bool = True,
        half_life_days: float | None = None,
        include_expired: bool = False,
        reference_date: Time | None = None,
    ) -> list[Hit]:
        """The memories nearest to `query`, best first, with why each is there. What has expired is not found, unless
        somebody who looks at it asks for it with `include_expired`.

        `as_of` sees what held then, at the end of the day where it is a date without a time; `token_budget` bounds the
        hits' texts together; `kinds` keeps to one kind.
        `filters` keeps to memories whose fields satisfy it, as in ``{"tags": "travel", "metadata.stars": {"gte": 3}}``
        (docs/filters.md), and `since`, `until` (a date is its whole day), `session`, `role` and `trust` to what was
        said then, there and by them; a fact matches through one of the episodes behind it.
        `min_score` keeps to hits of at least that `Hit.relevance`, from 0 to 1: none where nothing bears on the query.
        Without `questions`, what only asks is left out: it answers nothing.
        `half_life_days` (the policy's, unless given) ranks older memories lower, and hides none.
        A query that names a period prefers memories of that period: "last week" is seen from `reference_date`, else
        from `as_of`, else from now.

        Raises `InvalidInput`, which names the field, the operator or the value that is wrong."""
        self.workspace.resources.calls.note()
        arguments.text("query", query)
        if token_budget is not None:
            token_budget = arguments.whole("token_budget", token_budget, least=0, most=MOST_AT_ONCE)
        if isinstance(kinds, str):
            raise InvalidInput(f"kinds is a text: pass a tuple, as ({kinds!r},)")
        if kinds is not None and not kinds:
            raise InvalidInput("kinds is empty: pass ('episode',), ('fact',) or both, or leave it out")
        moment = end_of_time(as_of) if as_of is not None else None
        asked_on = end_of_time(reference_date) if reference_date is not None else moment or self.clock()
        filter = asked_for(filters, since=since, until=until, session=session, role=role, trust=trust)
        half_life = self.policy.half_life if half_life_days is None else checked_half_life(half_life_days)
        self.ledger.expire_due(self.namespace, self.clock())
        self.indexes.catch_up(of=self.namespace)
        hits = self.retrieval.search(
            self.namespace,
            query,
            limit=arguments.whole("limit", limit, least=1, most=MOST_AT_ONCE),
            as_of=moment,
            token_budget=token_budget,
            kinds=("episode", "fact") if kinds is None else kinds,
            questions=questions,
            filter=filter,
            min_score=min_score,
            half_life=half_life,
            include_expired=include_expired,
            reference_date=asked_on,
        )
        self.ledger.touch(self.namespace, [hit.id for hit in hits[:1]], self.clock())
        return hits

    def answer(
        self,
        question: str,
        *,
        route: Route | None = None,
        reference_date: Time | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer from the weights, from retrieval, from both, or not at all; `route` forces which.

        A question's "last week" is seen from `reference_date`, else from now. `tell` is given the text so far, again
        and again, where the ledger alone decides for the weights: before the search has ended. The answer is the same
        without it, and begins with what was told, unless the search brings up what speaks against that."""
        if tell is None or route is not None:
            return self.answer_many([question], route=route, reference_date=reference_date)[0]
        return self._answered([question], reference_date, lambda router, asked: [router.answer_aloud(asked[0], tell)])[
            0
        ]

    def answer_many(
        self, questions: Sequence[str], *, route: Route | None = None, reference_date: Time | None = None
    ) -> list[Answer]:
        """`answer` for each question, in one batch."""
        if isinstance(questions, str):
            raise InvalidInput("questions is a text: pass a list of them, or ask `answer`")
        if route is not None:
            arguments.choice("route", route, ROUTES)
        return self._answered(questions, reference_date, lambda router, asked: router.answer(asked, route))

    @traced(
        "answer", lambda answers: {"questions": len(answers), "prompt_tokens": sum(a.prompt_tokens for a in answers)}
    )
    def _answered(
        self,
        questions: Sequence[str],
        reference_date: Time | None,
        answer: Callable[[Router, Sequence[str]], list[Answer]],
    ) -> list[Answer]:
        self.workspace.resources.calls.note()
        asked = [checked_text(arguments.text("question", question)) for question in questions]
        if reference_date is not None:
            reference_date = parse_time(reference_date)
        self.ledger.expire_due(self.namespace, self.clock())
        self.indexes.catch_up(of=self.namespace)
        answers = answer(self.workspace.router_on(reference_date), asked)
        used = {hit.id for answer in answers if answer.route != "abstain" for hit in answer.evidence[:1]}
        self.ledger.touch(self.namespace, sorted(used), self.clock())
        return answers

    @traced("explain")
    def explain(self, question: str, *, reference_date: Time | None = None) -> Explanation:
        """`answer`, with why this route was chosen, and what each of the others would have said."""
        asked = checked_text(arguments.text("question", question))
        on = None if reference_date is None else parse_time(reference_date)
        self.ledger.expire_due(self.namespace, self.clock())
        self.indexes.catch_up(of=self.namespace)
        return self.workspace.router_on(on).explain(asked)

    @traced("feedback")
    def feedback(self, question: str, answer: str | None) -> Feedback:
        """Tell what the right `answer` to a question is, or None where the memory cannot know one.

        The router learns from it how far it may be believed: on more wrong answers than the policy's `risk` allows, it
        says more often that it does not know. Tell of right answers too. Neither question nor answer is kept."""
        asked = checked_text(arguments.text("question", question))
        right = None if answer is None else checked_text(arguments.text("answer", answer))
        self.indexes.catch_up(of=self.namespace)
        return self.router.feedback(asked, right)

    def reflect(self, question: str, *, limit: int = 20, reader: str | Reader | ChatModel | None = None) -> Reflection:
        """An answer over up to `limit` memories, statement by statement, each with the memories that it rests on.

        What the model cites is checked against what it was shown; a statement that nothing bears out is left out, and
        without evidence there is no answer. `reader`, as `open` takes it, answers this once; without it, the memory's
        own reader. Raises `InvalidInput` and `ModelError`."""
        from hybridmem.reflection.reader import chosen_reader
        from hybridmem.reflection.reflect import reflect

        self.workspace.resources.calls.note()
        asked = checked_text(arguments.text("question", question))
        limit = arguments.whole("limit", limit, least=1, most=MOST_AT_ONCE)
        with chosen_reader(self.workspace, reader) as answering:
            reflection = reflect(self.workspace, asked, limit=limit, reader=answering)
        self.ledger.touch(self.namespace, [hit.id for hit in reflection.evidence], self.clock())
        return reflection

    def catch_up(self, *, progress: Progress = quiet) -> int:
        """Bring the indexes up to the ledger; `search` and `answer` do so themselves. Returns what was followed."""
        return self.indexes.catch_up(lambda done, total: progress("index", done, total))

    # ---- what stands

    def profile(self, *, budget: int = 800) -> Profile:
        """What is known of the user and the current work, in milliseconds, without a question and without a model:
        facts that hold now, ranked by use and stability, up to `budget` tokens, each line with its facts and episodes.

        A night makes the order anew, and every change moves it. What is deleted, replaced, set aside or expired is out
        of it at once. Raises `InvalidInput`."""
        from hybridmem.standing.profile import profile

        self.workspace.resources.calls.note()
        return profile(self.workspace, arguments.whole("budget", budget, least=0, most=MOST_AT_ONCE))

    @property
    def blocks(self) -> Blocks:
        """Texts that are always in the agent's context, and that it edits: list, get, set, append, replace, delete,
        history."""
        from hybridmem.standing.blocks import Blocks

        return Blocks(self.workspace)

    @property
    def standing_questions(self) -> StandingQuestions:
        """Questions that are kept answered, with the evidence: add, list, answers, remove."""
        from hybridmem.standing.questions import StandingQuestions

        return StandingQuestions(self.workspace)

    # ---- skills

    def skills(
        self, task: str | None = None, *, limit: int = 5, min_score: float = 0.5, failed: bool = False
    ) -> builtins.list[Skill]:
        """The procedures that worked for `task`, best first: for the same task, with its own values in the steps, and
        then for tasks that are alike, of at least the relevance `min_score`. Without a task, those last used.

        A skill whose last runs all failed, or that never worked, is there with `failed` alone. They are quoted data,
        as a tool's words are. Calls no model. Raises `InvalidInput`."""
        from hybridmem.skills.recall import skills, skills_for

        limit = arguments.whole("limit", limit, least=1, most=MOST_AT_ONCE)
        self.workspace.resources.calls.note()
        if task is None:
            return skills(self.workspace, failed=failed)[:limit]
        asked = checked_text(arguments.text("task", task))
        best = skills_for(self.workspace, asked, limit=limit, min_score=min_score, failed=failed)
        self.ledger.touch(self.namespace, [skill.facts[0] for skill in best[:1]], self.clock())
        return best

    def learn_skills(
        self, messages: Sequence[Mapping[str, Any] | Any], *, session: str | None = None, at: Time | None = None
    ) -> LearnedSkills:
        """Remember the messages of an agent's session, as `add` does, and the procedures in its calls of tools.

        A run is what the user asked for with the calls that followed. It worked or failed where an error flag, an exit
        code, a test runner's summary or the user says so, and counts as neither otherwise. Secrets and long texts are
        no part of a step. A procedure goes with the last request that it was seen for. Calls no model. Raises
        `InvalidInput`."""
        from hybridmem.importers.message import listed, turns
        from hybridmem.skills.learning import learn_added

        if isinstance(messages, str | bytes) or not isinstance(messages, Mapping | Sequence):
            raise InvalidInput(f"the messages are {arguments.kind_of(messages)}: pass a list of them")
        each = [*listed(messages)]
        has_words = any(turns(message) for message in each)
        added = self.add(each, session=session, at=at) if has_words else []
        return learn_added(self.workspace, each, added)

    def learn_skills_from(self, path: str | Path, *, format: str = "auto") -> LearnedSkills:
        """Import a file of an agent's sessions, as `add_from` does, and take the procedures in its calls of tools, as
        `learn_skills` does. The same file twice adds nothing. Raises `InvalidInput`."""
        from hybridmem.importers.base import checked_file
        from hybridmem.skills.learning import learn_logged
        from hybridmem.skills.session_logs import logged

        file = checked_file(arguments.path("path", path))
        messages = list(logged(file))  # before the import: a file that is no session is refused whole
        self.add_from(file, format=format)
        return learn_logged(self.workspace, messages)

    # ---- a session

    def session(self, id: str, *, settings: SessionSettings | None = None) -> Session:
        """The working memory of a session: what it reads it keeps as the model's own keys and values, and answers from
        without reading it again. The same id is the same session for as long as it is open.

        It starts empty and reads what it is given; nothing of it is on disk. Raises `InvalidInput`."""
        from hybridmem.running.session import open_session

        return open_session(self.workspace, id, settings)

    # ---- dreaming

    @traced("dream", lambda report: {"status": report.status, "new_facts": report.new_facts})
    def dream(
        self,
        *,
        dry_run: bool = False,
        recipe: str | Recipe = "default",
        accept: Sequence[str] | None = None,
        progress: Progress = quiet,
    ) -> DreamReport:
        """One night: extract, curate, select, compose, train, gate, promote, unlearn.

        With `dry_run` nothing changes and the report is an estimate. With `accept`, ids of changes of `review_dream`
        or ``["all"]``, it believes these and nothing else that was read, and reads nothing new. Raises `DreamBusy`
        while another process dreams this namespace, and `DreamInterrupted` on Ctrl-C: nothing is promoted then, and the
        next dream resumes it."""
        from hybridmem.dreaming.recipes import Recipe
        from hybridmem.dreaming.runner import estimate, run

        if not isinstance(recipe, str | Recipe):
            raise InvalidInput(f"the recipe is {arguments.kind_of(recipe)}: pass its name, or a path of a .toml file")
        if dry_run:
            return estimate(self.workspace, recipe)
        self._require_writable("dream")
        return run(self.workspace, recipe, progress, accept=accept)

    def review_dream(self, *, recipe: str | Recipe = "default", progress: Progress = quiet) -> DreamReview:
        """What a night would believe, as a diff: each fact with its sentence and what it would replace. It reads the
        new episodes, and stops before anything changes: `dream(accept=...)` goes on with what a person accepts.

        Asked again before anything new was said, it reads nothing anew. Raises as `dream` does."""
        from hybridmem.dreaming.recipes import Recipe
        from hybridmem.dreaming.runner import propose

        if not isinstance(recipe, str | Recipe):
            raise InvalidInput(f"the recipe is {arguments.kind_of(recipe)}: pass its name, or a path of a .toml file")
        self._require_writable("dream")
        return propose(self.workspace, recipe, progress)

    def proposed_dream(self) -> DreamReview | None:
        """The night that waits for your word since `review_dream`, as a diff of what is believed now; None where none
        does. It reads nothing new."""
        from hybridmem.dreaming.runner import proposed

        return proposed(self.workspace)

    def believe(self, accept: Sequence[str]) -> None:
        """Believe these changes of the night that waits (``["all"]`` for all), and nothing else that it read, as
        `dream(accept=...)` does. It trains nothing: the next dream learns them.

        Raises `InvalidInput` where no night waits, and for an id that is none of its changes, and `DreamBusy`."""
        from hybridmem.dreaming.runner import believe

        self._require_writable("work")
        believe(self.workspace, accept)

    def _require_writable(self, verb: str) -> None:
        if self.folder.read_only:
            raise ReadOnlyMemory(f"the memory folder {self.folder.root} cannot be written to: {verb} on a copy of it")

    def dreams(self) -> list[DreamReport]:
        """The reports of every night so far, oldest first."""
        return self.ledger.dreams(self.namespace)

    def probe(self, pairs: Sequence[tuple[str, str]]) -> list[Probe]:
        """Whether the weights still give each (question, answer), asked closed-book; what proves an unlearning.

        Raises `WrongBase` for an active adapter that was trained on another base."""
        from hybridmem.adapters.files import check_base
        from hybridmem.dreaming.steps.unlearn import probe

        active = self.adapters.active()
        if active is not None:
            check_base(active, self.model.name, self.model.sha256)
        return probe(self.model, self.adapters.path(active.version) if active else None, pairs)

    def drift(self) -> float:
        """What the active adapter costs on general text that no dream trained on, in nats per token."""
        from hybridmem.dreaming.runner import drift

        return drift(self.workspace)

    # ---- looking, changing, forgetting

    def get(self, id: str) -> Episode | Fact:
        """Raises `UnknownMemory`."""
        return self.ledger.get(self.namespace, arguments.text("id", id))

    def list(
        self,
        *,
        limit: int = 50,
        after: int | None = None,
        kind: Kind | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> builtins.list[Episode | Fact]:
        """Up to `limit` memories in the order of the ledger, those after the position `after`; with `filters`, as
        `search` takes them, those that satisfy it. Expired and quarantined ones are there too. Raises `InvalidInput`
        for an unknown `kind`, a limit below 1 and a negative position; past the end there is nothing."""
        limit = arguments.whole("limit", limit, least=1, most=arguments.MAX_POSITION)
        after = arguments.whole("after", 0 if after is None else after, least=0, most=arguments.MAX_POSITION)
        if kind is not None:
            arguments.choice("kind", kind, get_args(Kind))
        if filters is not None:
            kinds: tuple[Kind, ...] = (kind,) if kind is not None else ("episode", "fact")
            return self.ledger.matching(self.namespace, parse(filters), kinds=kinds, after=after, limit=limit)
        found: list[Episode | Fact] = []
        if kind != "fact":
            found += self.ledger.episodes(self.namespace, after=after, limit=limit)
        if kind != "episode":
            found += self.ledger.facts(self.namespace, after=after, limit=limit)
        return sorted(found, key=lambda record: record.position)[:limit]

    def update(
        self,
        id: str,
        text: str | None = None,
        *,
        object: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        expires_at: str | float | datetime | Unchanged | None = UNCHANGED,
    ) -> Episode | Fact:
        """Change a memory; what is not given stays, and its history tells of each change.

        `text`: new words in place of the old ones; weights that hold it are no longer believed. A fact's value follows
        its words; `object` says which it is where they do not show it. `metadata` is merged into what is there (a JSON
        merge patch, RFC 7396: None removes a key), `tags` replace the tags, and `expires_at` sets or with None clears
        when it expires. These come first and on their own: after a crash in between, the words are the old ones.
        Raises `UnknownMemory`, and `InvalidInput` as for words that state another fact."""
        from hybridmem.maintenance.rewording import reworded_object

        words = checked_text(arguments.text("text", text)) if text is not None else None
        edit = edit_of(metadata, tags, expires_at)
        if words is None and (object is not None or edit == Edit()):
            raise InvalidInput("there is nothing to change: pass the new text, metadata, tags or expires_at")
        if words is not None:
            object = reworded_object(self.get(id), words, object)
        changed = self.ledger.edit(self.namespace, id, edit, self._now())
        return (
            changed if words is None else self.ledger.update_text(self.namespace, id, words, self._now(), object=object)
        )

    def history(self, id: str) -> builtins.list[Event]:
        """What became of a memory, oldest first."""
        return self.ledger.history(self.namespace, arguments.text("id", id))

    @traced("delete", lambda receipt: {"facts": len(receipt.facts)})
    def delete(self, id: str, *, copies: bool = False) -> ErasureReceipt:
        """Erase a memory everywhere: ledger, history, indexes, training items; adapters that hold it are no longer
        believed, and those not in use lose their weights now. The next dream rebuilds the active one without it.

        The receipt names the other memories that still say it; with `copies`, those in the same words go as well."""
        from hybridmem.maintenance.erasure import erase

        return erase(self.workspace, arguments.text("id", id), copies=copies)

    def delete_many(self, filters: Mapping[str, Any], *, dry_run: bool = False) -> BulkReceipt:
        """Erase every memory that satisfies `filters`, retired, expired and quarantined ones too, as `delete` does and
        in one transaction; with `dry_run`, only say which. Raises `InvalidInput` for a filter that asks for nothing."""
        from hybridmem.maintenance.erasure import erase_matching

        return erase_matching(self.workspace, parse(filters), dry_run=dry_run)

    def quarantine(self, id: str) -> None:
        """Keep a memory out of every search and every dream until `release`."""
        self.ledger.set_quarantine(self.namespace, id, True, self.clock())

    def release(self, id: str) -> None:
        """Let a quarantined memory take part again."""
        self.ledger.set_quarantine(self.namespace, id, False, self.clock())

    def review(self) -> builtins.list[ReviewItem]:
        """What waits for a person's word: facts that contradict what is trusted more, and plans whose day is over."""
        from hybridmem.maintenance.review import waiting

        return waiting(self.workspace)

    def accept(self, id: str) -> Fact:
        """Take your word for a fact of `review`: a contradiction replaces what it contradicts, a past plan is over.

        Raises `UnknownMemory`, and `InvalidInput` for a memory that does not wait."""
        from hybridmem.maintenance.review import accept

        return accept(self.workspace, id)

    def reject(self, id: str) -> ErasureReceipt:
        """Erase a fact of `review` everywhere. Raises `UnknownMemory`, and `InvalidInput` otherwise."""
        from hybridmem.maintenance.review import reject

        return reject(self.workspace, id)

    def why(self, id: str) -> dict[str, Any]:
        """Where a memory came from and where it went: episode -> facts -> adapters, and back."""
        from hybridmem.maintenance.lineage import why

        return why(self.ledger, self.namespace, arguments.text("id", id))

    def namespaces(self) -> builtins.list[Namespace]:
        """Every namespace of the folder that holds something."""
        return self.ledger.namespaces()

    def stats(self) -> dict[str, Any]:
        """Counts of what the ledger holds, memories with a secret in them among it, and the active adapter."""
        active = self.adapters.active()
        return {
            **asdict(self.ledger.counts(self.namespace)),
            "secrets": len(self.secrets()),
            "active_adapter": active.version if active else None,
        }

    # ---- upkeep

    def reindex(self, progress: Progress = quiet) -> int:
        """Build every index anew from the ledger, with the present embedding model."""
        return self.indexes.reindex(lambda done, total: progress("reindex", done, total))

    def secrets(self) -> builtins.list[SecretReport]:
        """The memories that hold a secret, in the order of the ledger, each with its kinds and without the secret. No
        training reads these; `redact="store"` keeps new ones out, and `update` or `delete` removes them."""
        from hybridmem.maintenance.secrets import secrets

        return secrets(self.ledger, self.namespace)

    def doctor(self, *, repair: bool = False) -> builtins.list[str]:
        """What is wrong with this memory, one line each; with `repair`, mended where nothing can be lost by it."""
        from hybridmem.maintenance.doctor import examine

        return examine(self.workspace, repair=repair)

    def export(self, path: str | Path) -> int:
        """Write the namespace as JSON lines; returns how many."""
        from hybridmem.maintenance.transfer import export

        return export(self.ledger, self.namespace, arguments.path("path", path))

    def import_(self, path: str | Path) -> Restored:
        """Read what `export` wrote; returns how much of it was taken in, and what was left out as it is here already or
        was erased here."""
        from hybridmem.maintenance.transfer import import_

        return import_(self.ledger, self.namespace, arguments.path("path", path))

    def export_markdown(self, folder: str | Path) -> MarkdownExport:
        """Write what is believed and kept into `folder`: a file a subject, and a file a day with what was said.

        A person reads and edits the files, keeps them in git or within an Obsidian vault, and `import_markdown` takes
        the edits back. Equal memories give equal bytes. Only files that an export made are written or removed. Raises
        `InvalidInput` where an earlier export in `folder` has edits that were not imported."""
        from hybridmem.maintenance.markdown.exporting import export

        return export(self.workspace, arguments.path("folder", folder))

    def import_markdown(
        self, folder: str | Path, *, dry_run: bool = False, delete: bool = False, prefer: Prefer | None = None
    ) -> MarkdownReceipt:
        """Take a person's edits in a folder of `export_markdown` into the memory, as `add_fact`, `add`, `update` and
        `delete_many` do, and bring the files up to it. With `dry_run`, only say what would be done.

        A line in the place of another supersedes its value, a new line is added, and with `delete` a memory whose line
        is gone is erased; without, it stays and the receipt names it. What was changed in the memory since the export
        as well is a conflict: it is named and stays as it is on both sides, unless `prefer` says which side is right.
        Raises `InvalidInput` for any other folder."""
        from hybridmem.maintenance.markdown.importing import import_

        if prefer is not None:
            arguments.choice("prefer", prefer, ("file", "memory"))
        return import_(
            self.workspace, self, arguments.path("folder", folder), dry_run=dry_run, delete=delete, prefer=prefer
        )

    def agents_md(self, file: str | Path, *, budget: int = 800, dry_run: bool = False) -> AgentsSection:
        """Put what is known best into an AGENTS.md, between markers, in at most `budget` tokens (estimated at four
        characters each); the rest of the file stays byte for byte. With `dry_run`, only say what would stand there.

        Nothing else writes such a file. Every prompt of the agent that reads it pays its tokens. Raises `InvalidInput`
        for a file whose markers are broken."""
        from hybridmem.maintenance.agents_md import write

        return write(
            self.workspace,
            arguments.path("file", file),
            arguments.whole("budget", budget, least=1, most=MOST_AT_ONCE),
            dry_run=dry_run,
        )

    def trainable(self) -> TrainableModel:
        """The model, when a dream can train it. Raises `ModelError`."""
        return self.workspace.trainable()

    aadd = _twin(add)
    aadd_fact = _twin(add_fact)
    asearch = _twin(search)
    aanswer = _twin(answer)
    aanswer_many = _twin(answer_many)
    areflect = _twin(reflect)
    aprofile = _twin(profile)
    askills = _twin(skills)
    alearn_skills = _twin(learn_skills)
    adream = _twin(dream)
    aget = _twin(get)
    alist = _twin(list)
    aupdate = _twin(update)
    ahistory = _twin(history)
    adelete = _twin(delete)
    adelete_many = _twin(delete_many)
    awhy = _twin(why)
    astats = _twin(stats)
