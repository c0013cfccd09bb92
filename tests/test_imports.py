"""Who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hybridmem

PACKAGE = Path(hybridmem.__file__).parent
LAYERS = (
    ("core",),
    ("metrics", "settings"),
    ("importers", "embedding"),
    ("stores",),
    ("models",),
    ("pretraining",),
    ("adapters",),
    ("retrieval",),
    ("router",),
    ("training",),
    ("dreaming",),
    ("maintenance",),
    ("memory",),
    ("conversation",),
    ("evaluation",),
    ("jobs",),
    ("schedule", "integrations"),
    ("inspector",),
    ("server",),
    ("cli",),
)
"""From the bottom up: an entry imports from itself and from the layers above its line, never from below."""
RANK = {entry: rank for rank, layer in enumerate(LAYERS) for entry in layer}
APART = {"testing": set(RANK) - {"cli", "server", "inspector"}}
"""Beside the layers: what it may import. Nothing of the package imports it."""
LEAF = {"importers": {"core"}, "embedding": {"core"}, "pretraining": {"core", "metrics", "models"}}
"""Entries that need even less than their place in the layers allows."""
BACKENDS = {
    "stores": {"sql", "chroma", "graph", "fulltext", "inmemory"},
    "embedding": {"minilm", "hashing"},
    "models": {"huggingface", "fake"},
    "retrieval": {"dense", "lexical", "graph"},
}
"""Implementations of the protocols in their folder's base.py: siblings, which must not know each other."""
HEAVY = ("torch", "transformers", "peft", "chromadb", "sqlalchemy", "networkx", "sentence_transformers", "matplotlib")

Import = tuple[str, str, int]
"""(the module that imports, what it imports, the line)."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, source: str) -> Iterator[Import]:
    """Every import of the package by itself, at the top and within functions; those for annotations alone are not."""
    tree = ast.parse(source)
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in annotations:
            continue
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "hybridmem":
                    yield module, name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively: name the package"
            if node.module and node.module.split(".")[0] == "hybridmem":
                for name in node.names:
                    yield module, f"{node.module}.{name.name}", node.lineno


def entry(module: str) -> str | None:
    """The entry of the layout that a module belongs to; None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def points_up(imported: Import) -> bool:
    module, target, _ = imported
    own, other = entry(module), entry(target)
    if own is None or other is None or own == other or not {own, other} <= RANK.keys() | APART.keys():
        return False
    if own in APART or own in LEAF:
        return other not in (APART | LEAF)[own]
    return other in APART or RANK[other] >= RANK[own]


def knows_a_sibling(imported: Import) -> bool:
    module, target, _ = imported
    own, other = module.split("."), target.split(".")
    if len(own) < 3 or len(other) < 3 or own[1] != other[1]:
        return False
    backends = BACKENDS.get(own[1], set())
    return own[2] in backends and other[2] in backends and own[2] != other[2]


ALL = [found for module, path in modules() for found in imports(module, path.read_text(encoding="utf-8"))]


def told(found: list[Import]) -> str:
    return "\n".join(f"{module}:{line} imports {target}" for module, target, line in found)


def test_every_entry_has_its_place() -> None:
    entries = {entry(module) for module, _ in modules()} - {None, "__main__"}
    assert not entries - RANK.keys() - APART.keys(), "name the new entry's layer in this file"


def test_imports_point_down() -> None:
    wrong = [found for found in ALL if points_up(found)]
    assert not wrong, told(wrong)


def test_siblings_meet_only_in_base() -> None:
    wrong = [found for found in ALL if knows_a_sibling(found)]
    assert not wrong, told(wrong)


@pytest.mark.parametrize("folder", ["stores", "embedding", "models"])
def test_a_base_imports_no_implementation(folder: str) -> None:
    wrong = [
        (module, target, line)
        for module, target, line in ALL
        if module == f"hybridmem.{folder}.base" and entry(target) == folder and target.split(".")[2] in BACKENDS[folder]
    ]
    assert not wrong, told(wrong)


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("hybridmem.stores.index.chroma", "from hybridmem.memory import HybridMemory", True),
        ("hybridmem.router.policy", "def f():\n    from hybridmem import dreaming", True),
        ("hybridmem.importers.text", "import hybridmem.stores.base", True),
        ("hybridmem.models.fake", "from hybridmem.pretraining import train", True),
        ("hybridmem.memory", "from hybridmem.dreaming.cycle import dream", False),
        ("hybridmem.pretraining.train", "from hybridmem.models.prompts import answer", False),
        (
            "hybridmem.stores.base",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hybridmem.memory import X",
            False,
        ),
    ],
)
def test_the_rule_sees_what_it_should(module: str, source: str, wrong: bool) -> None:
    assert any(points_up(found) for found in imports(module, source)) is wrong


# ---- what it costs


def seconds(*arguments: str) -> float:
    """Processor time of an interpreter, so that what else the machine does counts little: median of five runs, after
    one that fills the caches."""
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, capture_output=True)
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(taken)


def test_importing_the_package_is_fast() -> None:
    bare, loaded = seconds("-c", "pass"), seconds("-c", "import hybridmem")
    assert loaded - bare < 0.15, f"bare {bare:.3f} s, with the package {loaded:.3f} s"


@pytest.mark.parametrize("module", ["hybridmem", "hybridmem.cli.app", "hybridmem.testing.plugin"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
