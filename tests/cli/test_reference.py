"""docs/reference says what the code says, and nothing is left out."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest

from hybridmem.cli.reference import FOLDER, SettingsClass, commands, main, pages, settings_classes

COMMANDS = dict(commands())


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_page_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_is_explained(path: str) -> None:
    assert COMMANDS[path].help
    assert f"## {path}\n" in pages()["cli.md"]
    unexplained = [parameter.name for parameter in COMMANDS[path].params if not parameter.help]
    assert not unexplained


@pytest.mark.parametrize("found", settings_classes(), ids=lambda found: f"{found.module}.{found.name}")
def test_every_setting_is_explained(found: SettingsClass) -> None:
    """And what is read from the source is what the class has."""
    settings = getattr(importlib.import_module(found.module), found.name)
    assert [field.name for field in dataclasses.fields(settings)] == [s.name for s in found.settings]
    unexplained = [s.name for s in found.settings if not s.text]
    assert not unexplained, f"write a line below {', '.join(unexplained)} in {found.module}"


def test_check_names_what_differs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hybridmem.cli.reference.FOLDER", tmp_path)
    assert main(["--check"]) == 1
    assert "docs/reference/cli.md is not what the code says: run `make docs`" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "cli.md").write_text("old")
    assert main(["--check"]) == 1
