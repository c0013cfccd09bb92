"""The adapters inside one torch model: loaded once, kept, at most one in force, and none outside the contexts."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hybridmem.core.errors import AdapterError
from hybridmem.models.huggingface.adapter_files import (
    FileState,
    file_state,
    read_adapter,
    read_update,
    rescaled,
    weight_key,
    write_adapter,
)
from hybridmem.models.huggingface.full_rank import free_side, full_rank_tensors
from hybridmem.models.huggingface.lora import linear_layers

if TYPE_CHECKING:
    from peft import LoraConfig

    from hybridmem.models.trainable import Combination, LoraUpdate

TRAINED = "trained"
"""The name of an adapter while its weights still change."""
COMBINED = "combined"
"""The name of an adapter that is made of others."""
BARE = "__base__"
"""What PEFT calls the base without an adapter, among the names of a batch's rows."""
DENSITY = 0.5
"""Share of an adapter's entries that ``ties`` and ``dare`` keep."""
_PEFT_COMBINATIONS: Mapping[Combination, str] = {
    "cat": "cat",
    "svd": "svd",
    "ties": "ties_svd",
    "dare": "dare_linear_svd",
}


class AdapterSlots:
    """Switches the adapters of `module`, whose layers it wraps in place when the first one comes.

    `name` goes into saved adapters as their base. At most `capacity` adapters stay loaded; the one that was
    not used for longest goes first.
    """

    def __init__(self, module: Any, *, name: str, capacity: int = 8) -> None:
        self._module = module
        self._name = name
        self._capacity = capacity
        self._peft: Any = None
        self._loaded: dict[FileState, str] = {}
        self._count = 0
        self._stack: tuple[str, ...] = ()
        """Names of the adapters in force; all but the last lie beneath one that is in training."""
        self._layers: list[Any] = []
        """The layers of the module that PEFT wrapped."""
        self._fixed: frozenset[str] = frozenset()
        """Parameters of the one in training that take no gradients."""

    @contextmanager
    def adapted(self, folder: Path | None) -> Iterator[None]:
        """Within this context the adapter in `folder` is in force, or none; then what was before.

        Raises `CorruptAdapter` or `WrongBase`, and then the model is as it was."""
        with self._switched(*(() if folder is None else (self._load(folder),))):
            yield

    @contextmanager
    def mixed(self, folders: Sequence[Path | None]) -> Iterator[list[str]]:
        """Within this context row n of a batch is computed with the adapter in `folders[n]`, or with none.

        It gives the names of the rows' adapters: whoever drops rows of the batch takes theirs out. All of them are
        loaded at once, more than the capacity where there are more. Raises as `adapted` does."""
        before, names = self._stack, list[str]()
        apply = self._apply if self._trains else self._point_at
        try:
            for folder in folders:
                names.append(BARE if folder is None else self._load(folder))
                # In force from now on, so that loading the next one does not drop it.
                self._stack = tuple(dict.fromkeys(name for name in names if name != BARE)) or before
            apply(*self._stack)
            for layer in self._layers:
                layer.forward = functools.partial(layer.forward, adapter_names=names)
            yield names
        finally:
            for layer in self._layers:
                vars(layer).pop("forward", None)
            apply(*before)

    @contextmanager
    def new_adapter(
        self,
        config: LoraConfig,
        *,
        seed: int,
        parent: Path | None = None,
        refit: bool = False,
        beneath: Path | None = None,
        full_rank: bool = False,
    ) -> Iterator[NewAdapter]:
        """Within this context a new adapter is in force and takes gradients; at its end it leaves the model.

        It starts as PEFT starts it (its update is zero) under `seed`, or from the update of `parent`, which must have
        the same layers and, unless it is to be `refit`, the same rank. The adapter in `beneath` is in force as well,
        and takes no gradients. With `full_rank`, `config` comes from `full_rank_config`, a parent may be of any rank,
        and of each layer's two matrices the identity takes no gradients. The global RNG is left as it was. Raises
        `AdapterError`."""
        if self._trains:
            raise AdapterError("an adapter of this model is in training already: finish that one first")
        start = self._start(config, parent, refit, full_rank)
        lower = () if beneath is None else (self._load(beneath),)
        with torch.random.fork_rng(self._cuda_devices()):
            torch.manual_seed(seed)
            self._add(config, TRAINED, trained=True)
        try:
            if start is not None:
                self._fill(start, TRAINED, parent)
            if full_rank:
                self._fixed = frozenset(self._identities(config))
            with self._switched(*lower, TRAINED):
                yield NewAdapter(self._peft, self._module, config, self._name)
        finally:
            self._fixed = frozenset()
            self._delete(TRAINED)

    def _start(self, config: LoraConfig, parent: Path | None, refit: bool, full_rank: bool) -> dict[str, Tensor] | None:
        """The weights that a new adapter begins with; None for PEFT's own."""
        if full_rank:
            update = {} if parent is None else read_update(parent, self._module)
            if beyond := sorted(set(update) - set(config.target_modules or ())):
                raise AdapterError(
                    f"the parent adapter in {str(parent)!r} covers {beyond[0]} as well: train with its targets, or "
                    f"without a parent"
                )
            return full_rank_tensors(self._module, config, update)
        return None if parent is None else rescaled(*read_adapter(parent, self._module), config, refit)

    def _identities(self, config: LoraConfig) -> Iterator[str]:
        """The parameters of an adapter in training, of full rank, that stay as they are."""
        layers = linear_layers(self._module)
        for path in config.target_modules or ():
            fixed = "A" if free_side(layers[path]) == "B" else "B"
            yield weight_key(path, fixed).replace(".weight", f".{TRAINED}.weight")

    def combine(self, folders: Sequence[Path], how: Combination, into: Path, *, rank: int, seed: int) -> None:
        """What `TrainableModel.combine` promises, by PEFT's own merging."""
        names = [self._load(folder) for folder in folders]
        try:
            with torch.random.fork_rng(self._cuda_devices()):
                torch.manual_seed(seed)
                self._peft.base_model.add_weighted_adapter(
                    names,
                    [1.0] * len(names),
                    COMBINED,
                    combination_type=_PEFT_COMBINATIONS[how],
                    svd_rank=rank,
                    svd_full_matrices=False,
                    density=DENSITY,
                )
            NewAdapter(self._peft, self._module, self._peft.peft_config[COMBINED], self._name, COMBINED).save(into)
        finally:
            self._delete(COMBINED)

    def forget(self, folder: Path) -> None:
        """Drop the adapter of `folder` from memory, as when its weights are unlearned."""
        for state in [state for state in self._loaded if state[0] == str(folder.resolve())]:
            self._drop(state)

    @property
    def in_force(self) -> str | None:
        """A name for the weights of the adapter in force, which no other adapter gets; None without one."""
        return self._stack[-1] if self._stack else None

    @torch.no_grad()
    def updates(self) -> dict[str, LoraUpdate]:
        """The adapter in force, by path of the layer."""
        return _update(self._module, self._stack[-1]) if self._stack else {}

    def _load(self, folder: Path) -> str:
        state = file_state(folder)
        if state in self._loaded:
            self._loaded[state] = self._loaded.pop(state)
            return self._loaded[state]
        config, tensors = read_adapter(folder, self._module)
        self.forget(folder)
        while len(self._loaded) >= self._capacity and (idle := self._idle()):
            self._drop(idle)
        name = f"loaded{self._count}"
        self._count += 1
        self._add(config, name, trained=False)
        self._fill(tensors, name, folder)
        self._loaded[state] = name
        self._apply(*self._stack)
        return name

    def _idle(self) -> FileState | None:
        return next((state for state, name in self._loaded.items() if name not in self._stack), None)

    def _drop(self, state: FileState) -> None:
        name = self._loaded[state]
        if name in self._stack:
            raise AdapterError(f"the adapter in {state[0]!r} is in force: leave its context first")
        del self._loaded[state]
        self._delete(name)

    def _delete(self, name: str) -> None:
        with without_warning("Adapter .* was active"):
            self._peft.delete_adapter(name)
        self._apply(*self._stack)

    def _add(self, config: LoraConfig, name: str, *, trained: bool) -> None:
        """Wrap the layers for one more adapter. Half-precision LoRA weights train badly, so those are float32."""
        from peft import PeftModel
        from peft.tuners.tuners_utils import BaseTunerLayer

        config = dataclasses.replace(config, inference_mode=not trained)
        options = {"low_cpu_mem_usage": not trained, "autocast_adapter_dtype": trained}
        if self._peft is None:
            with without_warning("`is_gradient_checkpointing` is deprecated"):
                self._peft = PeftModel(self._module, config, adapter_name=name, **options)
        else:
            self._peft.add_adapter(name, config, **options)
        self._layers = [layer for layer in self._module.modules() if isinstance(layer, BaseTunerLayer)]
        self._apply(*self._stack)

    def _fill(self, tensors: dict[str, Tensor], name: str, folder: Path | None) -> None:
        from peft import set_peft_model_state_dict

        try:
            result = set_peft_model_state_dict(self._peft, tensors, adapter_name=name, low_cpu_mem_usage=True)
        except RuntimeError:
            raise AdapterError(
                f"the parent adapter in {str(folder)!r} has another rank: train with its rank, or without a parent"
            ) from None
        absent = [key for key in result.missing_keys if f".{name}." in key]
        if absent or result.unexpected_keys:
            raise AdapterError(
                f"the adapter in {str(folder)!r} covers other layers than its configuration names: train it again"
            )
        self._peft.to(self._module.device)

    @contextmanager
    def _switched(self, *names: str) -> Iterator[None]:
        before = self._stack
        if names == before:
            yield
            return
        apply = self._apply if TRAINED in names or self._trains else self._point_at
        apply(*names)
        try:
            yield
        finally:
            apply(*before)

    @property
    def _trains(self) -> bool:
        return self._peft is not None and TRAINED in self._peft.peft_config

    def _point_at(self, *names: str) -> None:
        """`_apply` where nothing takes gradients. PEFT would walk through all modules for each adapter that is loaded,
        which takes longer than the rest of what an answer costs beside the model."""
        self._stack = names
        for layer in self._layers:
            layer._disable_adapters = not names
            if names:
                layer._active_adapter = list(names)

    def _apply(self, *names: str) -> None:
        self._stack = names
        if self._peft is None:
            return
        if not names:
            self._peft.base_model.disable_adapter_layers()
            return
        trains = names[-1] == TRAINED
        self._peft.base_model.enable_adapter_layers()
        self._peft.set_adapter(names[-1], inference_mode=not trains)
        if names[:-1]:
            self._peft.base_model.set_adapter(list(names), inference_mode=not trains)
        if names[:-1] or self._fixed:
            for path, parameter in self._peft.named_parameters():
                if path in self._fixed or any(f".{name}." in path for name in names[:-1]):
                    parameter.requires_grad_(False)

    def _cuda_devices(self) -> list[torch.device]:
        return [self._module.device] if self._module.device.type == "cuda" else []


