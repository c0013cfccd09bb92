"""The command line, in this process, over the double."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hybridmem.cli.app import run
from tests.cli.double import HybridMemory


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object that stdout must be."""
        return json.loads(self.out)


Command = Callable[..., Result]


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[HybridMemory]:
    """A class of its own for each test, in the place of the facade; the working folder is empty."""
    made = type("HybridMemory", (HybridMemory,), {"kept": {}})
    module = ModuleType("hybridmem.memory")
    module.HybridMemory = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hybridmem.memory", module)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def hybridmem(
    double: type[HybridMemory], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run one command line; `stdin` is what is piped into it."""

    def command(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = run(list(arguments))
        return Result(code, *capsys.readouterr())

    return command
