"""What stands beside the memories: blocks that are always in an agent's context, and answers with their citations.

>>> Block("persona", "You are brief.").room
1986
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from hybridmem.core.clock import parse_time, utc_now
from hybridmem.core.errors import EditRefused, InvalidEncoding, InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Hit, checked_text, sound_text

BLOCK_LIMIT = 2_000
"""The most characters of a block that does not say otherwise."""
MAX_BLOCK = 100_000
"""The highest limit of a block: all of it is in every conversation."""
MAX_DESCRIPTION = 1_000
LABEL = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"
"""A block's label, as a pattern."""


@dataclass(frozen=True, slots=True)
class Block:
    """A text under a label that is in the agent's context from the first turn on (Letta's core memory), and that the
    agent edits. It is no memory: no search finds it and no dream reads it."""

    label: str
    value: str = ""
    description: str = ""
    """What belongs into it, for whoever edits it."""
    limit: int = BLOCK_LIMIT
    """The most characters of its value."""
    read_only: bool = False
    """Whether agents may only read it."""
    updated_at: datetime = field(default_factory=utc_now)

    @property
    def room(self) -> int:
        """Characters that its value may grow by."""
        return self.limit - len(self.value)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that an answer says, and what it rests on."""

    text: str
    sources: tuple[str, ...]
    """Ids of the memories that say so, in the order in which they are cited."""


@dataclass(frozen=True, slots=True)
class Reflection:
    """An answer over many memories, each statement with the memories that it rests on."""

    question: str
    text: str
    """The statements, or that nobody knows."""
    statements: tuple[Statement, ...] = ()
    """Empty where the memories do not say."""
    evidence: tuple[Hit, ...] = ()
    """The memories that are cited, in the order in which they were found."""
    shown: tuple[str, ...] = ()
    """Ids of the memories that the model read."""
    left_out: tuple[str, ...] = ()
    """What the model said and no memory that it was shown bears out: no part of the answer."""
    read_by: str = ""
    """The model that answered; "" where there was nothing to show to one."""
    prompt_tokens: int = 0
    tokens: int = 0
    """Of the completion."""


@dataclass(frozen=True, slots=True)
class StandingQuestion:
    """A question whose answer is kept: what it says, on what it rests, and how far it has followed the memory."""

    id: str
    namespace: Namespace
    question: str
    statements: tuple[Statement, ...] = ()
    """The answer; empty where the memories do not say, or nobody has answered yet."""
    shown: tuple[str, ...] = ()
    """Ids of the memories that the answer was read from. When one of them is erased, the answer goes with it."""
    read_by: str = ""
    """The model that answered."""
    answered_at: datetime | None = None
    """When it was answered; None for not yet, or not since something that it rested on went."""
    position: int = 0
    """The ledger's position up to which everything is known not to change the answer."""

    @property
    def text(self) -> str:
        """The answer in one line, without its citations; "" where there is none."""
        return " ".join(statement.text for statement in self.statements)

    def unanswered(self) -> StandingQuestion:
        """The question alone."""
        return StandingQuestion(self.id, self.namespace, self.question)


def checked_label(label: str) -> str:
    """`label` as a block's name. Raises `InvalidInput`."""
    if not isinstance(label, str) or not re.fullmatch(LABEL, label):
        raise InvalidInput(
            f"the label {str(label)[:80]!r} names no block: write 1 to 64 letters, digits, dots, dashes and underscores"
        )
    return label


def checked_block(block: Block) -> Block:
    """`block` as a ledger takes it. Raises `InvalidInput`."""
    checked_label(block.label)
    value, description = (_sound(name, getattr(block, name)) for name in ("value", "description"))
    if not 1 <= block.limit <= MAX_BLOCK:
        raise InvalidInput(f"the limit of the block {block.label} is {block.limit}: choose 1 to {MAX_BLOCK:,}")
    if len(value) > block.limit:
        raise EditRefused(
            f"the block {block.label} would have {len(value):,} characters and takes {block.limit:,}: shorten it, or "
            "raise its limit"
        )
    if len(description) > MAX_DESCRIPTION:
        raise InvalidInput(f"the description has {len(description):,} characters and takes {MAX_DESCRIPTION:,}")
    return replace(block, value=value, description=description, updated_at=parse_time(block.updated_at))


def checked_question(question: StandingQuestion) -> StandingQuestion:
    """`question` as a ledger takes it. Raises a kind of `InvalidInput`."""
    return replace(
        question,
        question=checked_text(question.question),
        statements=tuple(Statement(checked_text(each.text), tuple(each.sources)) for each in question.statements),
        shown=tuple(dict.fromkeys(question.shown)),
        answered_at=parse_time(question.answered_at) if question.answered_at is not None else None,
    )


def _sound(name: str, text: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f"the {name} of a block is no text: pass one")
    if "\x00" in text:
        raise InvalidEncoding(f"the {name} has a NUL character at {text.index(chr(0))}: remove it")
    return sound_text(text)
