"""What a question is about, and whether a sentence speaks of the same: by names, nouns and the first person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hybridmem.core.text.dates import MONTHS, WEEKDAYS
from hybridmem.core.text.first_person import SPEAKER, THE_USER, is_first_person
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.tokens import STOPWORDS, TOKEN, contains_words, normalised, tokens
from hybridmem.core.text.topics import stem, topic
from hybridmem.core.text.verbs import first_form

T = TypeVar("T")
POINTERS = frozenset(
    "he him his she her hers it its they them their theirs this that these those there".split()  # noqa: SIM905
)
"""Words that name nobody outside their text."""
LONGEST_OPENING = 6
"""First words of a statement that may name its subject."""
_BE = frozenset({"is", "are", "was", "were"})
_DAYS = {*MONTHS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS)}
LONGEST_SUBJECT = 4
"""Words of a noun phrase that is taken for a fact's subject, at most."""


def names(text: str) -> frozenset[str]:
    """The certain names in `text`, each as its words."""
    return mentions(text).names


def is_about(question: str, statement: str) -> bool:
    """Whether `question` names what it asks of, in a word of `statement`, and not by a pronoun alone.

    >>> is_about("When is the dentist appointment?", "The dentist appointment is on Friday.")
    True
    >>> is_about("Where does he live?", "Jack lives in Porto."), is_about("When is it?", "The exam is on Friday.")
    (False, False)
    """
    shared = topic(question) & topic(statement)
    speaker = is_first_person(question, plural=False) and THE_USER in statement.casefold()
    if not shared:
        return speaker and bool(topic(question))
    if POINTERS.isdisjoint(tokens(question)):
        return True
    own = {word for name in (*names(statement), *mentions(statement).maybe) for word in tokens(name)}
    return speaker or not own.isdisjoint(tokens(question))


def asks_of_its_subject(question: str, answer: str, statement: str) -> bool:
    """Whether `question` names whom `statement` is about: by name, or as the first person where that is the user.

    A question for the subject itself must have another name or a number: the tuba is played by others, too.

    >>> asks_of_its_subject("How long is our train home?", "50 minutes", "Hanne's train home takes 50 minutes.")
    False
    >>> asks_of_its_subject("Who plays the tuba?", "Ana", "Ana plays the tuba.")
    False
    >>> asks_of_its_subject("Who has locker 12?", "Ana", "Ana has locker 12.")
    True
    """
    of_user = is_first_person(question)
    if of_user and THE_USER not in statement.casefold():
        return False
    if normalised(statement).startswith(normalised(THE_USER)):
        return of_user
    opening = _opening(statement)
    subject = _first_name(statement, opening)
    if contains_words(opening, answer) or (subject and contains_words(normalised(answer), subject)):
        named = {word for name in names(question) for word in tokens(name)} - _DAYS
        return of_user or bool(named) or any(map(str.isdigit, question))
    return not subject or not set(tokens(question)).isdisjoint(tokens(subject))


def _opening(statement: str) -> str:
    """The first words of `statement`, up to what looks like its verb."""
    words = normalised(statement).split()[:LONGEST_OPENING]
    named = {word for name in names(statement) for word in name.split()}
    verb = (
        number
        for number, word in enumerate(words)
        if number and word not in named and (word in _BE or first_form(word) != word)
    )
    return " ".join(words[: next(verb, len(words))])


def _first_name(statement: str, opening: str) -> str:
    """The first name in the `opening` of `statement`; "" where there is none."""
    found = mentions(statement)
    placed = [(opening.find(name), name) for name in (*found.names, *found.maybe) if contains_words(opening, name)]
    return min(placed, default=(0, ""))[1]


def speaks_to(question: str, statement: str) -> bool:
    """Whether `statement` may bear on `question`: it names whom or what the question asks of.

    >>> speaks_to("Where does Ana live?", "Ana moved to Rome."), speaks_to("Where does Ana live?", "Ben left Oslo.")
    (True, False)
    >>> speaks_to("When is my dentist appointment?", "PR 4127 was delayed to Thursday.")
    False
    """
    said = set(tokens(statement))
    asked_of = names(question)
    if asked_of:
        return all(said.issuperset(tokens(name)) for name in asked_of)
    wanted = topic(question)
    shared = wanted & topic(statement)
    if is_first_person(question, plural=False) and THE_USER in statement.casefold():
        return len(shared) >= max(1, len(wanted) // 2) or len(wanted) <= 1
    return len(shared) >= max(1, len(wanted) // 2)


def subject_of(question: str, statement: str) -> str:
    """What a fact with that `question` is about: the user, the longest name that the question shares with the
    statement, or the longest run of words.

    >>> subject_of("Where do I live?", "The user lives in Riga.")
    'I'
    >>> subject_of("Where is Ana Brito?", "Ana Brito is here.")
    'Ana Brito'
    >>> subject_of("When does the kiln room close?", "The kiln room closes at nine.")
    'kiln room'
    """
    if is_first_person(question, plural=False):
        return SPEAKER
    said = normalised(statement)
    words = [match.group() for match in TOKEN.finditer(question)]
    runs = [
        " ".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + LONGEST_SUBJECT) + 1)
        if contains_words(said, " ".join(words[start:end]))
        and words[start].casefold() not in STOPWORDS
        and words[end - 1].casefold() not in STOPWORDS
    ]
    named = [run for run in runs if run[:1].isupper() and not question.startswith(run)] or runs
    return max(named, key=len, default=" ".join(words[:1]) or question)


def nearest(text: str, among: Sequence[tuple[T, str]], limit: int) -> list[T]:
    """Those of `among` (each with its text) that share the most words with `text`, best first; none that share none."""
    wanted = topic(text) | {stem(word) for name in names(text) for word in tokens(name)}
    scored = [(len(wanted & topic(other)), place, each) for place, (each, other) in enumerate(among)]
    # Of equally near ones, the later.
    ranked = sorted((s for s in scored if s[0]), key=lambda scored: (-scored[0], -scored[1]))
    return [each for _, _, each in ranked[:limit]]
