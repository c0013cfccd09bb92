"""Facts written into feed-forward layers in closed form (MEMIT, Meng et al. 2022, arXiv:2210.07229), where the keys of
general text have no part (AlphaEdit, Fang et al. 2024, arXiv:2410.02355).

A feed-forward layer's last projection is read as a memory: at the last token of a question its input is a key, and what
it adds to the hidden state is the value. First the hidden state that would give the right answer is found by gradient
descent, for each fact; the weights take no gradients. Then a few layers share the way to it, each by the least-squares
update for tonight's keys that moves neither the keys of general text nor those of earlier nights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from hybridmem.core.errors import ModelError
from hybridmem.models.huggingface.adapter_files import layer_sizes
from hybridmem.models.huggingface.lora import linear_layers, target_layers
from hybridmem.models.huggingface.memory_budget import MemoryBudget
from hybridmem.models.huggingface.microbatch import microbatches
from hybridmem.models.huggingface.tensors import TorchModel, collate, logprobs_at
from hybridmem.models.trainable import Example, StepResult, WeightEdit

if TYPE_CHECKING:
    from hybridmem.models.trainable import LoraUpdate

KEYS = "edited_keys.safetensors"
"""The file beside an adapter that keeps `Edited.keys`."""
LAYERS = 5
"""Feed-forward layers that share an edit, as in MEMIT."""
DEPTH = 0.5
"""Where the last of them lies, as a proportion of all. The papers edit the first third, where a subject is recalled; a
question's last token has read the subject somewhat later."""
RATE = 0.1
"""Adam's learning rate for a value, in root mean squares of the hidden state."""
LONGEST = 0.75
"""Most that a value moves a hidden state, relative to its length: MEMIT's clamp."""
KNOWN = 0.05
"""Mean nats per token from which on an answer needs no better value."""
SPARED = 0.02
"""Proportion of general keys' energy that may lie where an edit writes."""
RIDGE = 0.1
"""Penalty on the update's size, relative to the keys' mean energy."""


def edited_layers(model: Any) -> list[tuple[str, str]]:
    """(block, layer): the paths of the layers that an edit writes, the deepest last. Raises `ModelError` for a family
    whose feed-forward layers cannot be told."""
    layers = linear_layers(model)
    hidden = model.config.get_text_config().hidden_size
    found: dict[str, str] = {}
    for path in (path for path in layers if path in set(target_layers(model, "mlp"))):
        block = re.match(r".+?\.\d+(?=\.)", path)
        if block is not None and layer_sizes(layers[path])[1] == hidden:
            found[block[0]] = path
    if not found:
        raise ModelError("no feed-forward layer of this model writes its hidden state: choose another strategy")
    last = max(1, round(DEPTH * len(found)))
    return list(found.items())[max(0, last - LAYERS) : last]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some of an edit's questions, as one pass reads them."""

    ids: Tensor
    mask: Tensor
    where: tuple[Tensor, Tensor]
    targets: Tensor
    row_of: Tensor
    """int64 (predicted tokens,): the row that each belongs to."""
    at: tuple[Tensor, Tensor]
    """(row, column) of each row's key."""
    fact: Tensor
    """int64 (rows,)"""
    place: Tensor
    """int64 (rows,): of each row among all questions."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit made."""

    update: dict[str, LoraUpdate]
    """By path of the layer, beside what was in force."""
    keys: dict[str, Tensor]
    """By path of the layer, (inputs, inputs): the sum of k k^T over all keys so far."""
    result: StepResult


