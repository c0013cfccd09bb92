"""How the values of dialogue slots look in running text: to find one, and to know that there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

_NUMBER = r"\d+|one|two|three|four|five|six|seven|eight|nine"

FORMS = {
    "phone": re.compile(r"(?<!\d)\(?\d{3}\)?[-. ]{1,2}\d{3}[-. ]\d{4}(?!\d)"),
    "address": re.compile(
        r"\b\d{1,5} (?:[A-Z0-9][\w'.]* ){1,4}"
        r"(?:Street|Avenue|Road|Drive|Boulevard|Way|Lane|Court|Place|Plaza|Highway|Square|Parkway)"
        r"(?: (?:North|South|East|West))?(?:,? ?(?:#|Suite|Unit|Ste|Floor) ?[\w-]+)?(?=[.,!?]|$| [a-z])"
    ),
    "money": re.compile(r"\$\d[\d,]*(?:\.\d\d)?(?!\d)"),
    "temperature": re.compile(r"\b\d{1,3} degrees(?: (?:Fahrenheit|Celsius))?\b"),
    "rain": re.compile(r"\b\d{1,3} ?(?:%|percent)(?= (?:chance|probability|possibility) (?:of|for) rain)"),
}
"""Values that are told by their form alone."""

_ABSENT = {
    "phone": re.compile(r"\d{3}[-. ]?\d{4}"),
    "address": re.compile(r"\b\d{2,5} [A-Z]|\d{3}|\baddress is\b|\blocated (?:at|on)\b"),
    "money": re.compile(r"[$£€]|\d+ (?:dollars|bucks|euros|pounds)|\bfree\b", re.IGNORECASE),
    "temperature": re.compile(r"degree|temperature|\bhot\b|\bcold\b|\bwarm\b", re.IGNORECASE),
    "rain": re.compile(r"\brain|percent|%|precipitation|shower", re.IGNORECASE),
    "date": re.compile(
        r"\b(?:today|tonight|tomorrow|yesterday|next|this|now|week\w*|day after|later|\w+days?"
        r"|jan\w*|feb\w*|mar(?:ch)?|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*"
        r"|\d+(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|\w+teenth)\b",
        re.IGNORECASE,
    ),
    "time": re.compile(
        r"\d{1,2}:\d\d|\d ?[ap]\.?m\b|o'? ?clock|\b(?:noon|midnight|morning|evening|afternoon|night|half|quarter|now)\b"
        r"|\bat (?:\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)",
        re.IGNORECASE,
    ),
}


def absent_form(kind: str, nouns: Sequence[str] = ()) -> re.Pattern[str]:
    """What no text without a value of `kind` (or, of a number, none of its `nouns`) may hold."""
    return _any_of(tuple(nouns)) if kind == "number" else _ABSENT[kind]


@cache
def _any_of(nouns: tuple[str, ...]) -> re.Pattern[str]:
    """`nouns`, and a number that counts nothing else: "how many?" may be answered with one."""
    alone = rf"(?<![\w$:.,-])(?:{_NUMBER})(?![\w:,-]|\.\d| ?[ap]\.?m\b| [a-z]{{4}})"
    return re.compile(rf"\b(?:{'|'.join(nouns)}|just me|alone|myself)\b|{alone}", re.IGNORECASE)


def number_form(nouns: Sequence[str]) -> re.Pattern[str]:
    """A number (its first group) before one of `nouns`."""
    return _number_form(tuple(nouns))


@cache
def _number_form(nouns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$:.,])({_NUMBER})(?: [a-z]+)?[ -](?:{'|'.join(nouns)})\b", re.IGNORECASE)


def value_form(value: str, kind: str) -> re.Pattern[str]:
    """`value` as whole words: names as they are written, the rest in any case from four letters on.

    A place is none where it is the start of a longer name ("LAX International Airport")."""
    case = re.IGNORECASE if kind != "name" and len(value) > 3 else re.NOFLAG
    longer = r"(?-i:(?! [A-Z]))" if kind == "place" else ""
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w){longer}", case)
