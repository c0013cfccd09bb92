"""The relations that the training documents are about, read from `relations/*.toml`.

>>> relation = next(r for r in load() if r.name == "lives in")
>>> relation.subject, relation.object, relation.single
('person', 'city', True)
>>> set(relation.train.statements) & set(relation.held_out.statements)
set()
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hybridmem.evaluation.memory_jobs import values

FOLDER = Path(__file__).with_name("relations")


@dataclass(frozen=True, slots=True)
class Forms:
    """Ways to state and to ask one relation, with ``{s}``, ``{o}`` and ``{old}`` to be filled."""

    statements: tuple[str, ...]
    questions: tuple[str, ...]
    updates: tuple[str, ...] = ()
    first_person: tuple[str, ...] = ()
    first_person_updates: tuple[str, ...] = ()
    first_person_questions: tuple[str, ...] = ()
    reverse_questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between kinds; `single` says that a new value replaces the old.

    `train` and `held_out` share no form: the last of each list are kept for evaluation (`HELD_OUT`), but for the
    reverse questions, which are too few to split and are all trained.
    """

    name: str
    subject: str
    object: str
    single: bool
    train: Forms
    held_out: Forms


HELD_OUT = {
    "statements": 6,
    "updates": 2,
    "questions": 4,
    "first_person": 2,
    "first_person_updates": 2,
    "first_person_questions": 2,
}
"""How many forms at the end of each list are kept for evaluation."""

_Rule = tuple[int, Mapping[str, tuple[int, int]]]

_ONCE, _NEVER, _MAYBE = (1, 1), (0, 0), (0, 1)
_RULES: dict[str, _Rule] = {
    "statements": (18, {"{s}": _ONCE, "{o}": _ONCE, "{old}": _NEVER}),
    "questions": (12, {"{s}": _ONCE, "{o}": _NEVER, "{old}": _NEVER}),
    "updates": (5, {"{s}": _ONCE, "{o}": _ONCE, "{old}": _MAYBE}),
    "first_person": (10, {"{s}": _NEVER, "{o}": _ONCE, "{old}": _NEVER}),
    "first_person_updates": (4, {"{s}": _NEVER, "{o}": _ONCE, "{old}": _MAYBE}),
    "first_person_questions": (8, {"{s}": _NEVER, "{o}": _NEVER, "{old}": _NEVER}),
    "reverse_questions": (0, {"{s}": _NEVER, "{o}": _ONCE, "{old}": _NEVER}),
}
_KEYS = {"name", "subject", "object", "single", *_RULES}


@cache
def load(folder: Path = FOLDER) -> tuple[Relation, ...]:
    """Every relation of the TOML files in `folder`, sorted by name; `ValueError` names the file and the broken rule."""
    found: dict[str, Relation] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8")).get("relation", [])
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path.name}: not TOML: {error}") from error
        for table in tables:
            relation = _relation(table, path.name)
            if relation.name in found:
                raise ValueError(f"{path.name}: relation {relation.name!r}: the name is taken by another relation")
            found[relation.name] = relation
    if not found:
        raise ValueError(f"{folder}: no relation in any TOML file")
    return tuple(found[name] for name in sorted(found))


def _relation(table: dict[str, Any], file: str) -> Relation:
    name = table.get("name")
    where = f"{file}: relation {name!r}"
    if not isinstance(name, str) or not name or "|" in name:
        raise ValueError(f"{where}: 'name' must be a string without '|'")
    if unknown := table.keys() - _KEYS:
        raise ValueError(f"{where}: unknown key {sorted(unknown)[0]!r}")
    for key in ("subject", "object"):
        if table.get(key) not in values.kinds():
            raise ValueError(f"{where}: '{key}' names the kind {table.get(key)!r}, which has no sampler")
    if not isinstance(table.get("single"), bool):
        raise ValueError(f"{where}: 'single' must be true or false")
    forms = {key: _forms(table.get(key, []), key, where) for key in _RULES}
    for key in ("statements", "questions"):
        _enough(forms, key, where)
    if table["single"]:
        _enough(forms, "updates", where)
    if table["subject"] == "person":
        _enough(forms, "first_person", where)
        _enough(forms, "first_person_questions", where)
        if forms["first_person_updates"]:
            _enough(forms, "first_person_updates", where)
    kept = {key: len(forms[key]) - HELD_OUT.get(key, 0) for key in forms}
    return Relation(
        name=name,
        subject=table["subject"],
        object=table["object"],
        single=table["single"],
        train=Forms(**{key: some[: max(kept[key], 0)] for key, some in forms.items()}),
        held_out=Forms(**{key: some[max(kept[key], 0) :] for key, some in forms.items()}),
    )


def _enough(forms: dict[str, tuple[str, ...]], key: str, where: str) -> None:
    least = _RULES[key][0]
    if len(forms[key]) < least:
        raise ValueError(f"{where}: '{key}' needs at least {least} forms, has {len(forms[key])}")


def _forms(given: object, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(form, str) for form in given):
        raise ValueError(f"{where}: '{key}' must be a list of strings")
    for form in given:
        for slot, (least, most) in _RULES[key][1].items():
            if not least <= form.count(slot) <= most:
                wanted = "exactly once" if least else "at most once" if most else "never"
                raise ValueError(f"{where}: '{key}' must contain {slot} {wanted}: {form!r}")
        if "|" in form or "\n" in form or form != form.strip():
            raise ValueError(f"{where}: '{key}' must have no '|', line break or outer space: {form!r}")
    if len(set(given)) < len(given):
        raise ValueError(f"{where}: '{key}' repeats a form")
    return tuple(given)
