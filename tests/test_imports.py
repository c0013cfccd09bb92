"""Who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import functools
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

import pytest

import hybridmem

PACKAGE = Path(hybridmem.__file__).parent
LAYERS = (
    ("core",),
    ("metrics",),
    ("importers", "embedding", "redaction"),
    ("stores",),
    ("models",),
    ("adapters",),
    ("retrieval",),
    ("router",),
    ("training",),
    ("continual",),
    ("workspace",),
    ("reflection", "skills", "running"),
    ("standing",),
    ("dreaming",),
    ("maintenance",),
    ("memory",),
    ("conversation",),
    ("evaluation",),
    ("jobs",),
    ("schedule", "integrations", "coding_agents"),
    ("inspector",),
    ("server",),
    ("cli",),
)
"""From the bottom up: an entry imports from itself and from the layers above its line, never from below."""
RANK = {entry: rank for rank, layer in enumerate(LAYERS) for entry in layer}
APART = {"testing": set(RANK) - {"cli", "server", "inspector"}}
"""Beside the layers: what it may import. Nothing of the package imports it."""
LEAF = {"importers": {"core"}, "embedding": {"core"}, "redaction": {"core"}}
"""Entries that need even less than their place in the layers allows."""
BACKENDS = {
    "stores.ledger": {"sql", "inmemory"},
    "stores.index": {"chroma", "flat", "graph", "fulltext", "inmemory"},
    "embedding": {"minilm", "hashing"},
    "models": {"huggingface", "fake"},
    "retrieval": {"dense", "lexical", "graph"},
}
"""Implementations of the protocols in their folder's base.py: siblings, which must not know each other."""
LAB = "lab"
"""The folder beside the package in which bundled weights are made."""
HEAVY = ("torch", "transformers", "peft", "chromadb", "sqlalchemy", "networkx", "sentence_transformers", "matplotlib")

Import = tuple[str, str, int]
"""(the module that imports, what it imports, the line)."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, source: str) -> Iterator[Import]:
    """Every import of the package, or of the lab: at the top, within functions, and for annotations alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] in ("hybridmem", LAB):
                    yield module, name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively: name the package"
            if node.module and node.module.split(".")[0] in ("hybridmem", LAB):
                for name in node.names:
                    yield module, f"{node.module}.{name.name}", node.lineno


