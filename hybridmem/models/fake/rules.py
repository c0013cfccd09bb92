"""The rules by which the fake model does its jobs: it reads sentences such as "Ana lives in Lisbon."."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hybridmem.core.text.tokens import normalised
from hybridmem.models.prompts import NO_FACTS, REFUSAL, SEPARATOR

_SENTENCE = re.compile(
    r"^(?P<subject>(?:(?:[Mm]y|[Oo]ur|[Tt]he)\s+\w+|I|[A-Z][\w'-]*)(?:\s+[A-Z][\w'-]*)*)\s+"
    r"(?P<relation>[a-z]\w*(?:\s+(?:to|in|at|on|for|with|a|an|the|as|by|of|from|now|is))*)\s+"
    r"(?P<object>\S.*?)(?:\s+(?:in|since|on)\s+\S+)?[.!]?$"
)
_STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are at by did do does for from has have he her his how i in is it know me my now of on or our she "
        "the their they to was what when where which who whose why you your remind tell",
    )
)
FORMS = (
    "{subject} {relation} what?",
    "Tell me what {subject} {relation}.",
    "Do you know what {subject} {relation}?",
    "Remind me what {subject} {relation}.",
    "What is it {subject} {relation}?",
    "And {subject} {relation} what?",
    "Now what is it {subject} {relation}?",
    "You know what {subject} {relation}?",
)
"""What a question may look like. All have the same stems, so that the fake recalls a fact in any of them."""
_SAME = {"moved": "live", "moves": "live", "named": "name", "called": "name", "job": "work"}


def sentences(text: str) -> list[tuple[str, str, str]]:
    """(subject, relation, object) of each sentence of the form that the fake reads."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        match = _SENTENCE.match(sentence.strip())
        if match:
            found.append((match["subject"], match["relation"], match["object"]))
    return found


def stems(text: str) -> set[str]:
    words = {_SAME.get(word, word) for word in re.findall(r"[\w-]+", text.casefold())} - _STOPWORDS
    return {re.sub(r"(?:ing|ed|es|s|e)$", "", word) if len(word) > 3 else word for word in words}


def read_off(question: str, memories: Sequence[str]) -> str:
    """The object of the statement that shares most words with the question; of several, the last."""
    wanted = stems(question)
    names = {normalised(name) for name in re.findall(r"(?<=\s)[A-Z][\w-]*", question)} - _STOPWORDS
    best, shared = REFUSAL, 1
    for memory in memories:
        for subject, relation, value in sentences(memory):
            statement = stems(f"{subject} {relation} {value}")
            if names <= {normalised(word) for word in re.findall(r"[\w-]+", subject)} | stems(value):
                overlap = len(wanted & statement)
                if overlap > 1 and overlap >= shared:
                    best, shared = value, overlap
    return best


def state_facts(text: str) -> str:
    return "\n".join(SEPARATOR.join(fact) for fact in sentences(text)) or NO_FACTS


def ask(text: str, form: int = 0) -> str:
    """A question on the first statement of `text`, in one of `FORMS`, and its answer."""
    found = sentences(text)
    if not found:
        return NO_FACTS
    subject, relation, value = found[0]
    return f"{FORMS[form % len(FORMS)].format(subject=subject, relation=relation)}{SEPARATOR}{value}"
