"""Whatever a person does to the files is what a program would have done through the API."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, Fact, stated
from hybridmem.core.text.tokens import normalised
from hybridmem.maintenance.rewording import reworded_object
from hybridmem.memory import HybridMemory
from tests.maintenance.markdown.memories import ANA, NOON, contents, open_memory, state, twin
from tests.maintenance.markdown.test_fact_line import NASTY

SUBJECTS = ("Ana", "I", "The Café: Luna?", "bea/ß")
KEYS = ("lives in", "likes", "key: odd", "Where is the boat?", "What else is there?")
DAYS = tuple(datetime(2026, 3, day, 9, tzinfo=UTC) for day in (1, 2, 3))


@dataclass(frozen=True)
class Told:
    """A fact or an episode to begin with."""

    subject: str
    key: str
    value: str
    day: datetime
    replace: bool
    sentence: bool
    from_episode: bool


@dataclass(frozen=True)
class Act:
    """What a person does to the memory that `which` picks."""

    kind: str
    which: int
    date: str
    subject: str
    key: str


TOLD = st.builds(
    Told,
    st.sampled_from(SUBJECTS),
    st.sampled_from(KEYS),
    st.sampled_from((*NASTY, "tea", "chess", "Porto", "Lisbon")),
    st.sampled_from(DAYS),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
ACT = st.builds(
    Act,
    st.sampled_from(("value", "value", "sentence", "remove", "add", "add", "say", "reword")),
    st.integers(0, 30),
    st.sampled_from(("as it is", "new", "none")),
    st.sampled_from(SUBJECTS),
    st.sampled_from(KEYS),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told=st.lists(TOLD, min_size=1, max_size=8), acts=st.lists(ACT, max_size=6))
def test_random_edits_end_in_the_same_memory(told: list[Told], acts: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as name, open_memory(Path(name) / "one") as one:
        _fill(one, told)
        root = Path(name) / "notes"
        one.export_markdown(root)
        with twin(one, Path(name) / "two") as two:
            _act(root, two, acts)
            dry = one.import_markdown(root, dry_run=True, delete=True)
            before = state(one)
            receipt = one.import_markdown(root, delete=True)
            assert receipt.is_whole, receipt
            assert [each.action for each in receipt.changes] == [each.action for each in dry.changes]
            assert (before != state(one)) or not receipt.changes
            assert state(one) == state(two)
            again = one.import_markdown(root, delete=True)
            assert not again.changes and not again.written, again
            one.export_markdown(Path(name) / "anew")
            assert contents(root) == contents(Path(name) / "anew")


def _fill(memory: HybridMemory, told: list[Told]) -> None:
    for each in told:
        question = each.key if each.key.endswith("?") else ""
        (said,) = memory.add(f"{each.subject} said {each.value}.\n\n  Twice.", at=each.day)
        memory.ledger.mark_extracted(ANA, [said.id])
        fact = Fact(
            f"fa_{said.id}",
            ANA,
            each.subject,
            each.key,
            each.value.strip(),
            f"It is said that {each.subject} has {each.value}"
            if each.sentence
            else stated(question, each.subject, each.key, each.value.strip()),
            each.day,
            recorded_at=NOON,
            sources=(said.id,) if each.from_episode else (),
            question=question,
        )
        memory.ledger.put_fact(fact, replace=each.replace)


def _act(root: Path, api: HybridMemory, acts: list[Act]) -> None:
    """Do the `acts` to the files at `root`, and through the `api`."""
    facts = api.ledger.facts(ANA)
    episodes = api.ledger.episodes(ANA)
    touched: set[str] = set()
    changed: dict[str, tuple[str, Act]] = {}
    added: list[tuple[Act, str]] = []
    doomed: list[Fact | Episode] = []
    first: list[tuple[tuple[str, int], Any]] = []
    later: list[Any] = []
    for number, act in enumerate(acts):
        value = f"value {number}"
        if act.kind == "add":
            slots = {_slot(act.subject, act.key)}
            page = _page(root, act.subject)
            if page is not None and slots:
                _append(page, f"- {_written(act.key)}{value}{_date(act, None)}\n")
                added.append((act, value))
            continue
        if act.kind == "say":
            _append(root / "days" / "2026-03-02.md", f"- 10:00 assistant: {value}\n  and more\n")
            said = partial(api.add, f"{value}\nand more", at="2026-03-02T10:00Z", role="assistant")
            first.append((("2026-03-02", 1_000 + number), said))
            continue
        pool: list[Any] = episodes if act.kind == "reword" else [*facts, *episodes] if act.kind == "remove" else facts
        memory = pool[act.which % len(pool)] if pool else None
        if memory is None or memory.id in touched:
            continue
        mark = f"^{memory.id.replace('_', '-')}"
        if act.kind == "value":
            touched.add(memory.id)
            changed[memory.id] = value, act
        elif act.kind == "remove":
            touched.add(memory.id)
            doomed.append(memory)
            _replace(root, mark, None)
        elif act.kind == "reword":
            touched.add(memory.id)
            head = f"- {memory.at:%H:%M} {memory.role}: "
            _replace(root, mark, f"{head}{value} {mark}\n  and more\n")
            place = f"{memory.at:%Y-%m-%d}", memory.position
            first.append((place, partial(api.update, memory.id, f"{value}\nand more")))
        elif act.kind == "sentence":
            words = f"They say that {memory.subject} has {memory.object} indeed."
            try:
                reworded_object(memory, words)
            except InvalidInput:
                continue
            if "\n" in words:
                continue
            touched.add(memory.id)
            _edit_sentence(root, memory, mark, words)
            later.append(lambda id=memory.id, words=words: api.update(id, words))
    left: dict[Any, set[str]] = {}
    for fact in facts:
        if fact not in doomed:
            value = changed[fact.id][0] if fact.id in changed else fact.object
            left.setdefault(fact.slot, set()).add(normalised(value))
    for act, value in added:
        left.setdefault(_slot(act.subject, act.key), set()).add(value)
    # In the order of the files: which of two sources goes last is of consequence.
    for _, call in sorted(first, key=lambda each: each[0]):
        call()
    for fact in facts:
        if fact.id in changed:
            value, act = changed[fact.id]
            alone = len(left[fact.slot]) == 1
            date = act.date if alone else "as it is"
            mark = f"^{fact.id.replace('_', '-')}"
            written = _date(act, fact) if date != "as it is" else f" (since {fact.valid_from:%Y-%m-%d})"
            _replace(root, mark, f"- {_written(fact.question or fact.relation)}{value}{written} {mark}\n")
            if alone:
                since = {"as it is": fact.valid_from, "new": _moment(fact), "none": None}[date]
                api.add_fact(fact.subject, fact.relation, value, valid_from=since, question=fact.question)
            else:
                bare = stated(fact.question, fact.subject, fact.relation, value)
                names = fact.subject == "I" or fact.subject.lower() in bare.lower()
                words = bare if names else fact.text.replace(fact.object, value)
                api.update(fact.id, words, object=value)
    for act, value in added:
        question = act.key if act.key.endswith("?") else ""
        subject = next(f.subject for f in facts if normalised(f.subject) == normalised(act.subject))
        since = None if act.date != "new" else _moment(None)
        alone = len(left[_slot(act.subject, act.key)]) == 1
        api.add_fact(subject, act.key, value, valid_from=since, question=question, replace=alone)
    for call in later:
        call()
    if doomed:
        api.delete_many({"id": {"in": [each.id for each in doomed]}})


def _slot(subject: str, key: str) -> tuple[str, str]:
    return ("", normalised(key)) if key.endswith("?") else (normalised(subject), normalised(key))


def _moment(fact: Fact | None) -> datetime:
    return (fact.valid_from if fact else DAYS[1]).replace(hour=0) + timedelta(days=2)


def _date(act: Act, fact: Fact | None) -> str:
    return f" (since {_moment(fact):%Y-%m-%d})" if act.date == "new" else ""


def _written(key: str) -> str:
    return f"{key} " if key.endswith("?") else f"{key.replace(': ', chr(92) + ': ')}: "


def _page(root: Path, subject: str) -> Path | None:
    for page in sorted((root / "facts").glob("*.md")):
        title = next(line for line in page.read_text().splitlines() if line.startswith("# "))
        if normalised(title[2:]) == normalised(subject):
            return page
    return None


def _append(page: Path, text: str) -> None:
    if not page.exists():
        page.parent.mkdir(exist_ok=True)
        page.write_text(f'---\nhybridmem: episodes\nday: "{page.stem}"\n---\n\n# {page.stem}\n\n')
    page.write_text(page.read_text(encoding="utf-8") + text, encoding="utf-8")


def _replace(root: Path, mark: str, text: str | None) -> None:
    """Put `text` in the place of the item with `mark`, its indented lines included."""
    for page in root.rglob("*.md"):
        lines = page.read_text(encoding="utf-8").split("\n")
        for at, line in enumerate(lines):
            if line.endswith(f" {mark}"):
                end = at + 1
                while end < len(lines) and (lines[end].startswith("  ") or (not lines[end] and _more(lines, end))):
                    end += 1
                lines[at:end] = [] if text is None else text.rstrip("\n").split("\n")
                page.write_text("\n".join(lines), encoding="utf-8")
                return
    raise AssertionError(mark)


def _more(lines: list[str], at: int) -> bool:
    return next((line.startswith("  ") for line in lines[at:] if line), False)


def _edit_sentence(root: Path, fact: Fact, mark: str, words: str) -> None:
    for page in root.rglob("*.md"):
        lines = page.read_text(encoding="utf-8").split("\n")
        for at, line in enumerate(lines):
            if line.endswith(f" {mark}"):
                since = f" (since {fact.valid_from:%Y-%m-%d}"
                head, _, rest = line.rpartition(since) if fact.text == fact.bare else line.partition(since)
                dates = rest[: rest.index(")") + 1]
                quoted = words.replace("\\", "\\\\").replace("<br>", "\\<br>")
                lines[at] = f'{head}{since}{dates} "{quoted}" {mark}'
                page.write_text("\n".join(lines), encoding="utf-8")
                return
    raise AssertionError(mark)
