"""From a form with slots to an English sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from random import Random

_SLOT = re.compile(r"\{(s|o|old)\}")
_START = re.compile(r"(?:^|[.!?] )[\"'(]?$")
_ARTICLE = re.compile(r"(?:^|[\s(\"'])(an?)\s$", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?(?:[ ,]|$)")
_VOWEL_SOUND = re.compile(r"(?!uni|use|eu|one\b|ut[aei]|uk)[aeiou]|hour|honest|heir|8|1[18](?!\d)", re.IGNORECASE)
_SPELT_WITH_VOWEL = "AEFHILMNORSX8"


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text up to a slot, the slot, whether it starts a sentence, and the article before it ("" for none)."""

    before: str
    slot: str
    starts: bool
    article: str


@cache
def _pieces(form: str) -> tuple[tuple[_Piece, ...], str]:
    pieces, last = [], 0
    for match in _SLOT.finditer(form):
        before = form[last : match.start()]
        starts = bool(_START.search(form[: match.start()]))
        article = _ARTICLE.search(before)
        if article:
            before = before[: article.start(1)]
        pieces.append(_Piece(before, match.group(1), starts, article.group(1) if article else ""))
        last = match.end()
    return tuple(pieces), form[last:]


def fill(form: str, subject: str, value: str = "", old: str = "") -> str:
    """`form` with its slots filled, sentence starts capitalised, and "a" or "an" as the filled word wants it.

    >>> fill("{s} works as a {o}.", "my sister", "illustrator")
    'My sister works as an illustrator.'
    """
    filled = {"s": subject, "o": value, "old": old}
    pieces, rest = _pieces(form)
    out = []
    for piece in pieces:
        word = filled[piece.slot]
        out.append(piece.before)
        if piece.article:
            out.append(_article(piece.article, word))
        out.append(capitalised(word) if piece.starts else word)
    return "".join(out) + rest


def capitalised(text: str) -> str:
    """`text` with a capital first letter where it begins with a plain word, not with "node-14" or an address."""
    return text[0].upper() + text[1:] if _PLAIN_WORD.match(text) else text


def uncapitalised(text: str) -> str:
    """`text` to stand behind a comma: its first letter small, but for "I" and for words with other capitals."""
    word = text.split(" ", 1)[0]
    if word == "I" or word.startswith("I'") or (not word[1:].islower() and word != "A"):
        return text
    return text[0].lower() + text[1:]


def _article(given: str, word: str) -> str:
    first = word.split(" ", 1)[0]
    spelt = first.isupper() and len(first) <= 3
    vowel = first[0] in _SPELT_WITH_VOWEL if spelt else bool(_VOWEL_SOUND.match(word))
    article = "an " if vowel else "a "
    return article.capitalize() if given[0] == "A" else article


_HERS = frozenset("sister mother mum aunt grandmother wife daughter niece mother-in-law".split())  # noqa: SIM905
_HIS = frozenset("brother father dad uncle grandfather husband son nephew godson".split())  # noqa: SIM905
_POSSESSIVE = {"She": "Her", "He": "His", "It": "Its"}


def with_pronoun(form: str, subject: str, kind: str, value: str, rng: Random) -> str | None:
    """`form` filled with a pronoun for `subject`, or None where the form does not begin with it."""
    if not form.startswith(("{s} ", "{s}'s ")):
        return None
    pronoun = _pronoun(subject, kind, rng)
    if form.startswith("{s}'s "):
        return fill(form.replace("{s}'s", "{s}", 1), _POSSESSIVE[pronoun], value)
    return fill(form, pronoun, value)


def _pronoun(subject: str, kind: str, rng: Random) -> str:
    words = subject.split(" ")
    if kind not in ("person", "pet"):
        return "It"
    if any(word in _HERS for word in words[-2:]):
        return "She"
    if any(word in _HIS for word in words[-2:]):
        return "He"
    return "She" if rng.random() < 0.5 else "He"


_OF_YOU = {
    "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "i am": "you are", "i was": "you were",
    "am i": "are you", "was i": "were you", "i": "you", "me": "you", "my": "your", "mine": "yours",
    "myself": "yourself",
}  # fmt: skip
_OF_ME = re.compile(rf"\b(?:{'|'.join(sorted(_OF_YOU, key=len, reverse=True))})\b", re.IGNORECASE)


def second_person(text: str) -> str:
    """What somebody says of himself, as said to him.

    >>> second_person("I'm based in Oslo, and my sister too.")
    "You're based in Oslo, and your sister too."
    """

    def turned(found: re.Match[str]) -> str:
        word = _OF_YOU[found.group().lower()]
        return word[0].upper() + word[1:] if _START.search(text[: found.start()]) else word

    return _OF_ME.sub(turned, text)


_THIRD_PERSON = re.compile(r"\{s\} (is|was|has|[a-z]{3,}s) (.*)\.$")
_NO_VERBS = frozenset("always sometimes nowadays perhaps besides thus plus as".split())  # noqa: SIM905


def yes_no_form(form: str) -> str | None:
    """The question whether a statement is so, or None where the form is not of the kind that can be turned.

    >>> yes_no_form("{s} studies {o} in Lund."), yes_no_form("{s} is in {o}."), yes_no_form("Note: {s}, {o}")
    ('Does {s} study {o} in Lund?', 'Is {s} in {o}?', None)
    """
    found = _THIRD_PERSON.fullmatch(form)
    if found is None or "{o}" not in found.group(2) or found.group(1) in _NO_VERBS:
        return None
    verb, rest = found.groups()
    if verb == "has" and not rest.startswith(("a ", "an ", "the ", "{o}")):
        # "has been ...": a tense, which "does" does not form.
        return None
    if verb in ("is", "was"):
        return f"{verb.capitalize()} {{s}} {rest}?"
    return f"Does {{s}} {_infinitive(verb)} {rest}?"


def _infinitive(verb: str) -> str:
    if verb == "has":
        return "have"
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    return verb[:-2] if verb.endswith(("ches", "shes", "sses", "xes", "zes", "oes")) else verb[:-1]
