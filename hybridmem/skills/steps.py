"""The shape of a call: what of its arguments belongs to a procedure, without secrets and without long texts.

>>> step("run", {"command": ["pytest", "-q"], "api_key": "hunter2", "patch": "a\\nb"}).text
'run(command="pytest -q", api_key="[key removed]", patch="<text>")'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from hybridmem.core.records import sound_text
from hybridmem.core.skills import Argument, SkillStep
from hybridmem.redaction import redact

LONGEST = 200
"""Characters of the longest value that is kept; a longer one is content, and no part of a procedure."""
MOST_ARGUMENTS = 20
_SECRET = re.compile(
    r"pass(?:word|phrase|wd|code)?$|(?:^|_|-)(?:secret|pin|pwd)$|credential|authori[sz]ation", re.IGNORECASE
)
_SECRET_KEY = re.compile(r"(?:^|_|-)(?:token|key)$|api[_-]?key", re.IGNORECASE)
"""Names of arguments whose texts are secrets, whatever they look like."""


def step(tool: str, arguments: Mapping[str, Any]) -> SkillStep:
    """The step that a call of `tool` is."""
    shapes = {_line(name): _shape(_line(name), value) for name, value in list(arguments.items())[:MOST_ARGUMENTS]}
    return SkillStep(_line(tool), shapes)


def _shape(name: str, value: Any) -> Argument:
    if isinstance(value, list | tuple) and all(isinstance(each, str | int | float) for each in value):
        value = " ".join(map(str, value))  # an argv
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    if isinstance(value, int | float):
        if _SECRET.search(name):
            return "[PIN removed]"
        redacted = _in_context(name, str(value))
        return value if redacted == str(value) else redacted
    if not isinstance(value, str):
        return "<list>" if isinstance(value, list | tuple) else "<object>"
    if _SECRET.search(name):
        return "[password removed]"
    if _SECRET_KEY.search(name):
        return "[key removed]"
    if len(value) > LONGEST or "\n" in value.strip():
        return "<text>"
    return _in_context(name, _line(value))


def _in_context(name: str, value: str) -> str:
    """`value` without its secrets, some of which only the name before it tells."""
    before = f"{name}: "
    redacted = redact(f"{before}{value}")
    return redacted.removeprefix(before) if redacted.startswith(before) else redact(value)


def _line(text: str) -> str:
    """`text` in one line that a database takes."""
    return " ".join(sound_text(str(text)).replace("\x00", "").split())
