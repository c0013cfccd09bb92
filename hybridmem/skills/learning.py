"""From the runs of a conversation to the memory: each under the request that asked for it.

A run that began as a known procedure for the same task and broke off at a step that failed counts as a failure of that
procedure too: so one that no longer works is found out, whatever was done instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, Fact, new_id
from hybridmem.core.roles import least_trusted
from hybridmem.core.skills import SkillStep
from hybridmem.core.text.injected import without_injected
from hybridmem.importers.message import turns
from hybridmem.redaction import redact
from hybridmem.skills.calls import Call, Result, calls_and_results
from hybridmem.skills.memory_kind import admitted, relation, sentence, steps_of, steps_text, to_metadata
from hybridmem.skills.outcome import Ending
from hybridmem.skills.runs import Run, Said, runs
from hybridmem.skills.session_logs import Logged
from hybridmem.skills.template import Template
from hybridmem.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LearnedSkills:
    """What a conversation added to the skills."""

    facts: tuple[str, ...]
    """Ids of the memories that keep the procedures, each once."""
    runs: int
    """Runs that were taken in."""
    already: int = 0
    """Runs whose request had been taken in before."""
    without_source: int = 0
    """Runs whose request is no memory here, because it was erased, reworded or left out: nothing would carry them."""
    requests: tuple[str, ...] = ()
    """Ids of the memories that asked for the runs that were taken in."""


def events(messages: Iterable[object]) -> Iterator[Said | Call | Result]:
    """What happened in a conversation, in order. The turns are counted as `add` counts them."""
    turn = 0
    for message in messages:
        held = calls_and_results(message)
        own = {each.id for each in held if isinstance(each, Call) and each.id}
        # Of what was called before the words, and of calls that the message itself has.
        earlier = [each for each in held if isinstance(each, Result) and each.call not in own]
        yield from earlier
        for each in turns(message):
            if each.role == "user" and each.trust == "user":
                yield Said(each.text, turn)
            turn += 1
        yield from (each for each in held if isinstance(each, Call) or each.call in own)


def learn_added(workspace: Workspace, messages: Sequence[object], episodes: Sequence[Episode]) -> LearnedSkills:
    """Take in the runs of `messages`, which `add` has stored as `episodes`, a turn each."""
    return _learn(workspace, [(run, episodes[run.turn]) for run in runs(events(messages))])


def learn_traced(
    workspace: Workspace, happened: Iterable[Said | Call | Result], requests: Mapping[int, Episode]
) -> LearnedSkills:
    """Take in the runs of one session whose outcome is known. `requests`: what the memory holds of its turns."""
    return _learn(workspace, _judged([(run, requests.get(run.turn)) for run in runs(happened)]))


def learn_logged(
    workspace: Workspace, messages: Iterable[Logged], *, judged: bool = False, but: Collection[str] = ()
) -> LearnedSkills:
    """Take in the runs of logged messages, whose words an import has stored. The last run of a session is left for
    another time where its end is unknown: the session may go on. With `judged`, every such run is left.

    `but`: ids of requests that are passed over, as what came of them may have been deleted since."""
    sessions: dict[str | None, list[Logged]] = {}
    for each in messages:
        sessions.setdefault(each.session, []).append(each)
    found: list[tuple[Run, Episode | None]] = []
    for session, logged in sessions.items():
        readable = [each.message for each in logged if _is_readable(each.message)]
        happened = list(events(readable))
        texts = {each.turn: each.text for each in happened if isinstance(each, Said)}
        requests = _Requests(workspace, session, list(texts.values()))
        episodes = {turn: requests.next(text) for turn, text in texts.items()}
        every = list(runs(happened))
        if every and every[-1].turn == max(texts) and every[-1].ending.outcome == "unknown":
            every.pop()
        found += [(run, episodes[run.turn]) for run in every]
    found = [(run, request) for run, request in found if request is None or request.id not in but]
    return _learn(workspace, _judged(found) if judged else found)


def _judged(found: Sequence[tuple[Run, Episode | None]]) -> list[tuple[Run, Episode | None]]:
    return [(run, request) for run, request in found if run.ending.outcome != "unknown"]


def _is_readable(message: object) -> bool:
    try:
        turns(message)
    except (InvalidInput, RecursionError):
        return False
    return True


class _Requests:
    """The episodes of a session's requests, found by their words: the first of those in the same words first."""

    def __init__(self, workspace: Workspace, session: str | None, texts: Sequence[str]) -> None:
        asked = {wording for text in texts for wording in self._wordings(text)}
        said = [each for each in workspace.ledger.said(workspace.namespace, sorted(asked)) if each.role == "user"]
        here = [each for each in said if each.session == session]
        self._left = here or said

    def _wordings(self, text: str) -> set[str]:
        """The words as an import stores them, and as one does that removes secrets."""
        return {each for plain in (text, without_injected(text)) for each in (plain, redact(plain)) if each}

    def next(self, text: str) -> Episode | None:
        wordings = self._wordings(text)
        found = next((each for each in self._left if each.text in wordings), None)
        if found is not None:
            self._left.remove(found)
        return found


def _learn(workspace: Workspace, found: Sequence[tuple[Run, Episode | None]]) -> LearnedSkills:
    ledger, namespace = workspace.ledger, workspace.namespace
    requests = {episode.id for _, episode in found if episode is not None}
    known_requests = {id for id in requests if any(map(steps_of, ledger.facts(namespace, source=id)))}
    known = [each for each in ledger.matching(namespace, admitted(successes=True)) if isinstance(each, Fact)]
    stored: dict[str, None] = {}
    taken: list[str] = []
    already = without_source = 0
    for run, request in found:
        if request is None:
            without_source += 1
        elif request.id in known_requests:
            already += 1
        else:
            taken.append(request.id)
            for broken, ending in _broken(run, known):
                stored[_put(workspace, broken, ending, request).id] = None
            if run.is_procedure:
                fact = _put(workspace, Template.of(run.task, run.steps), run.ending, request)
                stored[fact.id] = None
                if run.ending.outcome == "success":
                    known.append(fact)
    return LearnedSkills(tuple(stored), len(taken), already, without_source, tuple(taken))


def _put(workspace: Workspace, template: Template, ending: Ending, request: Episode) -> Fact:
    now = workspace.clock()
    fact = Fact(
        id=new_id("fa"),
        namespace=workspace.namespace,
        subject=template.task,
        relation=relation(ending),
        object=steps_text(template.steps),
        text=sentence(template.task, ending, template.steps),
        valid_from=request.at,
        recorded_at=now,
        sources=(request.id,),
        # The steps are the agent's and what tools made of them: at most a tool's word.
        trust=least_trusted("tool", request.trust),
        metadata=to_metadata(template.steps),
    )
    return workspace.ledger.put_fact(fact, replace=False)


def _broken(run: Run, known: Sequence[Fact]) -> Iterator[tuple[Template, Ending]]:
    """The known procedures for the same task that `run` followed from the first step up to one that failed."""
    seen: set[Template] = set()
    for fact in known:
        template = Template(fact.subject, steps_of(fact))
        steps = template.filled(run.task)
        if not steps or template in seen or (steps == run.steps and run.ending.outcome == "failure"):
            continue
        seen.add(template)
        if (ending := _broke(run, steps)) is not None:
            yield template, ending


def _broke(run: Run, steps: Sequence[SkillStep]) -> Ending | None:
    for attempt, step in zip(run.attempts, steps, strict=False):
        if attempt.step != step:
            return None
        if attempt.failed:
            return Ending.of(attempt.verdict)
    return None
