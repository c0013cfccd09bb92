"""One namespace as a file of JSON lines, and back: episodes, facts, blocks and histories, with their ids, dates and
links, and standing questions.

The first line is a header with the format's name, its version and how many lines of each kind follow, so that a file
that was cut short is noticed. Each other line is a memory, in the order of the ledger, or one event of a history. The
file names no namespace: it can be read into any. Adapters are not in it (`hybridmem adapters export`), nor are
training items and counts of use: a dream makes them anew.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput, NewerFormat
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Event, Fact, checked_text, to_json
from hybridmem.core.standing import Block, checked_block
from hybridmem.importers.base import checked_file, lines
from hybridmem.stores.ledger.archive import Archive, KeptQuestion, Restored
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.validation import checked_episode, checked_fact

FORMAT, VERSION = "hybridmem-export", 4
Record = Episode | Fact | Event | Block | KeptQuestion
_KINDS: Mapping[str, type[Record]] = {
    "episode": Episode,
    "fact": Fact,
    "event": Event,
    "block": Block,
    "block_event": Event,
    "question": KeptQuestion,
}
_KIND_SINCE = {"block": 4, "block_event": 4, "question": 4}
"""The version in which a kind of line came. A header counts those that its file has."""
_LEFT_OUT = {"namespace", "position"}
"""Fields that the ledger which reads the file sets itself."""
_SINCE: Mapping[str, Mapping[str, tuple[int, Any]]] = {
    "episode": {"expires_at": (3, None)},
    "fact": {
        "question": (2, ""),
        "stated_to": (3, None),
        "replaces": (3, True),
        "metadata": (3, {}),
        "expires_at": (3, None),
    },
    "event": {"changes": (3, {})},
    "block_event": {"changes": (4, {})},
    "block": {},
    "question": {},
}
"""By kind: the version in which a field came, and the value that a line without it means. A file has the lowest version
that its lines need."""


def export(ledger: Ledger, namespace: Namespace, path: Path) -> int:
    """Write `namespace` to the file `path`, whole or not at all; returns the lines behind the header.

    Equal ledgers give equal files, byte for byte. Raises `OSError`."""
    archive = ledger.archive(namespace)
    lines = list(_lines(archive))
    counts = Counter(line["kind"] for line in lines)
    came = [_SINCE[line["kind"]][name][0] for line in lines for name in line.keys() & _SINCE[line["kind"]].keys()]
    version = max([*came, *(_KIND_SINCE.get(kind, 1) for kind in counts)], default=1)
    if version < 3 and _with_stated_intervals(list(archive.memories)) != list(archive.memories):
        version = 3
    counted = {f"{kind}s": counts[kind] for kind in _KINDS if counts[kind] or kind not in _KIND_SINCE}
    header = {"format": FORMAT, "version": version, **counted}
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # A lone surrogate, which metadata may hold, becomes the very escape that JSON has for it.
        with unfinished.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            for line in (header, *lines):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
    return len(lines)


def import_(ledger: Ledger, namespace: Namespace, path: Path) -> Restored:
    """Take the file that `export` wrote into `namespace`, whole or not at all. What is there already, or was erased
    from there, is left out and counted.

    Raises `InvalidInput`, naming the first broken line; `NewerFormat` for the file of a newer version."""
    checked_file(path)
    values = _values(path)
    header = _header(path, next(values, (1, None))[1])
    read: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    extracted = set()
    memories: list[Episode | Fact] = []
    for number, value in values:
        with _broken(path, number):
            record, was_extracted = _record(namespace, value)
        read[value["kind"]].append(record)
        if isinstance(record, Episode | Fact):
            memories.append(record)
        if isinstance(record, Episode) and was_extracted:
            extracted.add(record.id)
    _require_counts(path, header, read)
    if header["version"] < 3:
        memories = _with_stated_intervals(memories)
    archive = Archive(
        tuple(memories),
        frozenset(extracted),
        tuple(read["event"]),
        tuple(read["block"]),
        tuple(read["block_event"]),
        tuple(read["question"]),
    )
    return ledger.restore(namespace, archive)


def _with_stated_intervals(memories: list[Episode | Fact]) -> list[Episode | Fact]:
    """The memories of a file that has only the ends that came of it, as the ledger's migration completes its own."""
    facts = [memory for memory in memories if isinstance(memory, Fact)]
    standing = Counter(fact.slot for fact in facts if fact.current and not fact.quarantined)
    return [
        replace(
            memory,
            stated_to=memory.valid_to if memory.superseded_by is None else None,
            replaces=not memory.quarantined and not (memory.current and standing[memory.slot] > 1),
        )
        if isinstance(memory, Fact)
        else memory
        for memory in memories
    ]


