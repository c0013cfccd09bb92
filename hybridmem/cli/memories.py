"""Commands on single memories: write, find, read, correct, erase."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import typer
from rich.tree import Tree

from hybridmem.cli import imports, output
from hybridmem.cli.filtering import FilterOption, SearchFilters, written_filters
from hybridmem.cli.imports import ImportOptions
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.typed import typed
from hybridmem.core import arguments
from hybridmem.core.clock import end_of_time, parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import (
    ROUTES,
    Episode,
    ErasureReceipt,
    Event,
    Fact,
    Hit,
    Kind,
    Route,
    Trust,
    to_json,
)
from hybridmem.core.text.plural import counted

app = typer.Typer()
WRITE, FIND, CORRECT = "Write", "Find", "Correct and erase"
Id = Annotated[str, typer.Argument(metavar="ID", help="The memory's id, as `list` and `search` show it.")]


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """Who said a text, when and where, and who vouches for it."""

    session: Annotated[str | None, typer.Option(help="The conversation to which it belongs.")] = None
    at: Annotated[str | None, typer.Option(metavar="DATE", help="When it was said, in ISO 8601 (default: now).")] = None
    role: Annotated[str, typer.Option(help="Who spoke: user, assistant, tool ...")] = "user"
    speaker: Annotated[str | None, typer.Option(help="The speaker's name.")] = None
    trust: Annotated[
        Trust | None,
        typer.Option(
            metavar="|".join(get_args(Trust)),
            help="Who vouches for it, where that is less than the role is trusted with; what tools and web pages say "
            "never goes into weights.",
        ),
    ] = None
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Anything else to keep with it; may be repeated.")
    ] = None
    tag: Annotated[list[str] | None, typer.Option(help="A label to find it by; may be repeated.")] = None
    expires: Annotated[
        str | None, typer.Option(metavar="DATE", help="When to forget it, in ISO 8601 (default: never).")
    ] = None


@command(app, panel=WRITE)
def add(
    call: Invocation,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What to remember; - reads it from stdin.")
    ] = None,
    source_file: Annotated[
        str | None, typer.Option("--from", metavar="PATH", help="Import a file, zip or folder instead.")
    ] = None,
    *,
    imported: ImportOptions,
    turn: TurnOptions,
) -> None:
    """Remember a text, or what a file, zip or folder holds: chats, other systems' memories, agents' logs, notes.

    The same import twice adds nothing. It calls no model, and what it reports is on disk."""
    if (text is None) == (source_file is None):
        raise InvalidInput("nothing to add, or too much: pass one TEXT, or - for stdin, or --from FILE")
    if source_file is not None:
        path = arguments.path("--from", source_file)
        if imported.watch:
            imports.watch(call, path, imported)
        else:
            imports.add_from(call, path, imported)
        return
    if imported.watch:
        raise InvalidInput("--watch follows a file or folder: name it with --from PATH")
    with call.open(create=True) as memory:
        added = memory.add(
            typed(str(text)),
            session=turn.session,
            at=parse_time(turn.at) if turn.at is not None else None,
            metadata=_metadata(turn.metadata or []),
            trust=turn.trust,
            role=turn.role,
            speaker=turn.speaker,
            tags=turn.tag or (),
            expires_at=turn.expires,
        )
    call.answer(
        {"added": added, "broken": [], "already": 0}, *(output.plain(f"added {episode.id}") for episode in added)
    )


@command(app, panel=FIND)
def search(
    call: Invocation,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for, in plain words.")],
    limit: Annotated[int, typer.Option(min=1, help="Most memories to return.")] = 10,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Search what held at the end of that day, or at that moment, in ISO 8601."),
    ] = None,
    reference_date: Annotated[
        str | None,
        typer.Option(metavar="DATE", help='The day from which "last week" in the query is seen (default: today).'),
    ] = None,
    token_budget: Annotated[
        int | None, typer.Option(min=1, help="Most tokens of text in all, by the model's count.")
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option(metavar="|".join(get_args(Kind)), help="Only episodes or only facts.")
    ] = None,
    *,
    kept: SearchFilters,
) -> None:
    """Find memories, best first, each with every searcher's contribution to its score."""
    with call.open() as memory:
        hits = memory.search(
            query,
            limit=limit,
            as_of=end_of_time(as_of) if as_of is not None else None,
            token_budget=token_budget,
            kinds=(kind,) if kind is not None else get_args(Kind),
            reference_date=end_of_time(reference_date) if reference_date is not None else None,
            **kept.options(),
        )
    found = _hits(hits) if hits else output.plain("nothing found")
    call.answer({"query": query, "hits": hits}, found)


