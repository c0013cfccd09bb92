"""Whether a question is about a fact's subject, by its words.

>>> names_subject("Where does Ana Brito live?", "ana brito"), names_subject("Where does Anabel live?", "Ana")
(True, False)
>>> names_subject("Where do I live?", "I")
True
"""

from __future__ import annotations

from collections.abc import Iterable

from hybridmem.core.text.first_person import SPEAKER, is_first_person
from hybridmem.core.text.tokens import contains_words, normalised


def names_subject(question: str, subject: str, *, plural: bool = True) -> bool:
    """Whether `question` names `subject`; for the speaker, whether it is in the first person, "we" included where
    `plural`."""
    return names_any_subject(question, (normalised(subject),), plural=plural)


def names_any_subject(question: str, subjects: Iterable[str], *, plural: bool = True) -> bool:
    """Whether `question` names one of `subjects`, each normalised as in `Fact.slot`."""
    said = normalised(question)
    speaker = normalised(SPEAKER)
    return any(
        is_first_person(question, plural=plural) if subject == speaker else contains_words(said, subject)
        for subject in subjects
    )
