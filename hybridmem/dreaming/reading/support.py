"""Whether a message says what a proposition says, by plain rules: a guard behind the model, which errs on both sides.

The rules refuse what is denied, wished, conditional, asked, quoted or taken back where the message says it, and names
and numbers that the message does not have. What they refuse wrongly stays with retrieval, and loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from hybridmem.core.text import moods
from hybridmem.core.text.dates import MONTHS, WEEKDAYS, dates, may_mean, speaks_of_time, without_dates
from hybridmem.core.text.first_person import THE_USER
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.questions import ends_as_question
from hybridmem.core.text.tokens import STOPWORDS, tokens
from hybridmem.core.text.topics import stem
from hybridmem.dreaming.reading.source import Source

Doubt = Literal["reversed", "unreal", "invented", "not_theirs"]
"""Why a proposition is left out.

- `reversed`: the message denies what it states.
- `unreal`: the message wishes, supposes, asks, quotes or takes back what it states.
- `invented`: it has a name or a number that the message, its date, its speaker and the turns before do not have.
- `not_theirs`: it is about the user, and somebody else said it.
"""
_VALUE = 3
"""How much more a number or a name says about which clause a proposition came from than any other word."""
_NUMBER = re.compile(r"\d+")
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        """
            zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
            sixteen seventeen eighteen nineteen twenty
            """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
     "hundred": "100", "dozen": "12", "half": "30", "quarter": "15", "once": "1", "twice": "2", "first": "1",
     "second": "2", "third": "3"}  # fmt: skip
_COMMON = STOPWORDS | set(
    """
    user users assistant somebody someone something everybody everyone everything people nobody nothing both
    several many two three four five six seven eight nine ten mr mrs ms dr
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)


def doubt(proposition: str, source: Source) -> Doubt | None:
    """Why `proposition` is not to be believed of `source`; None where nothing speaks against it."""
    if not source.is_users and THE_USER in proposition.casefold():
        return "not_theirs"
    if is_invented(proposition, source):
        return "invented"
    if is_unreal(proposition, source.text):
        return "unreal"
    return "reversed" if is_reversed(proposition, source.text) else None


def is_reversed(proposition: str, message: str) -> bool:
    """Whether `message` denies what `proposition` states.

    >>> is_reversed("The user is allergic to peanuts.", "I'm not allergic to peanuts, it's cashews.")
    True
    >>> is_reversed("The nursery closes at 16:30.", "Mila's nursery closes at 16:30 now, not 17:30.")
    False
    """
    if moods.has_negative_sense(proposition):
        return False
    closest = _closest(proposition, moods.clauses(message))
    return bool(closest) and all(map(moods.is_negated, closest))


def is_unreal(proposition: str, message: str) -> bool:
    """Whether the sentence of `message` behind `proposition` states nothing.

    >>> is_unreal("The user lives in Porto.", "If I lived in Porto, I'd surf."), is_unreal("Ana left.", "Has Ana left?")
    (True, True)
    """
    if moods.is_taken_back(message) or moods.is_fiction(message):
        return True
    closest = closest_sentences(proposition, message)
    return bool(closest) and all(_states_nothing(proposition, sentence) for sentence in closest)


def closest_sentences(proposition: str, message: str) -> list[str]:
    """The sentences of `message` that share the most with `proposition`; none where no sentence shares a word."""
    return _closest(proposition, moods.sentences(message))


def _states_nothing(proposition: str, sentence: str) -> bool:
    if ends_as_question(sentence) or moods.opens_unreal(sentence):
        return True
    if (retracted := moods.retraction(sentence)) and not _says(proposition, retracted):
        return True
    closest = _closest(proposition, moods.clauses(sentence))
    if any(moods.unreal_mood(clause) or _is_altered(proposition, clause) for clause in closest):
        return True
    quoted = moods.quotations(sentence)
    apart = sentence
    for quotation in quoted:
        apart = apart.replace(quotation, " ")
    return bool(quoted) and _score(proposition, " ".join(quoted)) > _score(proposition, apart)


def _is_altered(proposition: str, clause: str) -> bool:
    """Whether a word of `clause` that `proposition` lacks makes another statement of it: Ana might live in Porto."""
    if moods.has_negative_sense(proposition):
        return False  # it is another statement itself
    wanted = _weights(proposition)
    return any(
        not _says(proposition, cue) and any(word in wanted for word in _weights(following))
        for cue, following in moods.altering(clause)
    )


def _says(proposition: str, words: str) -> bool:
    """Whether `proposition` has `words` too, in whatever form."""
    return {stem(word) for word in tokens(words)} <= {stem(word) for word in tokens(proposition)}


def is_invented(proposition: str, source: Source) -> bool:
    """Whether `proposition` has a number, a date or a name that `source` does not have."""
    said_on = source.episode.at.date()
    said = source.words
    told = " ".join((source.text, *source.before))
    for day in dates(proposition):
        if not (day == said_on or may_mean(told, day, said_on) or speaks_of_time(told)):
            return True
    numbers = {*map(_plain, _NUMBER.findall(told)), *(_NUMBER_WORDS[word] for word in said if word in _NUMBER_WORDS)}
    numbers |= {str(said_on.year), str(said_on.year + 1), str(said_on.year - 1)}
    if any(_plain(number) not in numbers for number in _NUMBER.findall(without_dates(proposition))):
        return True
    found = mentions(proposition)
    known = said | _COMMON | {*MONTHS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS)}
    folded = "".join(sorted(said))
    return any(
        word not in known and not any(char.isdigit() for char in word) and word not in folded
        for name in (*found.names, *found.maybe)
        for word in tokens(name)
        if len(word) > 1
    )


def _closest(proposition: str, parts: Iterable[str]) -> list[str]:
    """Those of `parts` of a message that share the most with `proposition`; none where no part shares a word."""
    scored = [(_score(proposition, part), part) for part in parts]
    best = max((score for score, _ in scored), default=0)
    return [part for score, part in scored if score == best] if best else []


def _score(proposition: str, part: str) -> int:
    wanted = _weights(proposition)
    return sum(wanted.get(word, 0) for word in _weights(part))


def _weights(text: str) -> dict[str, int]:
    """The words of a text that say what it is about, stemmed, with how much each tells."""
    names = {word for name in mentions(text).names for word in tokens(name)}
    weights = {stem(word): _VALUE if word in names else 1 for word in tokens(text) if word not in _COMMON}
    weights |= {_plain(number): _VALUE for number in _NUMBER.findall(text)}
    return weights


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"