@command(app, panel=FIND)
def ask(
    call: Invocation,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="A question that the memories may answer.")],
    route: Annotated[
        Route | None, typer.Option(metavar="|".join(ROUTES), help="Force a route instead of leaving it to the router.")
    ] = None,
    reference_date: Annotated[
        str | None,
        typer.Option(metavar="DATE", help='The day from which "last week" in the question is seen (default: today).'),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell why this route, and what each of the others would have said.")
    ] = False,
) -> None:
    """Answer from the weights, from retrieval, from both, or not at all, and show the grounds."""
    if explain and route is not None:
        raise InvalidInput("--explain tells why the router chose a route: leave out --route")
    with call.open() as memory:
        explanation = memory.explain(question, reference_date=reference_date) if explain else None
        answer = (
            explanation.answer if explanation else memory.answer(question, route=route, reference_date=reference_date)
        )
    grounds = {
        "route": answer.route,
        "confidence": answer.confidence,
        "prompt tokens": answer.prompt_tokens,
        "adapter": answer.adapter,
        "seconds": answer.seconds,
    }
    evidence = [_hits(answer.evidence, "evidence")] if answer.evidence else []
    if explanation is None:
        call.answer(answer, output.plain(answer.text, "bold"), output.pairs(grounds), *evidence)
        return
    call.answer(
        explanation,
        output.plain(answer.text, "bold"),
        output.plain(explanation.why),
        output.pairs({**grounds, **_promise(explanation.threshold, explanation.risk, explanation.feasible)}),
        output.table(
            ["route", "answer", "#confidence", "#prompt tokens", "#seconds"],
            [
                (name, said.answer.text, said.answer.confidence, said.answer.prompt_tokens, said.answer.seconds)
                for name, said in explanation.routes.items()
            ],
            "forced",
        ),
        *evidence,
    )


@command(app, panel=CORRECT)
def feedback(
    call: Invocation,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="A question that was asked.")],
    answer: Annotated[
        str | None,
        typer.Argument(metavar="[ANSWER]", help="What is right; leave it out where the memory cannot know."),
    ] = None,
) -> None:
    """Tell what the right answer to a question is, so that the router learns how far it may be believed.

    Tell of right answers too, not only of wrong ones. Neither question nor answer is kept."""
    with call.open() as memory:
        told = memory.feedback(question, answer)
    verdict = "it would have been answered wrongly" if told.was_wrong else "it would not have been answered wrongly"
    promise = _promise(told.threshold, told.risk, told.feasible)
    call.answer(told, output.plain(verdict), output.pairs({"abstained below": told.threshold_before, **promise}))


@command(app, "list", panel=FIND)
def list_memories(
    call: Invocation,
    limit: Annotated[int, typer.Option(min=1, help="Most memories to return.")] = 50,
    after: Annotated[
        int | None,
        typer.Option(min=0, metavar="POSITION", help="Continue after this position, which the previous page prints."),
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option(metavar="|".join(get_args(Kind)), help="Only episodes or only facts.")
    ] = None,
    filter: FilterOption = None,
) -> None:
    """Show the memories in the order in which they were written, one page at a time."""
    with call.open() as memory:
        page = memory.list(limit=limit + 1, after=after, kind=kind, filters=written_filters(filter or ()))
    more = len(page) > limit
    page = page[:limit]
    following = page[-1].position if more else None
    rows = [
        (m.position, "episode", m.id, m.at, None, _text(m))
        if isinstance(m, Episode)
        else (m.position, "fact", m.id, m.valid_from, m.claim, m.text)
        for m in page
    ]
    end = [output.plain(f"more: hybridmem list --after {following}", "dim")] if more else []
    tables = (
        [output.table(["#position", "kind", "id", "when", "claim", "text"], rows)]
        if page
        else [output.plain("no memories")]
    )
    call.answer({"memories": [_record(m) for m in page], "next": following}, *tables, *end)


@command(app, panel=FIND)
def show(call: Invocation, id: Id) -> None:
    """Show one memory with everything recorded about it."""
    with call.open() as memory:
        record = memory.get(id)
    claim = {"claim": record.claim} if isinstance(record, Fact) else {}
    reject = f"wrong? `hybridmem delete {record.id}` removes it everywhere, the weights included"
    notes = [output.plain(reject, "dim")] if isinstance(record, Fact) else []
    call.answer(_record(record), output.pairs({"kind": _kind(record), **claim, **output.fields(record)}), *notes)