class NewAdapter:
    """An adapter that no folder holds yet: in training, or just made of others."""

    def __init__(self, peft: Any, module: Any, config: LoraConfig, base: str, name: str = TRAINED) -> None:
        self._peft = peft
        self._module = module
        self._config = config
        self._base = base
        self._name = name

    def parameters(self) -> list[torch.nn.Parameter]:
        """The LoRA matrices that take gradients, for the optimiser."""
        return [p for path, p in self._peft.named_parameters() if f".{self._name}." in path and p.requires_grad]

    def dense_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Of an adapter of full rank: by path of the layer, the update itself, (outputs, inputs)."""
        layers = self.layers()
        sides = {path: free_side(layer) for path, layer in layers.items()}
        return {
            path: getattr(layer, f"lora_{sides[path]}")[self._name].weight
            for path, layer in self._module.named_modules()
            if path in sides
        }

    def update(self) -> dict[str, LoraUpdate]:
        """The adapter by path of the layer, with gradients."""
        return _update(self._module, self._name)

    def layers(self) -> dict[str, Any]:
        """The adapted layers of the base by path."""
        bare = linear_layers(self._module)
        return {path: bare[path] for path in self.update()}

    def state(self) -> dict[str, Tensor]:
        """A copy of the LoRA weights on the CPU, by the names that files have."""
        from peft import get_peft_model_state_dict

        found = get_peft_model_state_dict(self._peft, adapter_name=self._name, save_embedding_layers=False)
        return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in found.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` returned."""
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(self._peft, state, adapter_name=self._name)

    def save(self, folder: Path) -> None:
        """As `write_adapter` does."""
        write_adapter(folder, self._config, self.state(), self._base)


def _update(module: Any, name: str) -> dict[str, LoraUpdate]:
    return {
        path: (layer.lora_A[name].weight, layer.lora_B[name].weight * layer.scaling[name])
        for path, layer in module.named_modules()
        if name in getattr(layer, "lora_A", ())
    }


@contextmanager
def without_warning(message: str) -> Iterator[None]:
    """Keeps one warning of PEFT's from the user, who can do nothing about it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=message)
        yield
