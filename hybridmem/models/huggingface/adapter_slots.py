"""The adapters inside one torch model: loaded once, kept, at most one in force, and none outside the contexts."""

from __future__ import annotations

import dataclasses
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hybridmem.core.errors import AdapterError, CorruptAdapter, WrongBase
from hybridmem.models.huggingface.lora import fan_in_fan_out, linear_layers

if TYPE_CHECKING:
    from peft import LoraConfig

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
TRAINED = "trained"
"""The name of an adapter while its weights still change."""
_KEY = re.compile(r"base_model\.model\.(?P<layer>.+)\.lora_(?P<side>[AB])\.weight")

_FileState = tuple[str, int, int, int, int]
LoraUpdate = tuple[Tensor, Tensor]
"""(rank, inputs) and (outputs, rank), with the scale in the second: times each other, what is added to a weight."""


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
        self._loaded: dict[_FileState, str] = {}
        self._count = 0
        self._in_force: str | None = None

    @contextmanager
    def adapted(self, folder: Path | None) -> Iterator[None]:
        """Within this context the adapter in `folder` is in force, or none; then what was before.

        Raises `CorruptAdapter` or `WrongBase`, and then the model is as it was."""
        name = None if folder is None else self._load(folder)
        with self._switched(name):
            yield

    @contextmanager
    def new_adapter(self, config: LoraConfig, *, seed: int, parent: Path | None = None) -> Iterator[NewAdapter]:
        """Within this context a new adapter is in force and takes gradients; at its end it leaves the model.

        It starts as PEFT starts it (its update is zero) under `seed`, or from the weights of `parent`, which must
        have the same rank and layers. The global RNG is left as it was. Raises `AdapterError`."""
        if self._peft is not None and TRAINED in self._peft.peft_config:
            raise AdapterError("an adapter of this model is in training already: finish that one first")
        tensors = None if parent is None else read_adapter(parent, self._module)[1]
        with torch.random.fork_rng(self._cuda_devices()):
            torch.manual_seed(seed)
            self._add(config, TRAINED, trained=True)
        try:
            if tensors is not None:
                self._fill(tensors, TRAINED, parent)
            with self._switched(TRAINED):
                yield NewAdapter(self._peft, config, self._name)
        finally:
            self._delete(TRAINED)

    def forget(self, folder: Path) -> None:
        """Drop the adapter of `folder` from memory, as when its weights are unlearned."""
        for state in [state for state in self._loaded if state[0] == str(folder.resolve())]:
            self._drop(state)

    @property
    def in_force(self) -> str | None:
        """A name for the weights of the adapter in force, which no other adapter gets; None without one."""
        return self._in_force

    @torch.no_grad()
    def updates(self) -> dict[str, LoraUpdate]:
        """The adapter in force, by path of the layer."""
        name = self._in_force
        if name is None:
            return {}
        return {
            path: (layer.lora_A[name].weight, layer.lora_B[name].weight * layer.scaling[name])
            for path, layer in self._module.named_modules()
            if name in getattr(layer, "lora_A", ())
        }

    def _load(self, folder: Path) -> str:
        state = _file_state(folder)
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
        self._apply(self._in_force)
        return name

    def _idle(self) -> _FileState | None:
        return next((state for state, name in self._loaded.items() if name != self._in_force), None)

    def _drop(self, state: _FileState) -> None:
        name = self._loaded[state]
        if name == self._in_force:
            raise AdapterError(f"the adapter in {state[0]!r} is in force: leave its context first")
        del self._loaded[state]
        self._delete(name)

    def _delete(self, name: str) -> None:
        with without_warning("Adapter .* was active"):
            self._peft.delete_adapter(name)
        self._apply(self._in_force)

    def _add(self, config: LoraConfig, name: str, *, trained: bool) -> None:
        """Wrap the layers for one more adapter. Half-precision LoRA weights train badly, so those are float32."""
        from peft import PeftModel

        config = dataclasses.replace(config, inference_mode=not trained)
        options = {"low_cpu_mem_usage": not trained, "autocast_adapter_dtype": trained}
        if self._peft is None:
            with without_warning("`is_gradient_checkpointing` is deprecated"):
                self._peft = PeftModel(self._module, config, adapter_name=name, **options)
        else:
            self._peft.add_adapter(name, config, **options)
        self._apply(self._in_force)

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
    def _switched(self, name: str | None) -> Iterator[None]:
        before = self._in_force
        self._apply(name)
        try:
            yield
        finally:
            self._apply(before)

    def _apply(self, name: str | None) -> None:
        self._in_force = name
        if self._peft is None:
            return
        if name is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(name, inference_mode=name != TRAINED)

    def _cuda_devices(self) -> list[torch.device]:
        return [self._module.device] if self._module.device.type == "cuda" else []


