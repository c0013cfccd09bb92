"""Every error that hybridmem raises on purpose; all are exported from `hybridmem`. Each message is one line: what was
wrong, and what to do next.

HybridMemError
├── InvalidInput (also ValueError)         what the caller passed cannot be stored or read
│   ├── EmptyText
│   ├── TextTooLong
│   ├── InvalidEncoding
│   ├── InvalidNamespace
│   ├── InvalidDate
│   ├── UnknownFormat
│   └── EditRefused
├── NotFound (also LookupError)            nothing in this namespace has that name
│   ├── UnknownMemory
│   ├── UnknownAdapter
│   ├── UnknownDream
│   ├── UnknownBlock
│   └── UnknownQuestion
├── StoreError                             the memory folder cannot be used as it is
│   ├── NotAMemory
│   ├── ReadOnlyMemory
│   ├── NewerFormat
│   ├── EmbeddingMismatch
│   ├── StoreFull
│   ├── StoreBusy
│   └── CorruptStore
├── ModelError
│   ├── ModelNotFound
│   ├── ModelIncomplete
│   ├── ModelTooLarge
│   ├── ReaderBudgetSpent
│   ├── StateMismatch
│   └── MissingExtra
├── AdapterError
│   ├── CorruptAdapter
│   └── WrongBase
└── DreamError
    ├── DreamBusy
    ├── DreamInterrupted
    └── ErasedMeanwhile
"""

from __future__ import annotations

from collections.abc import Mapping


class HybridMemError(Exception):
    """The root: catch it to catch everything that hybridmem raises on purpose. On the command line: exit code 2.

    `advice` is what to do next, where that differs by who asks: a shell's command helps no client of a server, which
    puts its own behind the `problem`.

    >>> str(UnknownMemory("no memory 'ep_1'", "hybridmem list shows the ids"))
    "no memory 'ep_1': hybridmem list shows the ids"
    """

    def __init__(self, problem: str = "", advice: str = "") -> None:
        super().__init__(f"{problem}: {advice}" if advice else problem)
        self.problem = problem

    def advised(self, advice: Mapping[type[HybridMemError], str]) -> str:
        """The message with the `advice` for this kind of error, or for the nearest kind above it; else as it is."""
        found = next((advice[kind] for kind in type(self).__mro__ if kind in advice), None)
        return f"{self.problem}: {found}" if found else str(self)


class InvalidInput(HybridMemError, ValueError):
    """What the caller passed cannot be stored or read."""


class EmptyText(InvalidInput):
    """There is no text to remember: it is empty or white space."""


class TextTooLong(InvalidInput):
    """One memory is longer than the store takes."""


class InvalidEncoding(InvalidInput):
    """The bytes or characters are not valid Unicode text (UTF-8)."""


class InvalidNamespace(InvalidInput):
    """A namespace has no parts, or a part that is empty or odd."""


class InvalidDate(InvalidInput):
    """A date is not one of ISO 8601."""


class UnknownFormat(InvalidInput):
    """A file is in none of the formats that the importers read."""


class EditRefused(InvalidInput):
    """A block cannot be edited so: it is read-only or full, or the words to replace are not in it."""


class NotFound(HybridMemError, LookupError):
    """Nothing in this namespace has that name."""


class UnknownMemory(NotFound):
    """No memory in this namespace has that id."""


LIST_SHOWS_IDS = "hybridmem list shows the ids"
"""The advice of an `UnknownMemory` on the command line."""


class UnknownAdapter(NotFound):
    """No adapter of this namespace has that version."""


class UnknownDream(NotFound):
    """No dream of this namespace has that id."""


class UnknownBlock(NotFound):
    """No block of this namespace has that label."""


class UnknownQuestion(NotFound):
    """No standing question of this namespace has that id."""


class StoreError(HybridMemError):
    """The memory folder cannot be used as it is."""


class NotAMemory(StoreError):
    """The path is a file, or a folder that holds something else."""


class ReadOnlyMemory(StoreError):
    """The folder cannot be written to."""


class NewerFormat(StoreError):
    """The folder was written by a newer hybridmem."""


class EmbeddingMismatch(StoreError):
    """The folder's vectors were made by another embedding model."""


class StoreFull(StoreError):
    """The disk is full: what was not acknowledged was not stored."""


class StoreBusy(StoreError):
    """Another process held the store for too long."""


class CorruptStore(StoreError):
    """The ledger cannot be read."""


class ModelError(HybridMemError):
    """A language or embedding model cannot be used."""


class ModelNotFound(ModelError):
    """No model has that name, or no folder is there."""


class ModelIncomplete(ModelError):
    """A model folder lacks its weights, configuration or tokenizer, or they fail their hash."""


class ModelTooLarge(ModelError):
    """A model, or a training of it, does not fit into the memory that is free."""


class ReaderBudgetSpent(ModelError):
    """A night's bound on the tokens of its reader is reached."""


class StateMismatch(ModelError):
    """A session's state was computed by another model, adapter, template or precision."""


class MissingExtra(ModelError):
    """A package that this needs is not installed."""


class AdapterError(HybridMemError):
    """An adapter cannot be used."""


class CorruptAdapter(AdapterError):
    """An adapter's files are missing, damaged or not what their card says."""


class WrongBase(AdapterError):
    """An adapter was trained on another base model."""


class DreamError(HybridMemError):
    """A dream cannot run."""


class DreamBusy(DreamError):
    """Another process dreams this namespace now."""


class DreamInterrupted(DreamError):
    """A dream was stopped before its end: nothing was promoted, and the next dream resumes it."""


class ErasedMeanwhile(DreamError):
    """A memory was erased, or put in other words, while a dream learned it: what was trained is not promoted."""