class WeightEditor:
    """Makes one edit of the model with whatever adapter is in force."""

    def __init__(self, model: TorchModel, edit: WeightEdit, budget: MemoryBudget) -> None:
        self._model = model
        self._edit = edit
        self._layers = edited_layers(model.module)
        self._batches = list(_batches(model, edit, budget))
        self._tokens = 0
        """Tokens of the passes that gradients went through."""

    def run(self, earlier: Mapping[str, Tensor]) -> Edited:
        """`earlier` is `Edited.keys` of the nights before; empty where there were none."""
        block = self._layers[-1][0]
        states = self._read(block, _outputs)
        delta, loss, known = self._values(block, states)
        wanted = states + delta
        general = self._general_keys()
        update: dict[str, LoraUpdate] = {}
        keys: dict[str, Tensor] = {}
        for number, (_, path) in enumerate(self._layers):
            with self._updated(update):
                read = self._read(path, _inputs).double()
                missing = (wanted - self._read(block, _outputs)).double() / (len(self._layers) - number)
            before = earlier.get(path, torch.zeros(read.shape[1], read.shape[1])).to(read)
            a = solved(read, before, null_space(general[path])).float()
            update[path] = (a, missing.mT.float())
            keys[path] = (before + read.mT @ read).float()
        return Edited(update, keys, StepResult(loss, known, self._tokens))

    def _values(self, block: str, states: Tensor) -> tuple[Tensor, float, float]:
        """(by question: what is to be added to the hidden state at its key, nats per token, proportion known)"""
        questions = sum(len(batch.fact) for batch in self._batches)
        fact = torch.zeros(questions, dtype=torch.long, device=states.device)
        for batch in self._batches:
            fact[batch.place] = batch.fact
        each = torch.bincount(fact, minlength=len(self._edit.facts)).clamp(min=1)
        length = torch.zeros(len(each), device=states.device).index_add(0, fact, states.norm(dim=1)) / each
        unit = (length / states.shape[1] ** 0.5)[:, None]
        value = torch.zeros(len(each), states.shape[1], device=states.device, requires_grad=True)
        optimizer = torch.optim.Adam([value], lr=RATE)
        nats = torch.zeros(questions, device=states.device)
        for _ in range(self._edit.steps):
            for batch in self._batches:
                moved = (value * unit)[batch.fact]
                with _hooked(self._model.module, block, _shift(batch.at, moved)):
                    losses = self._losses(batch)
                (losses / each[batch.fact]).sum().backward()  # type: ignore[no-untyped-call]
                nats[batch.place] = losses.detach()
            if bool((nats < KNOWN).all()):
                break
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            with torch.no_grad():
                limit = LONGEST * states.shape[1] ** 0.5
                value *= (limit / value.norm(dim=1, keepdim=True).clamp(min=1e-9)).clamp(max=1.0)
        return (value * unit).detach()[fact], nats.mean().item(), (nats < KNOWN).float().mean().item()

    def _losses(self, batch: _Batch) -> Tensor:
        """float32 (rows,): mean nats per token of each answer."""
        self._tokens += int(batch.mask.sum())
        logprobs = logprobs_at(self._model.module, batch.ids, batch.mask, batch.where)
        nats = -logprobs.gather(1, batch.targets[:, None])[:, 0]
        rows = len(batch.ids)
        total = torch.zeros(rows, device=nats.device).index_add(0, batch.row_of, nats)
        return total / torch.bincount(batch.row_of, minlength=rows).clamp(min=1)

    @torch.no_grad()
    def _read(self, path: str, part: Callable[[Any, Any], Tensor]) -> Tensor:
        """float32 (questions, width): what the module at `path` reads or writes at the key of each question."""
        found: dict[int, Tensor] = {}
        for batch in self._batches:

            def keep(_: Any, given: Any, made: Any, batch: _Batch = batch) -> None:
                read = part(given, made)[batch.at].float()
                found.update(zip(batch.place.tolist(), read, strict=True))

            with _hooked(self._model.module, path, keep):
                logprobs_at(self._model.module, batch.ids, batch.mask, batch.where)
        return torch.stack([found[place] for place in range(len(found))])

    @torch.no_grad()
    def _general_keys(self) -> dict[str, Tensor]:
        """By path of the layer, float64 (inputs, inputs): the mean of k k^T over the tokens of general text."""
        layers = linear_layers(self._model.module)
        sizes = {path: layer_sizes(layers[path])[0] for _, path in self._layers}
        total = {path: torch.zeros(size, size, dtype=torch.float64) for path, size in sizes.items()}
        for row in self._edit.general:
            ids, mask, where = collate([((), row)], self._model.end_id, self._model.device)
            with ExitStack() as stack:
                for path in total:

                    def add(_: Any, given: Any, made: Any, path: str = path) -> None:
                        keys = _inputs(given, made)[0].double().cpu()
                        total[path] += keys.mT @ keys

                    stack.enter_context(_hooked(self._model.module, path, add))
                logprobs_at(self._model.module, ids, mask, where)
        return {path: each.to(self._model.device) for path, each in total.items()}

    @contextmanager
    def _updated(self, update: Mapping[str, LoraUpdate]) -> Iterator[None]:
        """Within this context the layers have that update as well."""
        with ExitStack() as stack:
            for path, (a, b) in update.items():

                def add(_: Any, given: Any, made: Tensor, a: Tensor = a, b: Tensor = b) -> Tensor:
                    read = _inputs(given, made)
                    return made + (read.float() @ a.mT @ b.mT).to(made.dtype)

                stack.enter_context(_hooked(self._model.module, path, add))
            yield


