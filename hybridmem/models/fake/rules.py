"""The rules by which the fake model does its jobs: it reads sentences such as "Ana lives in Lisbon."."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from hybridmem.core.text import moods
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.models.fake.third_person import dated, third_person
from hybridmem.models.prompts import NO_FACTS, REFUSAL, SEPARATOR

_SENTENCE = re.compile(
    r"^(?P<subject>(?:[Tt]he\s+\w+'s\s+\w+|[A-Z][\w-]*'s\s+\w+|(?:[Mm]y|[Oo]ur|[Tt]he)\s+\w+|I|[A-Z][\w'-]*)(?:\s+[A-Z][\w'-]*)*)\s+"
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
_LINE = re.compile(
    r"^(?:(?:[A-Z][a-z]+day )?(?P<at>\d{4}-\d{2}-\d{2})(?: (?P<by>[^:|]{1,40}))?|(?P<who>[A-Z][\w .-]{0,40})): "
)
_BELIEVED = ("asserted", "planned")
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
    """The object of the statement that shares most words with the question; of several, the last. A later denial of
    that value leaves nothing."""
    question = third_person(question, None) if _speaks_of_user(question) else question
    wanted = stems(question)
    names = {normalised(name) for name in re.findall(r"(?<=\s)[A-Z][\w-]*", question)} - _STOPWORDS
    best, shared = REFUSAL, 1
    for memory in memories:
        for sentence in _statements(memory):
            if moods.mood(sentence) not in _BELIEVED:
                if best != REFUSAL and moods.mood(sentence) == "denied" and contains_words(normalised(sentence), best):
                    best, shared = REFUSAL, 1
                continue
            for subject, relation, value in sentences(sentence):
                statement = stems(f"{subject} {relation} {value}")
                if names <= {normalised(word) for word in re.findall(r"[\w-]+", subject)} | stems(value):
                    overlap = len(wanted & statement)
                    if overlap > 1 and overlap >= shared:
                        best, shared = value, overlap
    return best


def _statements(memory: str) -> list[str]:
    """The sentences of a memory as a prompt shows it, in the third person where somebody is named or a date stands."""
    line = _LINE.match(memory)
    said = memory[line.end() :] if line else memory
    speaker = (line["by"] or line["who"]) if line else None
    return [third_person(each, speaker) if line or _speaks_of_user(each) else each for each in moods.sentences(said)]


def _speaks_of_user(text: str) -> bool:
    return re.search(r"\b(?:I|my|My|me)\b", text) is not None


def state_propositions(content: str) -> str:
    """The statements of a message (behind "Statements in: "), each with its mood, by plain cues."""
    message = content.partition("Statements in: ")[2]
    line = _LINE.match(message)
    said = message[line.end() :] if line else message
    speaker = (line["by"] or line["who"]) if line else None
    found = []
    for sentence in moods.sentences(said):
        whole = moods.mood(sentence)
        parts = list(moods.clauses(sentence)) if whole == "denied" else [sentence.rstrip(".!?")]
        for part in parts:
            mood = "joked" if moods.is_taken_back(said) else moods.mood(part) if whole == "denied" else whole
            stated = third_person(part, speaker)
            if line and line["at"]:
                stated = dated(stated, date.fromisoformat(line["at"]))
            if len(stated.split()) > 2:
                found.append(f"{mood}{SEPARATOR}{stated}.")
    return "\n".join(found) or NO_FACTS


def state_facts(text: str) -> str:
    return "\n".join(SEPARATOR.join(fact) for fact in sentences(text)) or NO_FACTS


def ask(text: str, form: int = 0) -> str:
    """A question on the first statement of `text`, in one of `FORMS`, and its answer."""
    found = sentences(text)
    if not found:
        return NO_FACTS
    subject, relation, value = found[0]
    return f"{FORMS[form % len(FORMS)].format(subject=subject, relation=relation)}{SEPARATOR}{value}"


def ask_in_every_form(content: str) -> str:
    """A question on the statement in every one of `FORMS` but those that are there, each with the answer given."""
    text, *rest = content.split("\n")
    answer = next((line.removeprefix("Answer: ") for line in rest if line.startswith("Answer: ")), "")
    there = {normalised(line.removeprefix("Not: ")) for line in rest if line.startswith("Not: ")}
    pairs = [ask(text, form).partition(SEPARATOR) for form in range(len(FORMS))]
    lines = [f"{asked}{bar}{said}" for asked, bar, said in pairs if normalised(asked) not in there]
    return "\n".join(lines) if pairs[0][2] == answer else NO_FACTS


def confirm(content: str) -> str:
    """Whether reading the memories again gives the answer that is asked about."""
    *memories, question, answer = content.splitlines()[1:]
    found = read_off(question.removeprefix("Question: "), [line.removeprefix("- ") for line in memories])
    return "yes" if normalised(found) == normalised(answer.removeprefix("Is it: ")) else "no"