@command(app, panel=FIND)
def history(call: Invocation, id: Id) -> None:
    """Show a memory's history: when it was added, updated, superseded or deleted."""
    with call.open() as memory:
        events = memory.history(id)
    rows = [(event.at, event.event, event.text, event.by, _changes(event)) for event in events]
    call.answer({"id": id, "events": events}, output.table(["when", "event", "text", "by", "changes"], rows))


@command(app, panel=FIND)
def why(call: Invocation, id: Id) -> None:
    """Trace a memory: from episodes to facts to the adapters that hold them, and back."""
    with call.open() as memory:
        trace = to_json(memory.why(id))
    call.answer(trace, _with_branches(Tree(output.plain(id, "bold")), trace))


@command(app, panel=CORRECT)
def update(
    call: Invocation,
    id: Id,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="The new words; - reads them from stdin.")
    ] = None,
    object: Annotated[
        str | None, typer.Option(metavar="VALUE", help="A fact's new value, where the words do not show which it is.")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Set a value, or with null remove it; may be repeated."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A label in place of those that it has; may be repeated, empty for none.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DATE|never", help="When to forget it, in ISO 8601, or never.")
    ] = None,
) -> None:
    """Change a memory's words, metadata, tags or expiry. The old ones stay in its history, and weights that hold old
    words are no longer trusted."""
    changes: dict[str, Any] = {}
    if metadata is not None:
        changes["metadata"] = _metadata(metadata)
    if tag is not None:
        changes["tags"] = [each for each in tag if each.strip()]
    if expires is not None:
        changes["expires_at"] = None if expires == "never" else expires
    with call.open() as memory:
        record = memory.update(id, None if text is None else typed(text), object=object, **changes)
    call.answer(_record(record), output.plain(f"updated {record.id}"))


@command(app, panel=CORRECT)
def delete(
    call: Invocation,
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The memory's id, as `list` and `search` show it.")
    ] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Erase the other memories in the same words as well.")
    ] = False,
    filter: FilterOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --filter: only say which memories.")] = False,
) -> None:
    """Erase a memory, or all that satisfy --filter, everywhere, and print a receipt. Weights that hold it lose trust
    now and unlearn it next dream."""
    if (id is None) == (filter is None):
        raise InvalidInput("nothing to delete, or too much: pass one ID, or --filter FIELD=VALUE")
    if dry_run and filter is None:
        raise InvalidInput("--dry-run goes with --filter: `hybridmem show ID` says what one memory is")
    if copies and id is None:
        raise InvalidInput("--copies goes with one ID: a filter names every memory that it deletes")
    with call.open() as memory:
        receipt = (
            memory.delete(id, copies=copies)
            if id is not None
            else memory.delete_many(written_filters(filter or ()) or {}, dry_run=dry_run)
        )
    places = {
        "removed": receipt.removed,
        "facts that went with it": receipt.facts,
        "adapters no longer trusted on it": receipt.tainted_adapters,
        "still to do": receipt.pending or "nothing",
        "others in the same words": receipt.copies,
        "others that mention it": receipt.mentions,
    }
    if isinstance(receipt, ErasureReceipt):
        call.answer(receipt, output.plain(f"deleted {receipt.id}"), output.pairs(places))
        return
    done = f"{'would delete' if dry_run else 'deleted'} {counted(len(receipt.ids), 'memory', 'memories')}"
    ids = [output.plain(each) for each in receipt.ids]
    call.answer(receipt, output.plain(done), *ids, *([] if dry_run else [output.pairs(places)]))


@command(app, panel=CORRECT)
def policy(
    call: Invocation,
    half_life_days: Annotated[
        float | None,
        typer.Option(min=0, metavar="DAYS", help="Rank older memories lower, by half every so many days; 0: not."),
    ] = None,
    expire_after: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRUST=DAYS", help="Expire what is added from now on with this trust, or never; may be repeated."
        ),
    ] = None,
    risk: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of all questions that may be answered wrongly.")
    ] = None,
) -> None:
    """Show, or change, how long this namespace keeps what it is told, how age counts in its searches, and how many of
    its answers may be wrong."""
    with call.open() as memory:
        chosen = memory.policy
        if half_life_days is not None or expire_after is not None or risk is not None:
            chosen = memory.set_policy(
                half_life_days=chosen.half_life_days if half_life_days is None else half_life_days or None,
                expire_after_days=_lengths(chosen.expire_after_days, expire_after or ()),
                risk=chosen.risk if risk is None else risk,
            )
    call.answer(chosen, output.pairs(output.fields(chosen)))


