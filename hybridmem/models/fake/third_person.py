"""First person to third and relative dates to dates, for the fake model: by rules that hold for plain sentences.

>>> third_person("I live in Lisbon and my dog is Rex.", None)
"The user lives in Lisbon and the user's dog is Rex."
>>> third_person("I'm moving to Oslo.", "Mira")
'Mira is moving to Oslo.'
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from hybridmem.core.text.dates import WEEKDAYS

_VERBS = {"am": "is", "have": "has", "do": "does", "don't": "doesn't", "haven't": "hasn't"}
_UNCHANGED = frozenset(
    """
        was had did will would can could should must may might cannot can't won't didn't wasn't hadn't couldn't
        wouldn't got went met bought left found took said told made gave saw ran sold lost won kept never ever
        always still also just only now really
        """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
_FIRST = re.compile(
    r"\b(?P<aux>am|was|do|did|have|will)\s+I\b|\bI\b(?P<short>'m|'ve|'ll|'d)?(?:\s+(?P<verb>[a-z][a-z']*))?"
)
_SHORT = {"'m": " is", "'ve": " has", "'ll": " will", "'d": " would"}
_DAYS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}


def third_person(text: str, speaker: str | None) -> str:
    """`text` as somebody else would say it of `speaker`, or of the user."""
    who = speaker or "the user"

    def said(match: re.Match[str]) -> str:
        if match["aux"]:
            return f"{_VERBS.get(match['aux'], match['aux'])} {who}"
        verb = match["verb"] or ""
        if match["short"]:
            return f"{who}{_SHORT[match['short']]}{f' {verb}' if verb else ''}"
        return f"{who} {_of_third(verb)}" if verb else who

    text = _FIRST.sub(said, text.replace("’", "'"))
    text = re.sub(r"\b(?:my|our|My|Our)\b", f"{who}'s", text)
    text = re.sub(r"\b(?:me|us)\b", who, text)
    return text[:1].upper() + text[1:]


def dated(text: str, said_on: date) -> str:
    """`text` with dates for "tomorrow" and "on Friday", which is the next one.

    >>> dated("The exam is on Friday.", date(2026, 5, 4)), dated("Ana left yesterday.", date(2026, 5, 4))
    ('The exam is on 2026-05-08.', 'Ana left on 2026-05-03.')
    """
    for word, days in _DAYS.items():
        text = re.sub(rf"\b(?:on )?{word}\b", f"on {said_on + timedelta(days=days)}", text, flags=re.IGNORECASE)
    for number, day in enumerate(WEEKDAYS):
        ahead = (number - said_on.weekday() - 1) % 7 + 1
        text = re.sub(rf"\b(?:on |next )*{day}\b", f"on {said_on + timedelta(days=ahead)}", text, flags=re.IGNORECASE)
    return text


def _of_third(verb: str) -> str:
    if verb in _UNCHANGED or (verb.endswith("ed") and len(verb) > 4):
        return verb
    if verb in _VERBS:
        return _VERBS[verb]
    return f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "go")) else f"{verb}s"
