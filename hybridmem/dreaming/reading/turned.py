"""A statement turned into questions, by grammar alone: none of their words is a model's, and each names the subject.

A small reader writes questions that ask of something else, or none that stand. A plain sentence (a subject, a verb that
shows its person, what follows it) can be turned round by rule; anything else gives no question here.

>>> asked("Paigas Treskol plays the tuba.")
[('What does Paigas Treskol play?', 'the tuba')]
>>> asked("The Dresis server was moved to port 9178 in May.")[:2]
[('What was the Dresis server moved to?', 'port 9178'), ('When was the Dresis server moved to port 9178?', 'May')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybridmem.core.text import moods
from hybridmem.core.text.dates import dates, speaks_of_time
from hybridmem.core.text.first_person import THE_USER
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.tokens import STOPWORDS, TOKEN
from hybridmem.core.text.verbs import first_form, is_past

_BE = frozenset({"is", "are", "was", "were"})
_HAVE = frozenset({"has", "had"})
_AUXILIARY = _BE | _HAVE | {"will", "can", "must"}
_BEFORE_AN_OBJECT = frozenset(
    """
    about above across after against along as at away before behind below beside between by called during for from in
    into named off on onto out over per since through to towards under until up via with without
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
_ENDS_THE_CLAUSE = frozenset(
    "and although because but if or so than that though when where whereas which while who whom whose".split()  # noqa: SIM905
)
_IN_A_SUBJECT = frozenset({"at", "for", "from", "in", "of", "on", "to", "with"})
_NO_SUBJECT = (
    frozenset(
        """
    every he here her his how i it its let no nobody nothing our she some someone that their there these they this those
    we what when where which who why you your
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
    )
    | _BEFORE_AN_OBJECT
)
_NO_VERB = STOPWORDS - {"goes", "gets", "got"}
_DETERMINER = frozenset({"a", "an", "the", "my", "his", "her", "their", "our", "its", "your"})
_ADVERB = re.compile(
    r"\w+ly|now|also|still|just|already|too|again|here|there|alone|together|then|soon|later|once|twice"
)
_CALLED = frozenset({"called", "named"})
_DROPPED_BEFORE_TIME = frozenset({"at", "every", "in", "on"})
_KEPT_BEFORE_TIME = frozenset({"by", "from", "since", "until"})
_CLOCK = re.compile(r"\b\d{1,2}[:.]\d\d\b|\b\d{1,2} ?[ap]m\b|\bo'clock\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+)*")
_WORD = re.compile(rf"\d+(?:[.,:]\d+)+|{TOKEN.pattern}")
_LONGEST_SUBJECT = 8
_LONGEST_OBJECT = 8


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        return self.text.casefold()


def asked(statement: str) -> list[tuple[str, str]]:
    """Questions on `statement`, each with its answer; none where grammar alone cannot tell."""
    words = _main_clause(statement)
    first = _verb(words, statement)
    if first is None or moods.has_negative_sense(statement[words[0].start : words[-1].end]):
        return []
    subject = statement[words[0].start : words[first - 1].end]
    goes_on = re.match(r"\s*,\s*[A-Z0-9]", statement[words[-1].end :])
    found = _cleft(subject, words[first:], statement)
    for verb in _verbs(words, first):
        for start, end in _objects(words, verb):
            relation = [word.text for word in words[verb:start]]
            object = statement[words[start].start : words[end - 1].end]
            if end == len(words):
                if goes_on:
                    break  # "12, Baker Street"
                found += [(question, subject) for question in _turned_back(subject, relation, object)]
            elif words[start].folded in {"a", "an"} and words[end].folded in _BEFORE_AN_OBJECT:
                continue  # What follows says which: "a dog called Prawu".
            found += [(question, object) for question in turned(subject, relation, object)]
    return found


def _verbs(words: Sequence[_Word], first: int) -> Iterator[int]:
    """The places of the subject's verbs: the first, and one behind each "and"."""
    yield first
    for place in range(first + 2, len(words) - 1):
        verb = words[place].folded
        if words[place - 1].folded == "and" and (verb in _AUXILIARY or first_form(verb) != verb):
            yield place


def _cleft(subject: str, words: Sequence[_Word], statement: str) -> list[tuple[str, str]]:
    """Of "April is when the project ends", behind its subject: when the project ends."""
    if len(words) < 5 or words[0].folded not in _BE or words[1].folded != "when" or not _has_time(subject):
        return []
    clause = words[2:]
    verb = _verb(clause, statement)
    if verb is None:
        return []
    said = statement[clause[0].start : clause[verb - 1].end]
    return [(_question("when", _inverted(said, [word.text for word in clause[verb:]])), subject)]


def turned(subject: str, relation: Sequence[str], object: str) -> list[str]:
    """The questions that ask for `object`.

    >>> turned("Ana", ["has", "a", "dog", "called"], "Fumait")
    ["What is Ana's dog called?"]
    """
    if relation[0].lower() in _HAVE and len(relation) == 4 and relation[1] in {"a", "an"} and relation[3] in _CALLED:
        return [f"What {'is' if relation[0].lower() == 'has' else 'was'} {_inside(subject)}'s {relation[2]} called?"]
    clause = _inverted(subject, relation)
    last = clause[-1].lower()
    if _has_time(object):
        if not _ends_in_time(object):
            return []
        if last in _KEPT_BEFORE_TIME:
            return [_question(f"{last} when", clause[:-1])]
        return [_question("when", clause[:-1] if last in _DROPPED_BEFORE_TIME else clause)]
    if _NAME.fullmatch(object) and last not in {"at", "in"}:
        return [_question("who", clause), _question("what", clause)]
    where = [_question("where", clause[:-1])] if last in {"at", "in"} and not _has_digit(object) else []
    return [*where, _question("what", clause)]


def _turned_back(subject: str, relation: Sequence[str], object: str) -> list[str]:
    """The questions that ask for `subject`, where what is said of it has a name or a number: of anything else, more
    than one may be true."""
    predicate = " ".join((*relation, object))
    names = mentions(f"of {predicate}").names
    # "What is 95?" and "What is Tampa?" ask for anything.
    bare = len(relation) == 1 and relation[0].lower() in _BE and (not names or _NAME.fullmatch(object))
    if bare or not (names or _has_digit(predicate)) or _has_time(object) or subject.casefold().startswith(THE_USER):
        return []
    if not _NAME.fullmatch(subject):
        return [f"What {predicate}?"]
    return [f"Who {predicate}?", f"What {predicate}?"] if " " not in subject else [f"Who {predicate}?"]


def _main_clause(statement: str) -> list[_Word]:
    """The words up to the first sign that ends a clause, behind an opening such as "At the pool,"."""
    words = [_Word(match.group(), *match.span()) for match in _WORD.finditer(statement)]
    parts: list[list[_Word]] = [[]]
    for before, word in zip([None, *words], words, strict=False):
        if before is not None and statement[before.end : word.start].strip(" '\"’“”"):
            parts.append([])
        parts[-1].append(word)
    opens = bool(parts[0]) and parts[0][0].folded in _BEFORE_AN_OBJECT and len(parts) > 1
    return parts[1] if opens else parts[0]


def _verb(words: Sequence[_Word], statement: str) -> int | None:
    """The place of the verb behind a plain subject; None where it is not certain."""
    if not words or words[0].folded in _NO_SUBJECT:
        return None
    named = {word for name in mentions(statement).names for word in name.split()}
    for place, word in enumerate(words[: _LONGEST_SUBJECT + 1]):
        if place == 0 or (place == 1 and words[0].folded in _DETERMINER):
            continue
        if word.folded in _ENDS_THE_CLAUSE:
            return None
        if word.folded in _AUXILIARY:
            return place
        before, after = words[place - 1], words[place + 1] if place + 1 < len(words) else None
        if word.folded in _BEFORE_AN_OBJECT or word.text[0].isupper() or word.folded in named | _NO_VERB:
            continue
        if not (is_past(word.folded) or first_form(word.folded) != word.folded) or before.folded in _BEFORE_AN_OBJECT:
            continue
        if after is not None and not re.search("['’]s?$", before.text) and not _is_noun(words, place):
            return place
    return None


def _is_noun(words: Sequence[_Word], place: int) -> bool:
    """Whether the word at `place`, which may be a verb, is none, for a verb comes behind it."""
    for word in words[place + 1 :]:
        if word.folded == "of" or word.folded in _AUXILIARY:
            return True
        if word.folded in _BEFORE_AN_OBJECT | _ENDS_THE_CLAUSE | _DETERMINER or not word.text.islower():
            return False
        if is_past(word.folded):
            return True
    return False


def _objects(words: Sequence[_Word], verb: int) -> Iterator[tuple[int, int]]:
    """Where each object in the words behind the verb begins and ends."""
    start = verb + 1
    for place in range(verb + 1, len(words) + 1):
        word = words[place].folded if place < len(words) else "and"
        if word not in _BEFORE_AN_OBJECT | _ENDS_THE_CLAUSE:
            continue
        begin, end = _without_verbs(words, verb, start, place), place
        while end > begin and _ADVERB.fullmatch(words[end - 1].folded):
            end -= 1
        if _is_object(words, begin, end, place == len(words)):
            yield begin, end
        if word in _ENDS_THE_CLAUSE:
            return
        start = place + 1


def _without_verbs(words: Sequence[_Word], verb: int, start: int, end: int) -> int:
    """Where the object in words `start` to `end` begins: behind participles, adverbs, an infinitive and "the user", who
    is given it."""
    begin = start
    while begin < end and (_ADVERB.fullmatch(words[begin].folded) or _is_participle(words, verb, begin)):
        begin += 1
    infinitive = begin == start and words[start - 1].folded == "to" and end - begin > 1
    if infinitive and words[begin].text.islower() and words[begin].folded not in _DETERMINER | STOPWORDS:
        begin += 1
    gives = " ".join(word.folded for word in words[begin : begin + 2]) == THE_USER and end - begin > 2
    return begin + 2 if gives else begin


def _is_participle(words: Sequence[_Word], verb: int, place: int) -> bool:
    """Whether the word at `place` belongs to the verb: it follows an auxiliary, or another such word."""
    word, before = words[place].folded, words[place - 1].folded
    follows = before in _AUXILIARY or before.endswith("ing") or is_past(before)
    return place > verb and follows and words[place].text.islower() and (word.endswith("ing") or is_past(word))


def _is_object(words: Sequence[_Word], begin: int, end: int, is_last: bool) -> bool:
    own = [word.folded for word in words[begin:end]]
    if not own or len(own) > _LONGEST_OBJECT or all(word in STOPWORDS or word == "user" for word in own):
        return False
    # "is responsible for", "is the contact for": what goes on is not all of it.
    return is_last or words[begin - 1].folded not in _BE


def _inverted(subject: str, relation: Sequence[str]) -> list[str]:
    """The words of the question behind its first one: the verb, the subject and the rest."""
    verb, rest = relation[0].lower(), list(relation[1:])
    if verb in _AUXILIARY - _HAVE or (verb in _HAVE and rest and is_past(rest[0].lower())):
        return [verb, _inside(subject), *rest]
    helper = "did" if is_past(verb) and verb != "has" else "does"
    return [helper, _inside(subject), first_form(verb), *rest]


def _inside(subject: str) -> str:
    """`subject` as it is written inside a sentence."""
    return subject[0].lower() + subject[1:] if subject.split()[0].lower() in _DETERMINER else subject


def _question(opening: str, clause: Sequence[str]) -> str:
    return " ".join([opening.capitalize(), *clause]) + "?"


def _has_time(object: str) -> bool:
    # A weekly round is no time.
    lasting = " ".join(word for word in object.split() if not word.endswith("ly"))
    return bool(dates(lasting)) or speaks_of_time(lasting) or _CLOCK.search(lasting) is not None


def _ends_in_time(object: str) -> bool:
    """Whether the last word is one of time, too: "Friday free" is none."""
    last = object.split()[-1]
    return speaks_of_time(last) or _has_digit(last) or _CLOCK.search(object) is not None


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
