"""How a night reads episodes by propositions and questions: the recipe's table ``[reading]``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """How propositions become facts."""

    samples: int = 5
    """Questions asked of the model for each proposition beside the most probable one, before they are checked."""
    temperature: float = 0.8
    """Of those questions' sampling."""
    max_question_nats: float = 0.6
    """Nats a token that a question and its answer cost a small reader, at most: what it writes beside the point ("Who
    turns the time on 16 November?") is improbable to itself."""
    max_turned_nats: float = 0.8
    """The same of a question that grammar alone made of a proposition: its form is certain."""
    max_unsaid_nats: float = 0.3
    """Nats a token that a question with a word that nobody said may cost a small reader, at most: to what it is surest
    of it gives a name of its own ("Which instrument does Ana play?")."""
    neighbours: int = 4
    """Other messages, of the same day or like this one, that must not answer a question otherwise."""
    candidates: int = 5
    """Current facts that a new proposition is compared with, the most like it."""
    facts: int = 3
    """Facts that one proposition yields, at most: each with a question and an answer of its own."""
    truth_questions: int = 60
    """Questions written from the night's episodes, at most, that are asked before and after the night."""
