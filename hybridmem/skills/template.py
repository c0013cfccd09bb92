"""A task and its steps with blanks: a value that the task itself names is no part of the procedure.

>>> template = Template.of("Deploy alpha to staging.", [SkillStep("deploy", {"service": "alpha", "env": "staging"})])
>>> template.task, template.steps[0].text
('Deploy {service} to {env}.', 'deploy(service="{service}", env="{env}")')
>>> template.filled("deploy beta to production")[0].text
'deploy(service="beta", env="production")'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hybridmem.core.skills import Argument, SkillStep

_BLANK = re.compile(r"\{(\w+)\}")
_AT_THE_END = " \t.!"


@dataclass(frozen=True, slots=True)
class Template:
    """A task and its steps, with ``{name}`` for each value that both have."""

    task: str
    steps: tuple[SkillStep, ...]

    @classmethod
    def of(cls, task: str, steps: Sequence[SkillStep]) -> Template:
        """The template of one run. A value becomes a blank where it is one word of the task and the whole of an
        argument, and the task says more than its values."""
        if "{" in task or "}" in task:
            return cls(task, tuple(steps))
        names: dict[str, str] = {}
        for each in steps:
            for name, value in each.arguments.items():
                if isinstance(value, str) and value not in names and _is_blank(value, task):
                    names[value] = _free(re.sub(r"\W", "_", name) or "value", set(names.values()))
        blanked = task
        for value, name in names.items():
            blanked = re.sub(_word(value), f"{{{name}}}", blanked)
        if not re.search(r"\w", _BLANK.sub("", blanked)):
            return cls(task, tuple(steps))

        def blank(value: Argument) -> Argument:
            return f"{{{names[value]}}}" if isinstance(value, str) and value in names else value

        return cls(blanked, _with(steps, blank))

    def filled(self, task: str) -> tuple[SkillStep, ...] | None:
        """The steps with the values of `task`, where it is the same task; None where it is not. Case, white space and a
        full stop make no difference."""
        names = _BLANK.findall(self.task)
        literals = [re.escape(part) for part in re.split(r"\{\w+\}", _plain(self.task))]
        found = re.fullmatch(r"(\S+)".join(literals), _plain(task), re.IGNORECASE)
        if found is None:
            return None
        values: dict[str, str] = {}
        for name, value in zip(names, found.groups(), strict=True):
            if values.setdefault(name, value) != value:
                return None

        def fill(value: Argument) -> Argument:
            whole = _BLANK.fullmatch(value) if isinstance(value, str) else None
            return values.get(whole[1], value) if whole else value

        return _with(self.steps, fill)


def without_blanks(task: str) -> str:
    """The words of a template's task that are no blanks."""
    return " ".join(_BLANK.sub(" ", task).split())


def _is_blank(value: str, task: str) -> bool:
    return len(value) > 1 and not re.search(r"[\s{}<>\[\]]", value) and re.search(_word(value), task) is not None


def _word(value: str) -> str:
    return rf"(?<!\S){re.escape(value)}(?=[.!,;]?(?:\s|$))"


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _plain(task: str) -> str:
    return " ".join(task.split()).rstrip(_AT_THE_END)


def _with(steps: Sequence[SkillStep], change: Callable[[Argument], Argument]) -> tuple[SkillStep, ...]:
    return tuple(
        replace(each, arguments={name: change(value) for name, value in each.arguments.items()}) for each in steps
    )
