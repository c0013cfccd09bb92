"""Questions that describe what they ask of instead of naming it: "Where does the person who runs Café Luna live?".

Such a question is two: who that is, and what is asked of them. Where a description ends, grammar alone does not say
without a parser ("the Tavrin server live in"): a name goes on as long as a memory has its words.

    >>> known = ["Mira Sodo looks after the Tavrin server.", "Ivo is Ana's boss."]
    >>> asked = description("Which city does the person who looks after the Tavrin server live in?", known)
    >>> asked.question, asked.of("Mira Sodo")
    ('Who looks after the Tavrin server?', 'Which city does Mira Sodo live in?')
    >>> asked = description("Where does Ana's boss live?", known)
    >>> asked.question, asked.of("Ivo")
    ("Who is Ana's boss?", 'Where does Ivo live?')
    >>> description("What is the name of the person who looks after the Tavrin server?", known) is None
    True
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.core.text.topics import topic
from hybridmem.core.text.verbs import first_form

LONGEST = 300
"""Characters of a question that is looked at."""
_WORD = re.compile(r"[^\W_](?:[\w'’-]*\w)?")
_RELATIVE = re.compile(
    r"\b(?:the|a|an) (?P<noun>(?:[a-z][\w-]* ){0,2}?[a-z][\w-]*),? (?P<link>who|that|which) (?P<clause>.+)"
)
_NAME = r"[A-Z][\w.-]*(?: [A-Z][\w.-]*)*"
_OWNED = re.compile(rf"\b(?P<owner>(?!(?:What|Who|Where|When|How)\b){_NAME}['’]s|[Mm]y|[Oo]ur) (?=(?P<noun>[a-z].*))")
_STATED = re.compile(rf"(?P<name>{_NAME}) (?P<verb>[a-z]+)(?P<rest>(?: .*)?)")
_OF = re.compile(r"\bthe (?P<noun>[a-z][\w-]*(?: [a-z][\w-]*)?) of (?P<owner>(?:the )?[A-Z].*)")
_NAMING = topic("called named")
"""Asks for nothing but what somebody is called."""
_PERSON = frozenset(
    """
    person one man woman boy girl someone somebody colleague boss manager friend neighbour neighbor teacher
    doctor dentist owner author sister brother mother father mum mom dad parent son daughter child aunt
    uncle cousin niece nephew grandmother grandfather wife husband partner girlfriend boyfriend fiancé
    fiancée landlord tenant flatmate roommate coach tutor mentor lawyer accountant therapist assistant
    director chief head lead leader founder
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Description:
    """A description within a question."""

    question: str
    """Asks who or what is described."""
    before: str
    after: str
    """What the question says around it."""

    def of(self, name: str) -> str:
        """The whole question, of `name` in the place of the description."""
        return f"{self.before}{name}{self.after}"


def description(question: str, memories: Sequence[str]) -> Description | None:
    """The description in `question` of something that some of the `memories` are about; None where there is none, or
    where the question asks for nothing but who or what it is."""
    if len(question) > LONGEST:
        return None
    asked = " ".join(question.split()).rstrip("?.! ")
    if not any(form.search(asked) for form in (_RELATIVE, _OWNED, _OF)):
        return None
    known = [normalised(memory) for memory in memories]
    found = _relative(asked, known) or _owned(asked, known) or _of(asked, known)
    return found if found and topic(f"{found.before} {found.after}") - _NAMING else None


def _relative(asked: str, known: Sequence[str]) -> Description | None:
    match = _RELATIVE.search(asked)
    if match is None:
        return None
    noun, clause = match["noun"], match["clause"]
    begins = match.start("clause")
    who = "Who" if match["link"] == "who" or noun.split()[-1] in _PERSON else f"Which {noun}"
    if clause[0].isupper():
        # The name is the clause's subject: "the city that Ana lives in". Nothing tells where that would end.
        stated = _STATED.fullmatch(clause)
        if stated is None or not _known(stated["name"], 0, known):
            return None
        inner = f"{who} does {stated['name']} {first_form(stated['verb'])}{stated['rest']}?"
        return Description(inner, asked[: match.start()], "?")
    ends = max(
        (_known(clause, word.start(), known) for word in _WORD.finditer(clause) if word.group()[0].isupper()), default=0
    )
    if not ends:
        return None
    return Description(f"{who} {clause[:ends]}?", asked[: match.start()], f"{asked[begins + ends :]}?")


def _owned(asked: str, known: Sequence[str]) -> Description | None:
    for match in _OWNED.finditer(asked):
        ends = _known(match["noun"], 0, known)
        if ends:
            noun = match["noun"][:ends]
            owner = match["owner"] if "'" in match["owner"] or "’" in match["owner"] else match["owner"].lower()
            return Description(
                f"{_asking(noun)} is {owner} {noun}?",
                asked[: match.start()],
                f"{asked[match.start('noun') + ends :]}?",
            )
    return None


def _of(asked: str, known: Sequence[str]) -> Description | None:
    match = _OF.search(asked)
    if match is None:
        return None
    ends = _known(match["owner"], 0, known)
    if not ends:
        return None
    described = asked[match.start() : match.start("owner") + ends]
    return Description(
        f"{_asking(match['noun'])} is {described}?", asked[: match.start()], f"{asked[match.start('owner') + ends :]}?"
    )


def _asking(noun: str) -> str:
    return "Who" if noun.split()[-1].lower() in _PERSON else "What"


def _known(text: str, begins: int, known: Sequence[str]) -> int:
    """Where the longest run of words of `text` from `begins` on ends that one of the `known` memories has; 0 where
    none has its first word."""
    ends = 0
    for word in _WORD.finditer(text, begins):
        run = normalised(text[begins : word.end()])
        if not any(contains_words(memory, run) for memory in known):
            break
        ends = word.end()
    return ends