class NewAdapter:
    """The adapter that is in training."""

    def __init__(self, peft: Any, config: LoraConfig, base: str) -> None:
        self._peft = peft
        self._config = config
        self._base = base

    def parameters(self) -> list[torch.nn.Parameter]:
        """The LoRA matrices, for the optimiser."""
        return [parameter for name, parameter in self._peft.named_parameters() if f".{TRAINED}." in name]

    def state(self) -> dict[str, Tensor]:
        """A copy of the LoRA weights on the CPU, by the names that files have."""
        from peft import get_peft_model_state_dict

        found = get_peft_model_state_dict(self._peft, adapter_name=TRAINED, save_embedding_layers=False)
        return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in found.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` returned."""
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(self._peft, state, adapter_name=TRAINED)

    def save(self, folder: Path) -> None:
        """Write a plain PEFT folder: ``adapter_config.json`` and ``adapter_model.safetensors``, the same bytes
        for the same weights."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        values = self._config.to_dict()
        values |= {
            "base_model_name_or_path": self._base,
            "inference_mode": True,
            "target_modules": sorted(values["target_modules"]),
        }
        plain = {key: sorted(value) if isinstance(value, set) else value for key, value in values.items()}
        (folder / CONFIG).write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", "utf-8")
        save_file(dict(sorted(self.state().items())), folder / WEIGHTS, metadata={"format": "pt"})


@contextmanager
def without_warning(message: str) -> Iterator[None]:
    """Keeps one warning of PEFT's from the user, who can do nothing about it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=message)
        yield


def _file_state(folder: Path) -> _FileState:
    try:
        config, weights = (folder / CONFIG).stat(), (folder / WEIGHTS).stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CorruptAdapter(f"the adapter in {str(folder)!r} lacks {Path(error.filename).name}") from None
    return str(folder.resolve()), config.st_mtime_ns, config.st_size, weights.st_mtime_ns, weights.st_size


def read_adapter(folder: Path, module: Any) -> tuple[LoraConfig, dict[str, Tensor]]:
    """The adapter's configuration and tensors, once they are LoRA weights and fit `module`.

    All is checked before PEFT touches the model: it would leave half-wrapped layers behind. Raises `CorruptAdapter` or
    `WrongBase`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _file_state(folder)
    config = _configuration(folder)
    try:
        tensors = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise CorruptAdapter(f"{WEIGHTS} in {str(folder)!r} cannot be read ({error}): restore it") from None
    layers = linear_layers(module)
    named = set()
    for key, tensor in tensors.items():
        match = _KEY.fullmatch(key)
        if match is None or tensor.ndim != 2:
            raise CorruptAdapter(f"the adapter in {str(folder)!r} holds {key}, which is no LoRA weight")
        layer = layers.get(match["layer"])
        if layer is None:
            raise WrongBase(
                f"the adapter in {str(folder)!r} is for another base: this one has no layer {match['layer']}"
            )
        inputs, outputs = _sizes(layer)
        expected, found = (inputs, tensor.shape[1]) if match["side"] == "A" else (outputs, tensor.shape[0])
        if expected != found:
            raise WrongBase(
                f"the adapter in {str(folder)!r} is for a base whose {match['layer']} is {found} wide, "
                f"and this one's is {expected}: use the base that its card names"
            )
        named.add(match["layer"])
    if not named:
        raise CorruptAdapter(f"{WEIGHTS} in {str(folder)!r} is empty: restore it, or roll back")
    config.target_modules = sorted(named)
    # Of this base, whatever the file says: in 4 bits GPT-2's layers lie the other way round.
    config.fan_in_fan_out = fan_in_fan_out(layers[path] for path in named)
    return config, tensors


def _configuration(folder: Path) -> LoraConfig:
    """adapter_config.json without what could change the base: other initialisations do so as they load."""
    from peft import LoraConfig

    try:
        values = json.loads((folder / CONFIG).read_text("utf-8"))
        kind, rank, alpha = values["peft_type"], int(values["r"]), float(values["lora_alpha"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptAdapter(f"{CONFIG} in {str(folder)!r} cannot be read ({error}): restore it") from None
    if kind != "LORA" or values.get("modules_to_save") or values.get("bias", "none") != "none":
        raise CorruptAdapter(f"the adapter in {str(folder)!r} is more than LoRA weights: train it with bias 'none'")
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        use_rslora=bool(values.get("use_rslora", False)),
        rank_pattern=values.get("rank_pattern") or {},
        alpha_pattern=values.get("alpha_pattern") or {},
        bias="none",
        task_type="CAUSAL_LM",
    )


def _sizes(layer: Any) -> tuple[int, int]:
    """(inputs, outputs) of a linear layer, or of GPT-2's Conv1D."""
    if isinstance(layer, torch.nn.Linear):
        return layer.in_features, layer.out_features
    inputs, outputs = layer.weight.shape
    return inputs, outputs
