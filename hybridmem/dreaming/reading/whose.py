"""Whom a proposition is about, held to whom its message speaks of.

A small reader gives things to the wrong person: "his wife is due" becomes the user's wife, and the user's nap a
child's. The rules look at the clause of the message that shares the most with what is said of somebody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from hybridmem.core.text import moods
from hybridmem.core.text.first_person import THE_USER, is_first_person
from hybridmem.core.text.tokens import STOPWORDS, tokens
from hybridmem.core.text.topics import stem
from hybridmem.core.text.verbs import first_form, is_past
from hybridmem.dreaming.reading.source import Source

_USERS = re.compile(rf"\b{THE_USER}['’]s? (?P<thing>\w[\w'’-]*(?: \w[\w'’-]*)?)", re.IGNORECASE)
_OWNED = re.compile(rf"(?:the )?{THE_USER}['’]s? (?P<noun>[\w-]+) (?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_AUXILIARY = frozenset(
    "is are was were be been am do does did has have had will would can could get got gets".split()  # noqa: SIM905
)
_HE_IS = frozenset("hes shes its thats theyre theyve hed shed theyd hell shell theyll whos gonna".split())  # noqa: SIM905
"""As people type who leave apostrophes out."""
_OPENING = r"^(?:(?:and|but|so|because|cause|since|then|also|now|still|well|that|though|while|when) +)*"
_I = re.compile(rf"{_OPENING}(?:i|i'm|i've|i'd|i'll|im|ive|my)\b", re.IGNORECASE)
_WE_DID = re.compile(rf"{_OPENING}(?:i|we) (?:\w+ly )?(?P<verb>\w+) (?P<whom>.+)", re.IGNORECASE | re.DOTALL)
_OTHERS = re.compile(rf"{_OPENING}(?:he|she|they|his|her|their)\b", re.IGNORECASE)
_THE = re.compile(rf"{_OPENING}the [\w'-]+ (?P<verb>\w+)", re.IGNORECASE)
_IS = r"(?:it|that|this|what|there|here|where|who|how|he|she|let)['’]s"
_OF_ANOTHER = re.compile(rf"\b(?:his|her|their|your|(?!{_IS})\w+['’]s)\W+(?:\w+\W+)?$", re.IGNORECASE)
_RELATIVES = frozenset(
    """
    wife husband partner girlfriend boyfriend daughter son kid child brother sister mother father mum mom dad parents
    aunt uncle cousin niece nephew grandmother grandfather gran grandma grandpa nan friend mate boss landlord
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
_NO_OWNER = r"my|our|his|this|its|us|is|was|has|does|as|yes|plus|perhaps|always|sometimes|besides|thus|whose"
_OF_ANOTHER_UNMARKED = re.compile(rf"\b(?!(?:{_NO_OWNER})\b)\w+[^\Ws]s\s+$", re.IGNORECASE)
"""Before a relative: "a patients daughter", as people type who leave apostrophes out. Adjectives do not end so."""
_OF_USER = re.compile(r"\b(?:my|our)\W+(?:\w+\W+)?$", re.IGNORECASE)


def is_anothers(proposition: str, source: Source) -> bool:
    """Whether the user's message says of somebody else what `proposition` says of its subject.

    What others say is not looked at: their "I" is their own name.
    """
    if not source.is_users or source.speaker is not None:
        return False
    text = source.text.replace("’", "'")
    if any(_is_of_another(thing["thing"], text) for thing in _USERS.finditer(proposition)):
        return True
    if any(_is_swapped(proposition, clause, text) for clause in moods.clauses(text)):
        return True
    if _has_another_subject(proposition, text):
        return True
    subject, predicate = _parted(proposition)
    if not subject:
        return False
    best = _closest(predicate, text)
    if subject == THE_USER:
        return bool(best) and all(_is_others(clause) and not is_first_person(clause) for _, clause in best)
    named = set(tokens(subject))
    return bool(best) and all(_I.match(clause) and not named & set(tokens(sentence)) for sentence, clause in best)


