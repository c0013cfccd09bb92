"""Memory for AI agents, outside the model and inside it: a ledger with a vector, full-text and graph index, and
nightly dreams that distil what proved stable into LoRA adapters, with forgetting measured.

All public names are here, the errors among them. Besides, `hybridmem.conversation`, `hybridmem.embedding`,
`hybridmem.importers`, `hybridmem.integrations`, `hybridmem.jobs`, `hybridmem.metrics`, `hybridmem.models` and
`hybridmem.testing` are public modules.

>>> from hybridmem import EmptyText, HybridMemory
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hybridmem.core.version import VERSION as __version__  # noqa: F401

if TYPE_CHECKING:
    from hybridmem.adapters.card import AdapterCard as AdapterCard
    from hybridmem.adapters.registry import AdapterDiff as AdapterDiff
    from hybridmem.adapters.registry import AdapterRegistry as AdapterRegistry
    from hybridmem.core.clock import Clock as Clock
    from hybridmem.core.clock import Time as Time
    from hybridmem.core.edit import Unchanged as Unchanged
    from hybridmem.core.errors import AdapterError as AdapterError
    from hybridmem.core.errors import CorruptAdapter as CorruptAdapter
    from hybridmem.core.errors import CorruptStore as CorruptStore
    from hybridmem.core.errors import DreamBusy as DreamBusy
    from hybridmem.core.errors import DreamError as DreamError
    from hybridmem.core.errors import DreamInterrupted as DreamInterrupted
    from hybridmem.core.errors import EditRefused as EditRefused
    from hybridmem.core.errors import EmbeddingMismatch as EmbeddingMismatch
    from hybridmem.core.errors import EmptyText as EmptyText
    from hybridmem.core.errors import ErasedMeanwhile as ErasedMeanwhile
    from hybridmem.core.errors import HybridMemError as HybridMemError
    from hybridmem.core.errors import InvalidDate as InvalidDate
    from hybridmem.core.errors import InvalidEncoding as InvalidEncoding
    from hybridmem.core.errors import InvalidInput as InvalidInput
    from hybridmem.core.errors import InvalidNamespace as InvalidNamespace
    from hybridmem.core.errors import MissingExtra as MissingExtra
    from hybridmem.core.errors import ModelError as ModelError
    from hybridmem.core.errors import ModelIncomplete as ModelIncomplete
    from hybridmem.core.errors import ModelNotFound as ModelNotFound
    from hybridmem.core.errors import ModelTooLarge as ModelTooLarge
    from hybridmem.core.errors import NewerFormat as NewerFormat
    from hybridmem.core.errors import NotAMemory as NotAMemory
    from hybridmem.core.errors import NotFound as NotFound
    from hybridmem.core.errors import ReaderBudgetSpent as ReaderBudgetSpent
    from hybridmem.core.errors import ReadOnlyMemory as ReadOnlyMemory
    from hybridmem.core.errors import StateMismatch as StateMismatch
    from hybridmem.core.errors import StoreBusy as StoreBusy
    from hybridmem.core.errors import StoreError as StoreError
    from hybridmem.core.errors import StoreFull as StoreFull
    from hybridmem.core.errors import TextTooLong as TextTooLong
    from hybridmem.core.errors import UnknownAdapter as UnknownAdapter
    from hybridmem.core.errors import UnknownBlock as UnknownBlock
    from hybridmem.core.errors import UnknownDream as UnknownDream
    from hybridmem.core.errors import UnknownFormat as UnknownFormat
    from hybridmem.core.errors import UnknownMemory as UnknownMemory
    from hybridmem.core.errors import UnknownQuestion as UnknownQuestion
    from hybridmem.core.errors import WrongBase as WrongBase
    from hybridmem.core.folder import MemoryFolder as MemoryFolder
    from hybridmem.core.namespace import Namespace as Namespace
    from hybridmem.core.policy import MemoryPolicy as MemoryPolicy
    from hybridmem.core.progress import Progress as Progress
    from hybridmem.core.records import AdapterRecord as AdapterRecord
    from hybridmem.core.records import Answer as Answer
    from hybridmem.core.records import BulkReceipt as BulkReceipt
    from hybridmem.core.records import Check as Check
    from hybridmem.core.records import DreamReport as DreamReport
    from hybridmem.core.records import Episode as Episode
    from hybridmem.core.records import ErasureReceipt as ErasureReceipt
    from hybridmem.core.records import Event as Event
    from hybridmem.core.records import Fact as Fact
    from hybridmem.core.records import Hit as Hit
    from hybridmem.core.records import Kind as Kind
    from hybridmem.core.records import MemoryRecord as MemoryRecord
    from hybridmem.core.records import ReaderUsage as ReaderUsage
    from hybridmem.core.records import ReviewItem as ReviewItem
    from hybridmem.core.records import Route as Route
    from hybridmem.core.records import Step as Step
    from hybridmem.core.records import Trust as Trust
    from hybridmem.core.skills import Skill as Skill
    from hybridmem.core.skills import SkillStep as SkillStep
    from hybridmem.core.standing import Block as Block
    from hybridmem.core.standing import Reflection as Reflection
    from hybridmem.core.standing import StandingQuestion as StandingQuestion
    from hybridmem.core.standing import Statement as Statement
    from hybridmem.dreaming.proposal import DreamReview as DreamReview
    from hybridmem.dreaming.proposal import ProposedChange as ProposedChange
    from hybridmem.dreaming.recipes import Recipe as Recipe
    from hybridmem.dreaming.steps.unlearn import Probe as Probe
    from hybridmem.embedding.base import Embedder as Embedder
    from hybridmem.importers.base import ImportedTurn as ImportedTurn
    from hybridmem.importers.base import ImportReport as ImportReport
    from hybridmem.maintenance.agents_md import AgentsSection as AgentsSection
    from hybridmem.maintenance.markdown.comparison import Prefer as Prefer
    from hybridmem.maintenance.markdown.importing import MarkdownReceipt as MarkdownReceipt
    from hybridmem.maintenance.markdown.writing import MarkdownExport as MarkdownExport
    from hybridmem.maintenance.secrets import SecretReport as SecretReport
    from hybridmem.memory import HybridMemory as HybridMemory
    from hybridmem.models.base import Generation as Generation
    from hybridmem.models.base import LanguageModel as LanguageModel
    from hybridmem.models.reader import ChatModel as ChatModel
    from hybridmem.models.reader import LangChainReader as LangChainReader
    from hybridmem.models.reader import Reader as Reader
    from hybridmem.models.reader import ReaderSettings as ReaderSettings
    from hybridmem.models.trainable import TrainableModel as TrainableModel
    from hybridmem.router.policy import Explanation as Explanation
    from hybridmem.router.policy import Feedback as Feedback
    from hybridmem.running.chunks import SessionMessage as SessionMessage
    from hybridmem.running.fingerprint import Fingerprint as Fingerprint
    from hybridmem.running.session import Session as Session
    from hybridmem.running.session import SessionAnswer as SessionAnswer
    from hybridmem.running.session import SessionEvent as SessionEvent
    from hybridmem.running.settings import SessionSettings as SessionSettings
    from hybridmem.skills.learning import LearnedSkills as LearnedSkills
    from hybridmem.standing.blocks import Blocks as Blocks
    from hybridmem.standing.profile import Profile as Profile
    from hybridmem.standing.profile import ProfileLine as ProfileLine
    from hybridmem.standing.questions import StandingQuestions as StandingQuestions
    from hybridmem.stores.index.base import GraphIndex as GraphIndex
    from hybridmem.stores.index.base import LexicalIndex as LexicalIndex
    from hybridmem.stores.index.base import VectorIndex as VectorIndex
    from hybridmem.stores.ledger.archive import Restored as Restored
    from hybridmem.stores.ledger.base import Ledger as Ledger
    from hybridmem.stores.ledger.lineage import AdapterSummary as AdapterSummary
    from hybridmem.workspace import Redact as Redact
    from hybridmem.workspace import Workspace as Workspace

# Loaded at first use: importing hybridmem opens no database and loads no model.
_NAMES = {
    "hybridmem.adapters.card": "AdapterCard",
    "hybridmem.adapters.registry": "AdapterDiff AdapterRegistry",
    "hybridmem.core.clock": "Clock Time",
    "hybridmem.core.errors": """
        AdapterError CorruptAdapter CorruptStore DreamBusy DreamError DreamInterrupted EditRefused EmbeddingMismatch
        EmptyText ErasedMeanwhile HybridMemError InvalidDate InvalidEncoding InvalidInput InvalidNamespace MissingExtra
        ModelError ModelIncomplete ModelNotFound ModelTooLarge NewerFormat NotAMemory NotFound ReadOnlyMemory
        ReaderBudgetSpent StateMismatch StoreBusy StoreError StoreFull TextTooLong UnknownAdapter UnknownBlock
        UnknownDream UnknownFormat UnknownMemory UnknownQuestion WrongBase
    """,
    "hybridmem.core.edit": "Unchanged",
    "hybridmem.core.namespace": "Namespace",
    "hybridmem.core.policy": "MemoryPolicy",
    "hybridmem.core.records": """
        AdapterRecord Answer BulkReceipt Check DreamReport Episode ErasureReceipt Event Fact Hit Kind MemoryRecord
        ReaderUsage
        ReviewItem Route Step Trust
    """,
    "hybridmem.core.progress": "Progress",
    "hybridmem.core.skills": "Skill SkillStep",
    "hybridmem.core.standing": "Block Reflection StandingQuestion Statement",
    "hybridmem.dreaming.proposal": "DreamReview ProposedChange",
    "hybridmem.dreaming.recipes": "Recipe",
    "hybridmem.dreaming.steps.unlearn": "Probe",
    "hybridmem.embedding.base": "Embedder",
    "hybridmem.importers.base": "ImportReport ImportedTurn",
    "hybridmem.maintenance.agents_md": "AgentsSection",
    "hybridmem.maintenance.markdown.comparison": "Prefer",
    "hybridmem.maintenance.markdown.importing": "MarkdownReceipt",
    "hybridmem.maintenance.markdown.writing": "MarkdownExport",
    "hybridmem.maintenance.secrets": "SecretReport",
    "hybridmem.memory": "HybridMemory",
    "hybridmem.models.base": "Generation LanguageModel",
    "hybridmem.stores.ledger.lineage": "AdapterSummary",
    "hybridmem.core.folder": "MemoryFolder",
    "hybridmem.models.reader": "ChatModel LangChainReader Reader ReaderSettings",
    "hybridmem.models.trainable": "TrainableModel",
    "hybridmem.router.policy": "Explanation Feedback",
    "hybridmem.running.chunks": "SessionMessage",
    "hybridmem.running.fingerprint": "Fingerprint",
    "hybridmem.running.session": "Session SessionAnswer SessionEvent",
    "hybridmem.running.settings": "SessionSettings",
    "hybridmem.skills.learning": "LearnedSkills",
    "hybridmem.standing.blocks": "Blocks",
    "hybridmem.standing.profile": "Profile ProfileLine",
    "hybridmem.standing.questions": "StandingQuestions",
    "hybridmem.stores.index.base": "GraphIndex LexicalIndex VectorIndex",
    "hybridmem.stores.ledger.archive": "Restored",
    "hybridmem.stores.ledger.base": "Ledger",
    "hybridmem.workspace": "Redact Workspace",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hybridmem' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
