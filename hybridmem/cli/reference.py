"""``python -m hybridmem.cli.reference``: writes docs/reference from the code; with ``--check``, only compares.

The commands come from the application itself. The settings come from the source of every settings class, which is not
imported: names, types, defaults, and the texts below them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from hybridmem.cli.app import root_command
from hybridmem.cli.invocation import COMMON
from hybridmem.dreaming.bounds import BOUNDS, TRUTH_BOUNDS

PACKAGE = Path(__file__).parent.parent
FOLDER = PACKAGE.parent / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code: change that, not this file. -->\n"
ROOT = "hybridmem"
SETTINGS = ("Settings", "Recipe")
"""A frozen dataclass with such an ending in its name holds settings."""
TABLES = {
    "GateSettings": {bound.setting: bound.text for bound in BOUNDS}
    | {bound.setting: bound.text for bound in TRUTH_BOUNDS}
}
"""Texts of the settings, by class, that a table explains."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a settings class."""

    name: str
    type: str
    default: str
    text: str


@dataclass(frozen=True, slots=True)
class SettingsClass:
    """One settings class, from its source."""

    module: str
    name: str
    text: str
    settings: tuple[Setting, ...]


def pages() -> dict[str, str]:
    """The generated files by name."""
    return {"cli.md": cli_page(), "settings.md": settings_page()}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` name those that differ and return 1."""
    generated = pages()
    stale = [name for name, text in generated.items() if _written(name) != text]
    if "--check" in arguments:
        for name in stale:
            typer.echo(f"docs/reference/{name} is not what the code says: run `make docs`", err=True)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(generated[name], encoding="utf-8")
        typer.echo(f"wrote docs/reference/{name}")
    return 0


def _written(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


# ---- commands


def commands() -> Iterator[tuple[str, Any]]:
    """(words that the user types, command) of every command, in the order of the help page."""
    root = root_command()
    yield ROOT, root
    yield from _within(ROOT, root)


def _within(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _within(f"{path} {name}", command)


def cli_page() -> str:
    """Every command with its arguments and options; the shared ones are listed once, at the top."""
    blocks = [f"{NOTE}# Command line\n"]
    for path, command in commands():
        parameters = [each for each in command.params if each.name != "help" and (path == ROOT or not _shared(each))]
        arguments = " ".join(_argument(each) for each in parameters if each.param_type_name == "argument")
        rest = " COMMAND" if hasattr(command, "commands") else f" {arguments}" if arguments else ""
        blocks.append(f"## {path}\n\n`{path}{rest}`\n\n{_prose(command.help or '')}\n")
        if parameters:
            blocks.append("\n".join(_row(each) for each in parameters) + "\n")
    return "\n".join(blocks)


def _shared(parameter: Any) -> bool:
    """Whether every command takes it with the same meaning; `bench` has a ``--json OUT`` of its own."""
    return parameter.name in COMMON or (parameter.name == "json" and not parameter.metavar)


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _row(parameter: Any) -> str:
    argument = parameter.param_type_name == "argument"
    name = _argument(parameter) if argument else ", ".join([*parameter.opts, *parameter.secondary_opts])
    metavar = "" if argument or not parameter.metavar else f" {parameter.metavar}"
    notes = []
    if parameter.envvar:
        notes.append(f"environment: `{parameter.envvar}`")
    if parameter.required and not argument:
        notes.append("required")
    elif not parameter.required and not isinstance(parameter.default, bool) and parameter.default not in (None, ()):
        notes.append(f"default: `{parameter.default}`")
    return f"- `{name}{metavar}`: {_prose(parameter.help or '')}" + (f" ({'; '.join(notes)})" if notes else "")


# ---- settings


def settings_classes() -> Iterator[SettingsClass]:
    """Every settings class that a memory uses, by module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if not any(f"{ending}:" in source or f"{ending}(" in source for ending in SETTINGS):
            continue
        module = ".".join(("hybridmem", *path.relative_to(PACKAGE).with_suffix("").parts))
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(SETTINGS) and node.decorator_list:
                yield SettingsClass(module, node.name, ast.get_docstring(node) or "", tuple(_fields(node)))


def _fields(node: ast.ClassDef) -> Iterator[Setting]:
    """The annotated fields, each with the string literal that stands below it, or with its table's text."""
    explained = TABLES.get(node.name, {})
    for at, statement in enumerate(node.body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            below = node.body[at + 1] if at + 1 < len(node.body) else None
            text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            text = text or explained.get(statement.target.id, "")
            default = ast.unparse(statement.value) if statement.value is not None else "required"
            if default.startswith("field(default_factory="):
                default = default.removeprefix("field(default_factory=").removesuffix(")") + "()"
            yield Setting(statement.target.id, ast.unparse(statement.annotation), default, str(text))


def settings_page() -> str:
    """Every setting with its type, its default and its text."""
    blocks = [f"{NOTE}# Settings\n"]
    for each in settings_classes():
        blocks.append(f"## {each.module}.{each.name}\n\n{_prose(each.text)}\n")
        rows = [
            f"- `{s.name}: {s.type} = {s.default}`" + (f": {_prose(s.text)}" if s.text else "") for s in each.settings
        ]
        blocks.append("\n".join(rows) + "\n")
    return "\n".join(blocks)


def _prose(text: str) -> str:
    """A docstring as paragraphs of one line each."""
    paragraphs = [" ".join(each.split()) for each in text.strip().split("\n\n")]
    return "\n\n".join(each for each in paragraphs if each)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
