"""Prompts of token ids to completions of token ids, with how sure the model was of each token.

`decode` is a short greedy and sampling loop over the forward passes of `Steps`, and `decoded` the same token by
token. It drops each row as soon as its completion ends, which `transformers.generate` cannot, and reads the figures off
the logits as they come. `decode_alone` asks `transformers.generate` instead, one prompt at a time: for families without
position ids (ALiBi, state-space models), which left padding would disturb.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

_TINY = 1e-4


@dataclass(slots=True)
class Completion:
    """Token ids with, for each: its log-probability, the margin of the best over the second-best, the entropy."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)


def takes_padding(module: Any) -> bool:
    """Whether the family's forward pass takes position ids, so that left padding leaves its output unchanged."""
    return "position_ids" in inspect.signature(module.forward).parameters


def cache_argument(module: Any) -> str:
    """What the family's forward pass and its output call the cache: `cache`, or its name in older transformers."""
    return "cache" if "cache" in inspect.signature(module.forward).parameters else "past_key_values"


def last_logits_only(module: Any) -> dict[str, int]:
    """The argument that spares a prompt's logits but the last, where the family has it."""
    return {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(module.forward).parameters else {}


class Steps(Protocol):
    """The forward passes of a batch of completions."""

    def read(self, ids: Tensor, mask: Tensor | None, positions: Tensor, room: int) -> Tensor:
        """Logits (rows, vocabulary) behind the prompts, each argument (rows, longest); at most `room` tokens follow."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone."""
        ...

    def step(self, tokens: Tensor, mask: Tensor | None, positions: Tensor) -> Tensor:
        """Logits behind `tokens`, one a row; `mask` has a column for everything that was read, and for them."""
        ...


class ModuleSteps:
    """By the torch model itself, over the cache that it makes."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._kept_as = cache_argument(module)
        self.cache: Any = None

    def read(self, ids: Tensor, mask: Tensor | None, positions: Tensor, room: int) -> Tensor:
        return self._forward(ids, mask, positions, last_logits_only(self._module))

    def keep(self, rows: Tensor) -> None:
        self.cache.reorder_cache(rows)

    def step(self, tokens: Tensor, mask: Tensor | None, positions: Tensor) -> Tensor:
        return self._forward(tokens, mask, positions, {self._kept_as: self.cache})

    def _forward(self, ids: Tensor, mask: Tensor | None, positions: Tensor, more: Mapping[str, Any]) -> Tensor:
        output = self._module(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=True, **more)
        self.cache = getattr(output, self._kept_as)
        logits: Tensor = output.logits[:, -1]
        return logits


class MixedSteps(ModuleSteps):
    """The same, where each row has an adapter of its own: `names` are theirs, and go on with the rows."""

    def __init__(self, module: Any, names: list[str]) -> None:
        super().__init__(module)
        self._names = names

    def keep(self, rows: Tensor) -> None:
        super().keep(rows)
        self._names[:] = [self._names[at] for at in rows.tolist()]


def decode(
    module: Any,
    prompts: Sequence[Sequence[int]],
    *,
    end_ids: frozenset[int],
    max_new_tokens: int,
    temperature: float,
    draws: Tensor,
    steps: Steps | None = None,
) -> list[Completion]:
    """One completion for each prompt; its end token is included.

    `draws`, uniform in [0, 1) and of shape (prompts, max_new_tokens), decide the samples at temperatures above 0:
    they belong to a prompt, so what is sampled does not depend on what it was batched with. `steps` are the forward
    passes, where they are not those of `module` itself.
    """
    *_, completions = decoded(
        module,
        prompts,
        end_ids=end_ids,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        draws=draws,
        steps=steps,
    )
    return completions


@torch.no_grad()
def decoded(
    module: Any,
    prompts: Sequence[Sequence[int]],
    *,
    end_ids: frozenset[int],
    max_new_tokens: int,
    temperature: float,
    draws: Tensor,
    steps: Steps | None = None,
) -> Iterator[list[Completion]]:
    """`decode`, token by token: the completions so far, each time the same list, in which those that go on have one
    token more."""
    device = module.device
    steps = steps or ModuleSteps(module)
    completions = [Completion() for _ in prompts]
    ids, mask, positions = _left_padded(prompts, device)
    rows = list(range(len(prompts)))
    last = positions[:, -1:]
    logits = steps.read(ids, mask, positions, max_new_tokens)
    for step in range(max_new_tokens):
        chosen = _append(logits, [completions[row] for row in rows], temperature, draws[rows, step])
        yield completions
        going = [at for at, token in enumerate(chosen) if token not in end_ids]
        if not going or step + 1 == max_new_tokens:
            break
        if len(going) < len(rows):
            kept = torch.tensor(going, device=device)
            rows = [rows[at] for at in going]
            steps.keep(kept)
            last = last[kept]
            mask = mask[kept] if mask is not None else None
        last = last + 1
        if mask is not None:
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        logits = steps.step(torch.tensor([[chosen[at]] for at in going], device=device), mask, last)


def decode_alone(
    module: Any,
    prompt: Sequence[int],
    *,
    end_ids: frozenset[int],
    max_new_tokens: int,
    temperature: float,
    seed: int,
) -> Completion:
    """What `decode` promises, for one prompt, through `transformers.generate`. The global RNG is left as it was."""
    from transformers import GenerationConfig

    sampled = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature > 0 else {}
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(end_ids),
        pad_token_id=min(end_ids),
        return_dict_in_generate=True,
        output_logits=True,
        **sampled,
    )
    ids = torch.tensor([list(prompt)], device=module.device)
    devices = [module.device] if module.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        output = module.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
    completion = Completion()
    for token, logits in zip(output.sequences[0, len(prompt) :].tolist(), output.logits, strict=True):
        _record(logits, torch.tensor([token], device=logits.device), [completion])
    return completion


def _left_padded(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor | None, Tensor]:
    """ids, mask (None where no row is padded: the faster path) and positions, each (prompts, longest)."""
    longest = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    counted = torch.arange(longest, device=device).expand(len(prompts), -1)
    if all(len(prompt) == longest for prompt in prompts):
        return ids, None, counted
    padding = torch.tensor([[longest - len(prompt)] for prompt in prompts], device=device)
    return ids, (counted >= padding).long(), (counted - padding).clamp(min=0)


def _append(logits: Tensor, completions: Sequence[Completion], temperature: float, draws: Tensor) -> list[int]:
    """Choose each row's next token and write it down."""
    if temperature <= _TINY:
        tokens = logits.argmax(dim=-1)
    else:
        # On the CPU in float64: the same draw gives the same token on every device.
        cumulated = torch.softmax(logits.cpu().double() / temperature, dim=-1).cumsum(dim=-1)
        picked = torch.searchsorted(cumulated, (draws.double() * cumulated[:, -1])[:, None], right=True)[:, 0]
        tokens = picked.clamp(max=logits.shape[-1] - 1).to(logits.device)
    return _record(logits, tokens, completions)


def _record(logits: Tensor, tokens: Tensor, completions: Sequence[Completion]) -> list[int]:
    distribution = torch.log_softmax(logits.float(), dim=-1)
    best = distribution.topk(2, dim=-1).values
    figures = torch.stack(
        [
            distribution.gather(1, tokens[:, None])[:, 0],
            best[:, 0] - best[:, 1],
            torch.special.entr(distribution.exp()).sum(dim=-1),
        ]
    )
    chosen: list[int] = tokens.tolist()
    for token, completion, (logprob, margin, entropy) in zip(chosen, completions, figures.T.tolist(), strict=True):
        completion.ids.append(token)
        completion.logprobs.append(logprob)
        completion.margins.append(margin)
        completion.entropies.append(entropy)
    return chosen
