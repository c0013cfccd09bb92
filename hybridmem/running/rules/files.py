"""States as safetensors files, bit for bit; a file of another rule, or of other settings, is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hybridmem.core.errors import InvalidInput
from hybridmem.running.rules.base import Rule, State


def tensors(state: tuple[object, ...]) -> dict[str, Tensor]:
    """The tensors of a state by name, those of a state within it as ``outer.inner``."""
    return dict(_named(state, ""))


def nbytes(state: tuple[object, ...]) -> int:
    """Bytes of all tensors of a state."""
    return sum(each.nbytes for each in tensors(state).values())


def mapped(state: State, change: Callable[..., Tensor], *others: State) -> State:
    """A state of the same form, each tensor the `change` of those at its place."""
    fields = [
        change(*parts) if isinstance(parts[0], Tensor) else mapped(parts[0], change, *parts[1:])
        for parts in zip(state, *others, strict=True)
    ]
    made: State = type(state)(*fields)
    return made


def save(path: Path, rule: Rule[Any], state: tuple[object, ...]) -> None:
    """Write a state with the rule that it belongs to."""
    # Cloned: an empty state is often one tensor under several names, which safetensors refuses.
    apart = {name: each.clone(memory_format=torch.contiguous_format) for name, each in _named(state, "")}
    save_file(apart, path, {"rule": repr(rule)})


def load(path: Path, rule: Rule[State]) -> State:
    """The state that `save` wrote. Raises `InvalidInput` where the file is of another rule or none of ours."""
    try:
        with safe_open(path, framework="pt") as file:
            written = (file.metadata() or {}).get("rule")
            if written != repr(rule):
                raise InvalidInput(f"{path.name} holds the state of {written}, not of {rule!r}")
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, FileNotFoundError) as error:
        raise InvalidInput(f"{path.name} is no file of a state: {error}") from error
    form = rule.init(1, 1, 1, 1)
    if found.keys() != tensors(form).keys():
        raise InvalidInput(f"{path.name} holds other tensors than {rule!r} has: {', '.join(sorted(found))}")
    state: State = _filled(form, found, "")
    return state


def _named(state: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, each in zip(state._fields, state, strict=True):
        if isinstance(each, Tensor):
            yield prefix + name, each
        else:
            yield from _named(each, f"{prefix}{name}.")


def _filled(form: Any, found: dict[str, Tensor], prefix: str) -> Any:
    """A state of that form from tensors by name."""
    fields = [
        found[prefix + name] if isinstance(each, Tensor) else _filled(each, found, f"{prefix}{name}.")
        for name, each in zip(form._fields, form, strict=True)
    ]
    return type(form)(*fields)