@command(app, panel=CORRECT)
def review(
    call: Invocation,
    action: Annotated[
        Literal["accept", "reject"] | None, typer.Argument(metavar="[accept|reject]", help="What to do with ID.")
    ] = None,
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The fact's id, as `review` lists it.")] = None,
) -> None:
    """List what waits for your word, or accept or reject one of it.

    That is facts that contradict what somebody of higher trust said, and plans whose day is over, each with its
    sentence. What is accepted replaces what it contradicts; what is rejected is erased everywhere."""
    if action is not None and id is None:
        raise InvalidInput(f"review {action} takes an ID: `hybridmem review` lists what waits")
    with call.open() as memory:
        if action == "accept":
            fact = memory.accept(str(id))
            call.answer(_record(fact), output.plain(f"accepted {fact.id}: {fact.claim}"))
        elif action == "reject":
            receipt = memory.reject(str(id))
            call.answer(receipt, output.plain(f"rejected {receipt.id}"), output.pairs({"removed": receipt.removed}))
        else:
            items = memory.review()
            nothing = [] if items else [output.plain("nothing waits")]
            call.answer({"waiting": items}, *nothing, *(output.pairs(output.fields(item)) for item in items))


@command(app, panel=CORRECT)
def quarantine(call: Invocation, id: Id) -> None:
    """Keep a doubtful memory out of answers and out of the weights, without erasing it."""
    with call.open() as memory:
        memory.quarantine(id)
    call.answer({"id": id, "quarantined": True}, output.plain(f"quarantined {id}: `hybridmem release {id}` undoes it"))


@command(app, panel=CORRECT)
def release(call: Invocation, id: Id) -> None:
    """End a memory's quarantine, so that it is found again."""
    with call.open() as memory:
        memory.release(id)
    call.answer({"id": id, "quarantined": False}, output.plain(f"released {id}"))


def _kind(memory: Episode | Fact) -> Literal["episode", "fact"]:
    return "episode" if isinstance(memory, Episode) else "fact"


def _lengths(before: Mapping[str, float], given: Sequence[str]) -> dict[Any, float]:
    """`before` with the TRUST=DAYS pairs `given`. Raises `InvalidInput`."""
    lengths = dict(before)
    for pair in given:
        trust, _, days = pair.partition("=")
        if days == "never":
            lengths.pop(trust, None)
            continue
        try:
            lengths[trust] = float(days)
        except ValueError:
            raise InvalidInput(f"--expire-after {pair!r} is not TRUST=DAYS: write it as web=30 or web=never") from None
    return lengths


def _changes(event: Event) -> str | None:
    """What an edit changed, as ``metadata.channel: "chat" to "mail"``."""
    said = [f"{name}: {json.dumps(before)} to {json.dumps(after)}" for name, (before, after) in event.changes.items()]
    return "; ".join(said) or None


def _text(memory: Episode | Fact) -> str:
    return memory.quoted if isinstance(memory, Episode) else memory.text


def _record(memory: Episode | Fact) -> dict[str, Any]:
    return {"kind": _kind(memory), **to_json(memory)}


def _promise(threshold: float, risk: float, feasible: bool) -> dict[str, Any]:
    """When the router abstains, and what that promises."""
    promised = "promised" if feasible else "not promised: too few questions with known answers"
    return {"abstains below": threshold, "wrong answers": f"{risk:.1%} of all questions at most, {promised}"}


def _hits(hits: list[Hit] | tuple[Hit, ...], title: str | None = None) -> Any:
    rows = [(hit.score, hit.relevance, hit.kind, hit.id, hit.at, hit.claim, hit.text, hit.why) for hit in hits]
    return output.table(["#score", "#relevance", "kind", "id", "when", "claim", "text", "why"], rows, title)


def _with_branches(tree: Tree, value: Any) -> Tree:
    """`tree` with a branch for every name and item of `value`."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, (dict, list)) and each:
                _with_branches(tree.add(output.plain(key)), each)
            elif not isinstance(each, (dict, list)):
                tree.add(output.plain(f"{key}: {output.render_value(each)}"))
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict):
                name = str(each.get("id") or each.get("version") or "-")
                _with_branches(tree.add(output.plain(name, "bold")), {k: v for k, v in each.items() if v != name})
            else:
                tree.add(output.plain(output.render_value(each)))
    else:
        tree.add(output.plain(output.render_value(value)))
    return tree


def _metadata(given: list[str]) -> dict[str, Any]:
    """KEY=VALUE pairs as a dict; a value that is not JSON is taken as a string."""
    metadata: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise InvalidInput(f"--metadata {pair!r} is not KEY=VALUE: write it as channel=chat")
        try:
            metadata[key.strip()] = json.loads(value)
        except ValueError:
            metadata[key.strip()] = value
    return metadata
