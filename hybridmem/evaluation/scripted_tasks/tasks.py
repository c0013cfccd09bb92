"""The tasks: those of the weeks before, from which skills are learned, and the twenty that are measured.

What stands in AGENTS.md is what a user said in those weeks: three lines are right for some of the twenty, two were
right until the world changed, and the others bear on nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

TaskClass = Literal["same", "other object", "alike", "changed", "new"]
"""What a task is to those before: the very same one; the same for another object; one in almost the same words that
takes other tools; the same, after the world has changed; or nothing like any of them."""
CLASSES: tuple[TaskClass, ...] = get_args(TaskClass)


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked, of which object, and the tools that do it, in order."""

    text: str
    object: str
    recipe: tuple[str, ...]
    task_class: TaskClass


_PRACTISED = (
    ("Release the service {}", "fetch build sign upload"),
    ("Migrate the database {}", "backup migrate check"),
    ("Renew the certificate of {}", "fetch sign restart"),
    ("Clear the cache of {}", "purge restart"),
    ("Publish the handbook of {}", "build check upload"),
    ("Retire the queue of {}", "notify purge check"),
)
_PRACTISED_ON = ("atlas", "borea")

_MEASURED: tuple[tuple[TaskClass, str, str, str], ...] = (
    ("same", "Release the service {}", "atlas", "fetch build sign upload"),
    ("new", "Announce the outage of {}", "delta", "notify check"),
    ("other object", "Release the service {}", "corvo", "fetch build sign upload"),
    ("alike", "Release the service {} as a preview", "atlas", "fetch build upload"),
    ("changed", "Retire the queue of {}", "atlas", "notify backup check"),
    ("same", "Migrate the database {}", "borea", "backup migrate check"),
    ("new", "Mirror the archive of {}", "corvo", "fetch upload check"),
    ("other object", "Migrate the database {}", "delta", "backup migrate check"),
    ("alike", "Migrate the database {} back", "borea", "restore check notify"),
    ("changed", "Retire the queue of {}", "corvo", "notify backup check"),
    ("same", "Renew the certificate of {}", "atlas", "fetch sign restart"),
    ("new", "Bring the stores of {} back to life", "delta", "restore check restart"),
    ("other object", "Renew the certificate of {}", "delta", "fetch sign restart"),
    ("alike", "Renew the certificate of {} by hand", "borea", "sign notify restart"),
    ("changed", "Retire the queue of {}", "delta", "notify backup check"),
    ("same", "Clear the cache of {}", "borea", "purge restart"),
    ("new", "Index the catalogue of {}", "atlas", "build migrate notify"),
    ("other object", "Clear the cache of {}", "corvo", "purge restart"),
    ("alike", "Clear the cache of {} gently", "atlas", "restart check"),
    ("changed", "Publish the handbook of {}", "corvo", "build sign upload"),
)

STATED = (
    ("A release of a service", "takes", "fetch, build, sign and upload"),
    ("A certificate", "is renewed with", "fetch, sign and restart"),
    ("The catalogue", "is indexed with", "build, migrate and notify"),
    ("A queue", "is retired with", "notify, purge and check"),
    ("The handbook", "is published with", "build, check and upload"),
    ("The team", "meets on", "Tuesdays at ten"),
    ("The office", "is in", "Porto"),
    ("Code reviews", "are done by", "two people"),
)
"""What the user said, as subject, relation and object."""


def practised() -> list[Task]:
    """The tasks of the weeks before, each kind with two objects."""
    return [
        Task(text.format(name), name, tuple(recipe.split()), "same")
        for name in _PRACTISED_ON
        for text, recipe in _PRACTISED
    ]


def measured() -> list[Task]:
    """The twenty, in order."""
    return list(_measured())


def _measured() -> Iterator[Task]:
    for task_class, text, name, recipe in _MEASURED:
        yield Task(text.format(name), name, tuple(recipe.split()), task_class)