def _lines(archive: Archive) -> Iterator[dict[str, Any]]:
    """The lines behind the header."""
    for memory in archive.memories:
        kind = "episode" if isinstance(memory, Episode) else "fact"
        line = _line(kind, memory)
        yield {**line, "extracted": memory.id in archive.extracted} if kind == "episode" else line
    for event in archive.events:
        yield _line("event", event)
    for block in archive.blocks:
        yield _line("block", block)
    for event in archive.block_events:
        yield _line("block_event", event)
    for question in archive.questions:
        yield _line("question", question)


def _line(kind: str, record: Record) -> dict[str, Any]:
    """The record's fields, without those that say what a line without them means."""
    since = {name: default for name, (_, default) in _SINCE[kind].items()}
    fields = {name: value for name, value in to_json(record).items() if name not in _LEFT_OUT}
    return {
        "kind": kind,
        **{name: value for name, value in fields.items() if name not in since or value != since[name]},
    }


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    """(number, value) of each line."""
    for number, raw in lines(path):
        if raw is not None and not raw.strip():
            # An editor leaves them; what is missing, the header's counts tell.
            continue
        with _broken(path, number):
            if raw is None:
                raise InvalidInput("it is too long")
            try:
                value = json.loads(raw.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise InvalidInput(f"it is not UTF-8 at byte {error.start + 1}") from None
            except (ValueError, RecursionError):
                raise InvalidInput("it is not JSON") from None
        yield number, value


def _header(path: Path, value: Any) -> dict[str, int]:
    """The file's version, and how many lines of each kind it promises."""
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("version"), int):
        raise InvalidInput(
            f"{path} is no file that `hybridmem export` wrote: for conversations, use `hybridmem add --from {path}`"
        )
    if value["version"] > VERSION:
        raise NewerFormat(
            f"{path} has format {value['version']} and this hybridmem reads up to {VERSION}: "
            f"run `pip install --upgrade hybridmem`"
        )
    counts: dict[str, Any] = {kind: value.get(f"{kind}s", 0 if kind in _KIND_SINCE else None) for kind in _KINDS}
    if not all(isinstance(count, int) for count in counts.values()):
        raise InvalidInput(f"line 1 of {path} is broken (it lacks a count), and nothing was imported: export it again")
    return {**counts, "version": value["version"]}


def _require_counts(path: Path, promised: Mapping[str, int], read: Mapping[str, Sequence[Record]]) -> None:
    for kind in _KINDS:
        count = promised[kind]
        if len(read[kind]) != count:
            raise InvalidInput(
                f"{path} has {len(read[kind])} {kind}s and its header says {count}: it was cut or edited, "
                f"export it again"
            )


def _record(namespace: Namespace, value: Any) -> tuple[Record, bool]:
    """The record of one line, checked as the ledger will, and whether it is an episode that a dream has read."""
    if not isinstance(value, dict) or value.get("kind") not in _KINDS:
        raise InvalidInput(f"its kind is not one of {', '.join(_KINDS)}")
    kind = _KINDS[value["kind"]]
    hints = _hints(value["kind"])
    since = {name: default for name, (_, default) in _SINCE[value["kind"]].items()}
    given = since | {name: each for name, each in value.items() if name != "kind"}
    for name in sorted(given.keys() ^ hints.keys()):
        raise InvalidInput(f"it has the unknown field {name!r}" if name in given else f"it lacks the field {name!r}")
    parsed = {name: _checked(hints[name], name, each) for name, each in given.items()}
    if kind is Block:
        return checked_block(Block(**parsed)), False
    if kind is KeptQuestion:
        return KeptQuestion(parsed["id"], checked_text(parsed["question"])), False
    if kind is Event:
        if parsed["text"] is not None and value["kind"] == "event":
            checked_text(parsed["text"])
        return Event(**parsed), False
    if kind is Fact:
        return checked_fact(Fact(**parsed, namespace=namespace)), False
    extracted = parsed.pop("extracted")
    return checked_episode(Episode(**parsed, namespace=namespace)), extracted


@functools.cache
def _hints(kind: str) -> dict[str, Any]:
    """The type of each field of a line of that kind."""
    hints = {name: hint for name, hint in get_type_hints(_KINDS[kind]).items() if name not in _LEFT_OUT}
    return hints | {"extracted": bool} if kind == "episode" else hints


def _checked(hint: Any, name: str, value: Any) -> Any:
    """`value` as JSON gave it, as a value of type `hint`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is types.UnionType:
        return None if value is None else _checked(arguments[0], name, value)
    if hint is datetime and isinstance(value, str):
        return parse_time(value)
    if origin is tuple and isinstance(value, list):
        return tuple(_checked(arguments[0], name, each) for each in value)
    if origin is Literal and value in arguments:
        return value
    plain = dict if origin is Mapping else hint
    if isinstance(plain, type) and type(value) is plain:
        return value
    raise InvalidInput(f"its {name} cannot be {json.dumps(value)[:40]}")


@contextlib.contextmanager
def _broken(path: Path, number: int) -> Iterator[None]:
    """Says in which line of `path` something is wrong."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"line {number} of {path} is broken ({error}), and nothing was imported: mend it") from None
