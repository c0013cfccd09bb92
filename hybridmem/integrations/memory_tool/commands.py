"""The six commands, with the results and errors that Anthropic documents for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridmem.core.errors import HybridMemError, InvalidInput, StoreBusy, StoreError, TextTooLong
from hybridmem.core.records import Episode
from hybridmem.integrations.memory_tool.listing import directory, numbered_lines
from hybridmem.integrations.memory_tool.paths import ROOT, checked_path, parents
from hybridmem.integrations.memory_tool.tree import Tree, readable, stored

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

AROUND = 2
"""Lines of a snippet before and after the changed one."""
Files = Mapping[str, Episode]
ADVICE: dict[type[HybridMemError], str] = {
    TextTooLong: "split it over several files",
    StoreBusy: "",  # the message itself says to try again
    StoreError: "whoever runs this memory can mend that, and no command can",
}
"""What the model can do about an error: it has these commands, and no shell."""


class MemoryTool:
    """The memory tool over one namespace of a memory.

    Files survive the process, and `memory.search` finds them. An edit keeps the earlier text in the file's history, and
    a deletion erases the file as `memory.delete` erases any memory. Threads and processes may share one memory.
    """

    def __init__(self, memory: HybridMemory) -> None:
        self._tree = Tree(memory)
        self._commands = {
            "view": self._view,
            "create": self._create,
            "str_replace": self._str_replace,
            "insert": self._insert,
            "delete": self._delete,
            "rename": self._rename,
        }

    def run(self, command: Mapping[str, Any]) -> str:
        """The result of `command`, or one line with the error; both are for the model."""
        try:
            return self.perform(command)
        except HybridMemError as error:
            return advised(error)

    def perform(self, command: object) -> str:
        """The result of `command`. Raises `HybridMemError` with a line for the model."""
        if not isinstance(command, Mapping):
            raise InvalidInput("Error: the command is not an object: pass one with a command and its path")
        name = command.get("command")
        run = self._commands.get(name) if isinstance(name, str) else None
        if run is None:
            raise InvalidInput(f"Error: there is no command {str(name)[:40]!r}: use {', '.join(self._commands)}")
        with self._tree.alone():
            return run(command)

    def clear(self) -> str:
        """Erase every file."""
        with self._tree.alone():
            self._tree.erase(self._tree.files().values())
        return "All memory cleared"

    def _view(self, command: Mapping[str, Any]) -> str:
        path = checked_path(command.get("path"))
        lines = _range(command.get("view_range"))
        files = self._tree.files()
        if path in files:
            numbered = numbered_lines(readable(path, files[path]), *lines)
            return "\n".join([f"Here's the content of {path} with line numbers:", *numbered])
        if path == ROOT or _within(files, path):
            return directory(path, {each: len(stored(file).encode("utf-8")) for each, file in files.items()})
        raise InvalidInput(f"The path {path} does not exist. Please provide a valid path.")

    def _create(self, command: Mapping[str, Any]) -> str:
        path, text = checked_path(command.get("path")), _string(command, "file_text")
        files = self._tree.files()
        if path == ROOT or path in files or _within(files, path):
            raise InvalidInput(f"Error: File {path} already exists")
        _require_directories(files, path)
        self._tree.create(path, text)
        return f"File created successfully at: {path}"

    def _str_replace(self, command: Mapping[str, Any]) -> str:
        path, old = checked_path(command.get("path")), _string(command, "old_str")
        new = _string(command, "new_str", "")
        file = self._tree.files().get(path)
        if file is None:
            raise InvalidInput(f"Error: The path {path} does not exist. Please provide a valid path.")
        content = readable(path, file)
        if not old:
            raise InvalidInput("No replacement was performed, old_str is empty. Please name the text to replace.")
        times = content.count(old)
        if times == 0:
            raise InvalidInput(f"No replacement was performed, old_str `{old}` did not appear verbatim in {path}.")
        if times > 1:
            lines = ", ".join(map(str, _lines_with(content, old)))
            raise InvalidInput(
                f"No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {lines}. "
                "Please ensure it is unique"
            )
        changed = content.count("\n", 0, content.index(old))
        replaced = content.replace(old, new)
        self._tree.write(file, path, replaced)
        snippet = numbered_lines(replaced, max(1, changed + 1 - AROUND), changed + 1 + AROUND)
        header = "The memory file has been edited. Here is the snippet showing the change (with line numbers):"
        return "\n".join([header, *snippet])

    def _insert(self, command: Mapping[str, Any]) -> str:
        path, text, at = checked_path(command.get("path")), _string(command, "insert_text"), command.get("insert_line")
        file = self._tree.files().get(path)
        if file is None:
            raise InvalidInput(f"Error: The path {path} does not exist")
        lines = readable(path, file).split("\n")
        if lines[-1] == "":  # the end of the last line, and no line of its own
            lines.pop()
        if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= len(lines):
            raise InvalidInput(
                f"Error: Invalid `insert_line` parameter: {str(at)[:40]}. It should be within the range of lines of "
                f"the file: [0, {len(lines)}]"
            )
        lines.insert(at, text.rstrip("\n"))
        content = "\n".join(lines)
        self._tree.write(file, path, content if content.endswith("\n") else f"{content}\n")
        return f"The file {path} has been edited."

    def _delete(self, command: Mapping[str, Any]) -> str:
        path = checked_path(command.get("path"))
        if path == ROOT:
            raise InvalidInput(f"Cannot delete the {ROOT} directory itself")
        files = self._tree.files()
        gone = [files[path]] if path in files else list(_within(files, path).values())
        if not gone:
            raise InvalidInput(f"Error: The path {path} does not exist")
        self._tree.erase(gone)
        return f"Successfully deleted {path}"

    def _rename(self, command: Mapping[str, Any]) -> str:
        old, new = checked_path(command.get("old_path")), checked_path(command.get("new_path"))
        if old == ROOT:
            raise InvalidInput(f"Cannot rename the {ROOT} directory itself")
        files = self._tree.files()
        if new == ROOT or new in files or _within(files, new):
            raise InvalidInput(f"Error: The destination {new} already exists")
        moved = {old: files[old]} if old in files else _within(files, old)
        if not moved:
            raise InvalidInput(f"Error: The path {old} does not exist")
        if new.startswith(f"{old}/"):
            raise InvalidInput(f"Error: The path {old} cannot be moved into itself")
        _require_directories(files, new)
        targets = {path: checked_path(new + path[len(old) :]) for path in moved}
        for path, file in moved.items():
            self._tree.write(file, targets[path], stored(file))
        return f"Successfully renamed {old} to {new}"


def advised(error: HybridMemError) -> str:
    """`error` for the model."""
    return error.advised(ADVICE)


def _within(files: Files, directory: str) -> Files:
    return {path: file for path, file in files.items() if path.startswith(f"{directory}/")}


def _require_directories(files: Files, path: str) -> None:
    for parent in parents(path):
        if parent in files:
            raise InvalidInput(f"Error: The path {parent} is a file, not a directory")


def _string(command: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = command.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InvalidInput(f"Error: Invalid `{name}` parameter: it should be a string")
    return value


def _range(value: object) -> tuple[int, int | None]:
    """(first, last) of the lines to show; None for last means the end."""
    if value is None:
        return 1, None
    if not (isinstance(value, list | tuple) and len(value) == 2 and all(type(each) is int for each in value)):
        raise InvalidInput("Error: Invalid `view_range` parameter: it should be two line numbers, as [1, 10]")
    first, last = max(1, value[0]), value[1]
    if last != -1 and last < first:
        raise InvalidInput(f"Error: Invalid `view_range` parameter: [{value[0]}, {last}] ends before it begins")
    return first, None if last == -1 else last


def _lines_with(content: str, text: str) -> list[int]:
    lines, start = [], content.find(text)
    while start != -1:
        lines.append(content.count("\n", 0, start) + 1)
        start = content.find(text, start + 1)
    return lines
