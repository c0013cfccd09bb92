"""Where an agent's files are looked for: one user's home, or one project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Scope = Literal["user", "project"]
"""For everything that the user does, or for one project, whose files may be shared with others."""


@dataclass(frozen=True, slots=True)
class Place:
    """One scope on this machine."""

    scope: Scope
    home: Path
    project: Path
    """The project's folder; at the scope ``user`` nothing is written there."""
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls, scope: Scope, project: Path) -> Place:
        """With the home and the variables of this process."""
        return cls(scope, Path.home(), project, dict(os.environ))

    def named(self, variable: str, default: Path) -> Path:
        """The folder that an environment variable names, else `default`."""
        given = self.environ.get(variable)
        return Path(given).expanduser() if given else default

    def has_program(self, name: str) -> bool:
        """Whether a program of that name is in the PATH."""
        return shutil.which(name, path=self.environ.get("PATH", os.defpath)) is not None
