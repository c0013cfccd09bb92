"""A fact as one line of a list: what is asked, the value, when it holds, and the sentence that says it.

    - lives in: Lisbon (since 2026-03-01) "Ana moved to Lisbon in March." ^fa-0198
    - Where does Ana keep her boat? Riga (since 2026-03-01) ^fa-0199

A backslash before a sign takes its meaning away, as in all of Markdown, and ``<br>`` is a line break.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from hybridmem.core.records import Fact
from hybridmem.core.text.tokens import normalised

_DAY = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?"
_DATES = re.compile(
    rf"\(\s*(?:(?:since|from)?\s*(?P<since>{_DAY}))?\s*(?:(?:until|to)\s+(?P<until>{_DAY}))?\s*\)", re.IGNORECASE
)
_ITEM = re.compile(r"[-*+] +(?!\[)(?P<rest>\S.*)")
"""An item of a list; one that begins with a box to tick, or with a link, is no fact."""
BLOCK = re.compile(r"(?:^|\s)\^(?P<block>[A-Za-z0-9-]+)\s*$")
"""The mark at the end of a line by which Obsidian links to it."""
_SIGN = re.compile(r"\\([!-/:-@\[-`{-~])|<br>")


@dataclass(frozen=True, slots=True)
class FactLine:
    """What a line says, whoever wrote it."""

    key: str
    """The relation, or the question with its question mark."""
    value: str
    since: str | None = None
    """The day as it is written, in ISO 8601; None where the line names none."""
    until: str | None = None
    sentence: str | None = None
    block: str | None = None
    """The mark of the fact that the line was made of; None for a new line."""

    @property
    def is_question(self) -> bool:
        return self.key.endswith("?")


def render(fact: Fact, block: str) -> str:
    """The line of `fact`.

    >>> from datetime import UTC, datetime
    >>> home = Fact("f1", ("ana",), "Ana", "lives in", "Porto", "Ana lives in Porto.", datetime(2026, 3, 1, tzinfo=UTC))
    >>> render(home, "f1")
    '- lives in: Porto (since 2026-03-01) ^f1'
    """
    key = (fact.question or fact.relation).strip()
    until = f" until {_day(fact.valid_to)}" if fact.valid_to is not None else ""
    sentence = f' "{_escaped(fact.text.strip())}"' if fact.text != fact.bare else ""
    separator = " " if key.endswith("?") else ": "
    value = _DATES.sub(_without_meaning, _escaped(fact.object.strip()))
    return f"- {_escaped_key(key)}{separator}{value} (since {_day(fact.valid_from)}{until}){sentence} ^{block}"


def parse(line: str) -> FactLine | None:
    """What `line` says; None where it is no fact's line.

    >>> parse("- speaks: Greek")
    FactLine(key='speaks', value='Greek', since=None, until=None, sentence=None, block=None)
    >>> parse("- a plain remark") is None
    True
    """
    item = _ITEM.fullmatch(line.rstrip())
    if item is None:
        return None
    rest = item["rest"]
    found = BLOCK.search(rest)
    block = found["block"] if found else None
    rest = rest[: found.start()] if found else rest
    end = _end_of_key(rest)
    if end is None:
        return None
    key, said = rest[: end.end() if rest[end.start()] == "?" else end.start()], rest[end.end() :]
    since = until = sentence = None
    for dates in _DATES.finditer(said):
        tail = said[dates.end() :].strip()
        quoted = len(tail) > 2 and tail[0] in '"“' and tail[-1] in '"”'
        if any(dates.groups()) and not _is_escaped(said, dates.start()) and (not tail or quoted):
            since, until = dates["since"], dates["until"]
            sentence = _plain(tail[1:-1]).strip() or None if quoted else None
            said = said[: dates.start()]
            break
    key, value = _plain(key).strip(), _plain(said).strip()
    return FactLine(key, value, since, until, sentence, block) if normalised(key) and value else None


def _without_meaning(dates: re.Match[str]) -> str:
    """What looks like dates, where it is a part of the value."""
    return f"\\{dates[0]}" if any(dates.groups()) else dates[0]


def _day(time: datetime) -> str:
    return time.date().isoformat()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("<br>", "\\<br>").replace("\n", "<br>")


def _escaped_key(key: str) -> str:
    last = key.endswith("?")
    inner = re.sub(r"([:?])(?=\s|$)", r"\\\1", _escaped(key.removesuffix("?") if last else key))
    inner = f"\\{inner}" if inner.startswith("[") else inner
    return f"{inner}?" if last else inner


def _plain(text: str) -> str:
    return _SIGN.sub(lambda found: found[1] or "\n", text)


def _end_of_key(text: str) -> re.Match[str] | None:
    """The first question mark, colon, or pair of colons (a field of Obsidian's Dataview), that ends a key."""
    for found in re.finditer(r"\\.|(?:::?|\?)(?=\s)", text):
        if found[0][0] != "\\":
            return found
    return None


def _is_escaped(text: str, at: int) -> bool:
    before = text[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
