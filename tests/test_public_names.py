"""The public names: what they are, and that they are enough for whoever uses the public methods."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hybridmem
from hybridmem.adapters import registry
from hybridmem.core import errors, records

EXPORTED = [
    "AdapterCard",
    "AdapterDiff",
    "AdapterError",
    "AdapterRecord",
    "AdapterRegistry",
    "AdapterSummary",
    "AgentsSection",
    "Answer",
    "Block",
    "Blocks",
    "BulkReceipt",
    "ChatModel",
    "Check",
    "Clock",
    "CorruptAdapter",
    "CorruptStore",
    "DreamBusy",
    "DreamError",
    "DreamInterrupted",
    "DreamReport",
    "DreamReview",
    "EditRefused",
    "Embedder",
    "EmbeddingMismatch",
    "EmptyText",
    "Episode",
    "ErasedMeanwhile",
    "ErasureReceipt",
    "Event",
    "Explanation",
    "Fact",
    "Feedback",
    "Fingerprint",
    "Generation",
    "GraphIndex",
    "Hit",
    "HybridMemError",
    "HybridMemory",
    "ImportReport",
    "ImportedTurn",
    "InvalidDate",
    "InvalidEncoding",
    "InvalidInput",
    "InvalidNamespace",
    "Kind",
    "LangChainReader",
    "LanguageModel",
    "LearnedSkills",
    "Ledger",
    "LexicalIndex",
    "MarkdownExport",
    "MarkdownReceipt",
    "MemoryFolder",
    "MemoryPolicy",
    "MemoryRecord",
    "MissingExtra",
    "ModelError",
    "ModelIncomplete",
    "ModelNotFound",
    "ModelTooLarge",
    "Namespace",
    "NewerFormat",
    "NotAMemory",
    "NotFound",
    "Prefer",
    "Probe",
    "Profile",
    "ProfileLine",
    "Progress",
    "ProposedChange",
    "ReadOnlyMemory",
    "Reader",
    "ReaderBudgetSpent",
    "ReaderSettings",
    "ReaderUsage",
    "Recipe",
    "Redact",
    "Reflection",
    "Restored",
    "ReviewItem",
    "Route",
    "SecretReport",
    "Session",
    "SessionAnswer",
    "SessionEvent",
    "SessionMessage",
    "SessionSettings",
    "Skill",
    "SkillStep",
    "StandingQuestion",
    "StandingQuestions",
    "StateMismatch",
    "Statement",
    "Step",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "TextTooLong",
    "Time",
    "TrainableModel",
    "Trust",
    "Unchanged",
    "UnknownAdapter",
    "UnknownBlock",
    "UnknownDream",
    "UnknownFormat",
    "UnknownMemory",
    "UnknownQuestion",
    "VectorIndex",
    "Workspace",
    "WrongBase",
]
MACHINERY = {"indexes", "retrieval", "router"}
"""Properties of `HybridMemory` whose types are no public names."""


def test_the_exported_names_are_these() -> None:
    assert hybridmem.__all__ == EXPORTED
    assert sorted(EXPORTED) == EXPORTED


def test_every_exported_name_is_there_for_programs_and_for_type_checkers() -> None:
    for name in EXPORTED:
        assert getattr(hybridmem, name) is not None
    assert set(EXPORTED) <= set(dir(hybridmem))
    seen = {name for module in [hybridmem] for name, _ in imported(module).items() if not name.startswith("_")}
    assert seen - {"annotations", "importlib", "TYPE_CHECKING", "Any"} == set(EXPORTED)


def test_a_name_that_is_not_exported_is_none_of_the_package() -> None:
    with pytest.raises(AttributeError, match="no attribute 'NoSuchName'"):
        hybridmem.NoSuchName  # noqa: B018


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (importlib.import_module("hybridmem.memory"), "HybridMemory"),
        (importlib.import_module("hybridmem.running.session"), "Session"),
        (importlib.import_module("hybridmem.running.session"), "SessionAnswer"),
        (registry, "AdapterRegistry"),
        (registry, "AdapterDiff"),
        *((records, name) for name in ("Answer", "DreamReport", "Episode", "ErasureReceipt", "Event", "Fact", "Hit")),
    ],
)
def test_what_public_methods_take_and_return_is_exported(module: ModuleType, name: str) -> None:
    own = {*imported(module), *defined(module)}
    needed = {word for annotation in annotations(module, name) for word in words(annotation) if word in own}
    assert needed, f"{name} has no annotations: the test looks at the wrong place"
    missing = sorted(word for word in needed if is_ours(module, word) and word not in EXPORTED)
    assert not missing, f"export {', '.join(missing)} from hybridmem/__init__.py: {name} takes or returns them"


def test_the_drawing_of_the_errors_is_the_tree() -> None:
    drawn = dict(drawing(errors.__doc__ or ""))
    real = {
        each.__name__: [base.__name__ for base in each.__bases__]
        for each in vars(errors).values()
        if inspect.isclass(each) and each.__module__ == errors.__name__
    }
    assert drawn == real
    assert set(real) <= set(EXPORTED)


def drawing(text: str) -> Iterator[tuple[str, list[str]]]:
    """(class, its bases) of each line of a tree drawn with box characters."""
    above: list[str] = []
    for line in text.splitlines():
        bare = line.lstrip("│├└─ ")
        if not bare.split()[:1] or not (bare.split()[0].isidentifier() and hasattr(errors, bare.split()[0])):
            continue
        depth = (len(line) - len(bare)) // 4
        name, _, rest = bare.partition(" ")
        del above[depth:]
        also = [rest.strip()[len("(also ") :].partition(")")[0]] if rest.strip().startswith("(also ") else []
        yield name, [above[-1] if above else "Exception", *also]
        above.append(name)


def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def imported(module: ModuleType) -> dict[str, str]:
    """What the module imports at its top, for type checkers too: the module it comes from, by the name it has."""
    found: dict[str, str] = {}
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name: str(node.module) for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.asname or each.name: each.name for each in node.names}
    return found


def defined(module: ModuleType) -> set[str]:
    """Classes, and constants such as type aliases, at the top of the module."""
    found: set[str] = set()
    for node in tree_of(module).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def is_ours(module: ModuleType, word: str) -> bool:
    """Whether an annotation's word is a type of hybridmem; type variables are nobody's."""
    if word in defined(module):
        return not word.startswith("_") and len(word) > 1
    return imported(module)[word].split(".")[0] == "hybridmem"


def annotations(module: ModuleType, name: str) -> Iterator[ast.expr]:
    """Those of the class's public methods, properties and fields."""
    (found,) = (node for node in tree_of(module).body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in found.body:
        if isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in MACHINERY:
            given = node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            yield from (each.annotation for each in every if each.annotation is not None)
            if node.returns is not None:
                yield node.returns


def words(annotation: ast.expr) -> Iterator[str]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id