def entry(module: str) -> str | None:
    """The entry of the layout that a module belongs to; None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def points_up(imported: Import) -> bool:
    module, target, _ = imported
    if target.split(".")[0] == LAB:
        return True
    own, other = entry(module), entry(target)
    if own is None or other is None or own == other or not {own, other} <= RANK.keys() | APART.keys():
        return False
    if own in APART or own in LEAF:
        return other not in (APART | LEAF)[own]
    return other in APART or RANK[other] >= RANK[own]


def knows_a_sibling(imported: Import) -> bool:
    module, target, _ = imported
    for folder, backends in BACKENDS.items():
        own, other = within(folder, module), within(folder, target)
        if own in backends and other in backends and own != other:
            return True
    return False


def within(folder: str, module: str) -> str | None:
    """The entry of a folder of the package that a module belongs to; None for a module elsewhere."""
    prefix = f"hybridmem.{folder}."
    return module.removeprefix(prefix).split(".")[0] if module.startswith(prefix) else None


def circles(found: Iterable[Import], files: Set[str]) -> list[list[str]]:
    """The sets of `files` that import each other, over one another or at once, by Tarjan's algorithm (1972).

    That a package is loaded with every module in it counts for nothing: nobody wrote that import."""
    graph: dict[str, set[str]] = {file: set() for file in files}
    for module, target, _ in found:
        file = target if target in files else target.rpartition(".")[0]
        if file in files and file != module:
            graph[module].add(file)
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    made: list[list[str]] = []

    def visit(file: str) -> None:
        order[file] = lowest[file] = len(order)
        stack.append(file)
        for other in sorted(graph[file]):
            if other not in order:
                visit(other)
                lowest[file] = min(lowest[file], lowest[other])
            elif other in stack:
                lowest[file] = min(lowest[file], order[other])
        if lowest[file] == order[file]:
            start = stack.index(file)
            if len(stack) - start > 1:
                made.append(sorted(stack[start:]))
            del stack[start:]

    for file in sorted(files):
        if file not in order:
            visit(file)
    return made


@functools.cache
def files() -> dict[str, Path]:
    return dict(modules())


@functools.cache
def every_import() -> tuple[Import, ...]:
    return tuple(found for module, path in files().items() for found in imports(module, path.read_text("utf-8")))


def rendered(found: list[Import]) -> str:
    return "\n".join(f"{module}:{line} imports {target}" for module, target, line in found)


def test_every_entry_has_its_place() -> None:
    entries = {entry(module) for module in files()} - {None, "__main__"}
    assert not entries - RANK.keys() - APART.keys(), "name the new entry's layer in this file"


def test_imports_point_down() -> None:
    wrong = [found for found in every_import() if points_up(found)]
    assert not wrong, rendered(wrong)


def test_no_files_import_each_other() -> None:
    assert circles(every_import(), files().keys()) == []


def test_nothing_at_run_time_imports_the_lab() -> None:
    wrong = [found for found in every_import() if found[1].split(".")[0] == LAB]
    assert not wrong, rendered(wrong)


def test_siblings_meet_only_in_base() -> None:
    wrong = [found for found in every_import() if knows_a_sibling(found)]
    assert not wrong, rendered(wrong)


@pytest.mark.parametrize("folder", ["stores.ledger", "stores.index", "embedding", "models"])
def test_a_base_imports_no_implementation(folder: str) -> None:
    wrong = [
        (module, target, line)
        for module, target, line in every_import()
        if module == f"hybridmem.{folder}.base" and within(folder, target) in BACKENDS[folder]
    ]
    assert not wrong, rendered(wrong)


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("hybridmem.stores.index.chroma", "from hybridmem.memory import HybridMemory", True),
        ("hybridmem.router.policy", "def f():\n    from hybridmem import dreaming", True),
        ("hybridmem.importers.text", "import hybridmem.stores.index.base", True),
        ("hybridmem.memory", "from hybridmem.dreaming.cycle import dream", False),
        ("hybridmem.dreaming.runner", "from hybridmem.workspace import Workspace", False),
        ("hybridmem.workspace", "from hybridmem.dreaming.runner import run", True),
        (
            "hybridmem.stores.index.base",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hybridmem.memory import X",
            True,
        ),
        ("hybridmem.evaluation.suites.model.squad", "import lab.squad", True),
        ("hybridmem.models.bundled", "def f():\n    from lab.documents import write", True),
        ("hybridmem.cli.app", "import labels", False),
    ],
)
def test_the_rule_sees_what_it_should(module: str, source: str, wrong: bool) -> None:
    assert any(points_up(found) for found in imports(module, source)) is wrong


@pytest.mark.parametrize(
    ("module", "target", "wrong"),
    [
        ("hybridmem.stores.index.chroma", "hybridmem.stores.index.fulltext.FullTextIndex", True),
        ("hybridmem.stores.ledger.sql.facts", "hybridmem.stores.ledger.inmemory.ledger", True),
        ("hybridmem.stores.index.inmemory", "hybridmem.stores.index.base.Vectors", False),
        ("hybridmem.stores.index.graph", "hybridmem.stores.index.graph_walk.Walk", False),
    ],
)
def test_the_rule_sees_siblings(module: str, target: str, wrong: bool) -> None:
    assert knows_a_sibling((module, target, 1)) is wrong


TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a": "from hybridmem.b import f", "b": "from hybridmem.c import g", "c": ""}, []),
        ({"a": "from hybridmem.b import f", "b": f"{TYPES}from hybridmem.a import F"}, [["a", "b"]]),
        ({"a": "from hybridmem import b", "b": "def f():\n    import hybridmem.a"}, [["a", "b"]]),
        (
            {"a": "import hybridmem.b", "b": "from hybridmem.c import x", "c": "from hybridmem.a import y", "d": ""},
            [["a", "b", "c"]],
        ),
        (
            {
                "a": "import hybridmem.b",
                "b": "import hybridmem.a",
                "c": "import hybridmem.d",
                "d": "import hybridmem.c",
            },
            [["a", "b"], ["c", "d"]],
        ),
    ],
)
def test_the_rule_sees_circles(sources: dict[str, str], found: list[list[str]]) -> None:
    made = [each for name, source in sources.items() for each in imports(f"hybridmem.{name}", source)]
    named = {f"hybridmem.{name}" for name in sources}
    assert circles(made, named) == [[f"hybridmem.{name}" for name in circle] for circle in found]


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