def _is_swapped(proposition: str, clause: str, text: str) -> bool:
    """Whether `clause` says of the user what `proposition` says of whom the user did it to: "We promised the customer"
    makes "The customer promised"."""
    did = _WE_DID.match(clause)
    if did is None:
        return False
    words = proposition.split()
    verb = next((at for at, word in enumerate(words) if first_form(word.lower()) == first_form(did["verb"].lower())), 0)
    subject = " ".join(words[:verb])
    named = {word for word in tokens(subject) if word not in STOPWORDS}
    said = " ".join(words[: verb + 1]).casefold() in text.casefold()
    is_passive = not {"is", "are", "was", "were", "been"}.isdisjoint(word.lower() for word in words[:verb])
    return bool(named) and named <= set(tokens(did["whom"])) and not said and not is_passive


def _has_another_subject(proposition: str, text: str) -> bool:
    """Whether the clause of `text` behind a `proposition` about something of the user's names another subject for its
    verb: "my mentor is Ola, not Jens, Jens got moved" does not make "The user's mentor got moved"."""
    owned = _OWNED.match(proposition)
    if owned is None:
        return False
    predicate = [word for word in tokens(owned["rest"]) if word not in _AUXILIARY]
    if not predicate or not (is_past(predicate[0]) or first_form(predicate[0]) != predicate[0]):
        return False
    verb = first_form(predicate[0])
    known = {*tokens(proposition), *STOPWORDS, *_AUXILIARY, *_HE_IS}
    found = _closest(owned["rest"], text)
    return bool(found) and all(_names_another(clause, verb, tokens(owned["noun"]), known, text) for _, clause in found)


def _names_another(clause: str, verb: str, nouns: Sequence[str], known: Collection[str], text: str) -> bool:
    words = tokens(clause)
    at = next((at for at, word in enumerate(words) if first_form(word) == verb), 0)
    before = [word for word in words[:at] if word not in known and not word.endswith("ly")]
    if len(before) != 1 or any(map(is_first_person, words[:at])):
        return False
    if not {*nouns, "it", "them", "him", "her"}.isdisjoint(words):
        return False  # What is the user's is what it was done to.
    # "My brother Sipho ... Sipho passed": the two are one.
    told = tokens(text)
    return not any(
        word == before[0] and not {*nouns}.isdisjoint(told[max(0, at - 2) : at + 3]) for at, word in enumerate(told)
    )


def _is_others(clause: str) -> bool:
    """Whether `clause` begins with another subject: a pronoun, or "the neighbours" before a verb."""
    if _OTHERS.match(clause):
        return True
    noun = _THE.match(clause)
    return noun is not None and (is_past(verb := noun["verb"].lower()) or first_form(verb) != verb)


def _is_of_another(thing: str, text: str) -> bool:
    """Whether `text` gives a `thing` to somebody else wherever it speaks of one. The second word may be a verb."""
    for words in (thing, thing.split()[0]):
        found = [text[: match.start()] for match in re.finditer(rf"\b{re.escape(words)}\b", text, re.IGNORECASE)]
        if found:
            unmarked = thing.split()[0].lower() in _RELATIVES
            return all(
                (_OF_ANOTHER.search(before) or (unmarked and _OF_ANOTHER_UNMARKED.search(before)))
                and not _OF_USER.search(before)
                for before in found
            )
    return False


def _parted(proposition: str) -> tuple[str, str]:
    """The user or the name at the beginning, and the rest; nothing where it begins otherwise."""
    match = re.match(rf"(?i:({THE_USER}))(?!['’])\b(.*)|((?:[A-Z][\w-]+ ?)+)(?!['’])\b(.*)", proposition, re.DOTALL)
    if match is None:
        return "", ""
    if match[1]:
        return THE_USER, match[2]
    return ("", "") if match[3].strip().casefold() in STOPWORDS else (match[3].strip(), match[4])


def _closest(predicate: str, text: str) -> list[tuple[str, str]]:
    """The clauses of `text` that share the most words with `predicate`, each with its sentence; none where two in
    three of its words are in no clause."""
    wanted = _stems(predicate)
    scored = [
        (len(wanted & _stems(clause)), sentence, clause)
        for sentence in moods.sentences(text)
        for clause in moods.clauses(sentence)
    ]
    best = max((score for score, *_ in scored), default=0)
    if 3 * best < len(wanted):
        return []
    return [(sentence, clause) for score, sentence, clause in scored if score == best > 0]


def _stems(text: str) -> set[str]:
    return {stem(word) for word in tokens(text) if word not in STOPWORDS}