def read_keys(folder: Path | None) -> dict[str, Tensor]:
    """`Edited.keys` as they lie beside an adapter; empty where there are none."""
    return load_file(folder / KEYS) if folder is not None and (folder / KEYS).exists() else {}


def null_space(general: Tensor) -> Tensor:
    """(inputs, inputs): the projection on the directions in which keys with these second moments have no part, but for
    the proportion `SPARED` of their energy. AlphaEdit drops eigenvalues below 0.02, whatever the model's scale."""
    values, vectors = torch.linalg.eigh(general)
    values = values.clamp(min=0.0)
    free = vectors[:, values.cumsum(0) <= SPARED * values.sum()]
    projection: Tensor = free @ free.mT
    return projection


def solved(keys: Tensor, earlier: Tensor, projection: Tensor) -> Tensor:
    """(n, inputs): X in the update R X of the least squares for values R (outputs, n) at `keys` (n, inputs), which
    reads nothing outside the `projection` and keeps what earlier keys give: AlphaEdit's solution, with another ridge.
    `earlier` is the sum of k k^T over the earlier keys."""
    inside = keys @ projection
    ridge = RIDGE * inside.square().sum(1).mean().clamp(min=1e-12)
    system = projection @ (earlier + keys.mT @ keys) + ridge * torch.eye(keys.shape[1]).to(keys)
    columns: Tensor = torch.linalg.solve(system, inside.mT)
    return columns.mT


def _batches(model: TorchModel, edit: WeightEdit, budget: MemoryBudget) -> Iterator[_Batch]:
    asked = {row: fact for fact, rows in enumerate(edit.facts) for row in rows}
    place = {example: number for number, example in enumerate(asked)}
    device = model.device
    for rows in microbatches(list(asked), budget):
        ids, mask, where = collate([(row.prompt, row.completion) for row in rows], model.end_id, device)
        columns = torch.tensor([len(row.prompt) - 1 for row in rows], device=device)
        yield _Batch(
            ids=ids,
            mask=mask,
            where=where,
            targets=torch.tensor([token for row in rows for token in _predicted(row)], device=device),
            row_of=where[0],
            at=(torch.arange(len(rows), device=device), columns),
            fact=torch.tensor([asked[row] for row in rows], device=device),
            place=torch.tensor([place[row] for row in rows], device=device),
        )


def _predicted(row: Example) -> Sequence[int]:
    return row.completion[len(row.completion) - row.predicted :]


@contextmanager
def _hooked(module: Any, path: str, hook: Callable[[Any, Any, Any], Any]) -> Iterator[None]:
    handle = module.get_submodule(path).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _inputs(given: Any, made: Any) -> Tensor:
    read: Tensor = given[0]
    return read


def _outputs(given: Any, made: Any) -> Tensor:
    written: Tensor = made[0] if isinstance(made, tuple) else made
    return written


def _shift(at: tuple[Tensor, Tensor], moved: Tensor) -> Callable[[Any, Any, Any], Any]:
    """A hook that adds `moved` (rows, hidden) to a block's output, at one token of each row."""

    def shift(_: Any, given: Any, made: Any) -> Any:
        states = _outputs(given, made)
        states = states.index_put(at, moved.to(states.dtype), accumulate=True)
        return (states, *made[1:]) if isinstance(made, tuple) else states

    return shift
