"""Random commands: the tree agrees with a plain dictionary, and with the SDK's own tool on a real folder."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem import HybridMemory
from hybridmem.integrations.memory_tool import MemoryTool

NUMBER = itertools.count()
PATHS = st.sampled_from(
    [
        "/memories",
        "/memories/",
        "/memories/a",
        "/memories/a.txt",
        "/memories/a/b",
        "/memories/a/b/c.txt",
        "/memories/a/b/c/d.txt",
        "/memories/.h/x",
        "/memories/nö.md",
    ]
)
TEXTS = st.text(alphabet="ab\n é", max_size=12)
COMMANDS = st.one_of(
    st.fixed_dictionaries({"command": st.just("view"), "path": PATHS}),
    st.fixed_dictionaries(
        {
            "command": st.just("view"),
            "path": PATHS,
            "view_range": st.tuples(st.integers(0, 3), st.sampled_from([-1, 3, 4, 9])).map(list),
        }
    ),
    st.fixed_dictionaries({"command": st.just("create"), "path": PATHS, "file_text": TEXTS}),
    st.fixed_dictionaries(
        {
            "command": st.just("str_replace"),
            "path": PATHS,
            "old_str": st.text(alphabet="ab\n", min_size=1, max_size=2),
            "new_str": TEXTS,
        }
    ),
    st.fixed_dictionaries(
        {"command": st.just("insert"), "path": PATHS, "insert_line": st.integers(-1, 4), "insert_text": TEXTS}
    ),
    st.fixed_dictionaries({"command": st.just("delete"), "path": PATHS}),
    st.fixed_dictionaries({"command": st.just("rename"), "old_path": PATHS, "new_path": PATHS}),
)
SEQUENCES = st.lists(COMMANDS, min_size=1, max_size=14)
ORDINARY = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SUCCESS = (
    "Here're the files",
    "Here's the content",
    "File created",
    "The memory file",
    "The file",
    "Successfully",
)


def model(files: dict[str, str], command: dict[str, Any]) -> bool:
    """Do `command` to a dictionary of files by path; returns whether it could be done."""
    name = command["command"]
    path, new = (command.get(key, "").rstrip("/") for key in ("path", "new_path"))
    inside = [each for each in files if each.startswith(f"{path}/")]
    if name == "view":
        return path == "/memories" or path in files or bool(inside)
    if name == "create":
        if path == "/memories" or path in files or inside or any(path.startswith(f"{each}/") for each in files):
            return False
        files[path] = command["file_text"]
        return True
    if name == "str_replace":
        if path not in files or files[path].count(command["old_str"]) != 1:
            return False
        files[path] = files[path].replace(command["old_str"], command["new_str"])
        return True
    if name == "insert":
        if path not in files:
            return False
        lines = files[path].removesuffix("\n").split("\n") if files[path] else []
        at = command["insert_line"]
        if not 0 <= at <= len(lines):
            return False
        lines[at:at] = [command["insert_text"].rstrip("\n")]
        content = "\n".join(lines)
        files[path] = content + ("" if content.endswith("\n") else "\n")
        return True
    if name == "delete":
        gone = [path] if path in files else inside
        if path == "/memories" or not gone:
            return False
        for each in gone:
            del files[each]
        return True
    old = command["old_path"].rstrip("/")
    moved = [each for each in files if each == old or each.startswith(f"{old}/")]
    taken = new == "/memories" or any(each == new or each.startswith(f"{new}/") for each in files)
    below = any(new.startswith(f"{each}/") for each in [*files, old])
    if old == "/memories" or not moved or taken or below:
        return False
    for each in moved:
        files[new + each.removeprefix(old)] = files.pop(each)
    return True


def contents(tool: MemoryTool, paths: list[str]) -> dict[str, str]:
    """What `view` shows of each file, without its line numbers."""
    shown = {path: tool.run({"command": "view", "path": path}) for path in paths}
    return {path: "\n".join(line.partition("\t")[2] for line in text.split("\n")[1:]) for path, text in shown.items()}


@ORDINARY
@given(commands=SEQUENCES)
def test_agrees_with_a_dictionary(folder: HybridMemory, commands: list[dict[str, Any]]) -> None:
    memory = folder.at(("model", str(next(NUMBER))))
    tool = MemoryTool(memory)
    files: dict[str, str] = {}
    for command in commands:
        assert tool.run(command).startswith(SUCCESS) is model(files, command), command
        assert contents(tool, list(files)) == files, command
    assert len(memory.list(limit=1000)) == len(files)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


def prune(root: Path) -> None:
    """A directory of the tree is there as long as a file is in it."""
    for directory in sorted((each for each in root.rglob("*") if each.is_dir()), reverse=True):
        if not any(directory.iterdir()):
            directory.rmdir()


def comparable(text: str) -> str:
    """A listing without the sizes of its directories, and without the words in which the SDK and the documentation
    differ."""
    text = text.replace(" and node_modules:", ":")
    if not text.startswith("Here're"):
        return text
    header, first, *entries = text.replace("//", "/").split("\n")
    shown = [line.partition("\t")[2] if line.endswith("/") else line for line in entries]
    return "\n".join([header.rstrip("/"), first.partition("\t")[2].rstrip("/"), *shown])


@ORDINARY
@given(commands=SEQUENCES)
def test_agrees_with_the_sdk_on_a_real_folder(folder: HybridMemory, real: Path, commands: list[dict[str, Any]]) -> None:
    # Imported here: the package takes seconds, which every worker would spend.
    from anthropic import tools as anthropic_tools

    tool = MemoryTool(folder.at(("sdk", str(next(NUMBER)))))
    shutil.rmtree(real)
    theirs = anthropic_tools.BetaLocalFilesystemMemoryTool(str(real))
    for command in commands:
        try:
            # a slash at the end is echoed by the SDK and left out here: compare without it
            plain = {key: value.rstrip("/") if "path" in key else value for key, value in command.items()}
            expected: str | None = str(theirs.call(plain))
        except (anthropic_tools.ToolError, OSError):
            expected = None
        prune(real / "memories")
        told = tool.run(command)
        if expected is None:
            assert not told.startswith(SUCCESS), command
        else:
            assert comparable(told) == comparable(expected), command
