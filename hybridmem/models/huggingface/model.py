"""Any causal language model of `transformers`, from a folder or by its hub name."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from hybridmem.core.errors import InvalidInput, ModelError
from hybridmem.core.hashing import weights_sha256
from hybridmem.models.base import Generation, Hear, one_by_one
from hybridmem.models.huggingface import checkpoint, gguf_header, gguf_model, quantized
from hybridmem.models.huggingface.adapter_files import WEIGHTS, read_update, write_update
from hybridmem.models.huggingface.adapter_slots import AdapterSlots, NewAdapter
from hybridmem.models.huggingface.checkpoint import Checkpoint
from hybridmem.models.huggingface.decoding import (
    Completion,
    MixedSteps,
    Steps,
    decode,
    decode_alone,
    decoded,
    takes_padding,
)
from hybridmem.models.huggingface.free_memory import free_bytes
from hybridmem.models.huggingface.full_rank import full_rank_config
from hybridmem.models.huggingface.int8_steps import FAMILIES, Int8Steps, Int8Weights, fits
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.low_rank import summed
from hybridmem.models.huggingface.memory_budget import MemoryBudget, Shape, share_of
from hybridmem.models.huggingface.precision import chosen_device, chosen_dtype
from hybridmem.models.huggingface.recall import recall
from hybridmem.models.huggingface.rendering import PromptRenderer
from hybridmem.models.huggingface.teacher import teacher_targets
from hybridmem.models.huggingface.tensors import MOST_LOGITS, cross_entropy, scores_all
from hybridmem.models.huggingface.training_adapter import HuggingFaceTrainingAdapter
from hybridmem.models.huggingface.weight_edit import KEYS, WeightEditor, read_keys
from hybridmem.models.prompts import Message
from hybridmem.models.spec import EXACT, INT8, ModelSettings
from hybridmem.models.trainable import (
    Combination,
    Example,
    Recall,
    StepResult,
    TeacherPredictions,
    TrainingJob,
    WeightEdit,
)

if TYPE_CHECKING:
    from peft import LoraConfig

ANSWER_TOKENS = 24
"""The longest answer, unless the caller says otherwise."""
CONTEXT_FOR_EXAMPLES = 4096
"""Tokens that a model must be able to read at once before worked examples are put in front of a message."""


class HuggingFaceModel:
    """A `models.trainable.TrainableModel` over `transformers`.

    `module` is the bare torch model (its linear layers are wrapped in place once an adapter was loaded),
    `tokenizer` its tokenizer. Threads take turns: whoever adapts, answers or trains has the model to itself.
    `batch_tokens` bounds a batch: rows times the longest row. `sha256` is what adapters are bound to, where that is
    not the digest of `weights`.
    """

    def __init__(
        self,
        module: Any,
        tokenizer: Any,
        *,
        name: str,
        weights: Sequence[Path],
        sha256: str | None = None,
        batch_tokens: int = 8192,
        memory_gb: float | None = None,
        answers: str = EXACT,
    ) -> None:
        self.module = module
        self.tokenizer = tokenizer
        self._name = name
        self._weights = tuple(weights)
        self._given_sha256 = sha256
        self._batch_tokens = batch_tokens
        self._memory_gb = memory_gb
        self.answers = answers
        self._int8: Int8Weights | None = None
        self._prompts = PromptRenderer(tokenizer)
        self._slots = AdapterSlots(module, name=name)
        self._turn = threading.RLock()
        self._cores = torch.get_num_threads()

    @classmethod
    def load(
        cls,
        name: str | Path | Checkpoint,
        *,
        alias: str | None = None,
        device: str | None = None,
        dtype: torch.dtype | str | None = None,
        quantize: str | None = None,
        memory_gb: float | None = None,
        answers: str | None = None,
        trust_remote_code: bool = False,
        batch_tokens: int = 8192,
    ) -> HuggingFaceModel:
        """The model in a folder or a GGUF file, or of a hub name; `alias` is what it calls itself instead.

        What is not said is chosen by `precision`. `quantize="4bit"` keeps the frozen weights in four bits, `memory_gb`
        bounds what a training takes beside them, `answers="int8"` speeds up `generate_answers`. Raises
        `ModelNotFound`, `ModelIncomplete`, `ModelTooLarge`, `MissingExtra` or `InvalidInput`."""
        ModelSettings(quantize=quantize, memory=memory_gb, answers=answers)
        place = chosen_device(device)
        if quantize is not None:
            quantized.require(place)  # Before gigabytes are fetched.
        found = _located(name)
        name = str(found.folder if isinstance(name, Checkpoint) else name)
        sizes = checkpoint.parameters(found)
        precision = chosen_dtype(dtype, place, parameters=sum(sizes.values()), quantized=quantize is not None)
        needed = checkpoint.weights_bytes(sizes, precision, quantized=quantize is not None)
        checkpoint.require_memory(alias or name, needed, place, precision)
        module, tokenizer = checkpoint.read(
            found,
            device=place,
            dtype=precision,
            trust_remote_code=trust_remote_code,
            quantization=quantized.configuration(place, precision) if quantize is not None else None,
        )
        if answers == INT8 and not fits(module):
            raise InvalidInput(
                f"answers=int8 is for models of the families {', '.join(FAMILIES)} on a CPU, and "
                f"{alias or name!r} is {module.config.model_type} on {place}: leave it out"
            )
        return cls(
            module,
            tokenizer,
            name=alias or name,
            weights=found.weights,
            sha256=found.sha256,
            batch_tokens=batch_tokens,
            memory_gb=memory_gb,
            answers=answers or EXACT,
        )

    @property
    def name(self) -> str:
        return self._name

    @cached_property
    def sha256(self) -> str:
        return self._given_sha256 or weights_sha256(self._weights)

    @property
    def weights_folder(self) -> Path:
        """Where its configuration, its tokenizer and its weights are."""
        return self._weights[0].parent

    jobs: frozenset[str] = frozenset()
    """Memory jobs that the weights were trained for, as `models.skills` names them."""

    @property
    def follows_examples(self) -> bool:
        """Whether it does the memory jobs by worked examples: a chat model with room for them."""
        return bool(self.tokenizer.chat_template) and (self.context_length or 0) >= CONTEXT_FOR_EXAMPLES

    @property
    def device(self) -> torch.device:
        device: torch.device = self.module.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights that are not quantized, and of what the layers pass on."""
        dtype: torch.dtype = self.module.dtype
        return dtype

    def training_bytes(self) -> int:
        """What a training may take beside the weights: as it was told, or a share of what is free now."""
        return int(self._memory_gb * 1e9) if self._memory_gb is not None else share_of(free_bytes(self.device))

    def budget_for(self, examples: Sequence[Example], *, taken: int) -> MemoryBudget:
        """What may be in memory at once for any of `examples`, once `taken` bytes of what a training may take are
        gone."""
        shape = Shape.of(self.module.config, scores_all=scores_all(self.module))
        rows = {(len(e.prompt) + len(e.completion), len(e.completion)) for e in examples}
        return MemoryBudget.of(shape, self.training_bytes() - taken, rows)

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end a turn. Raises `ModelError` for a model that has none."""
        found: set[int] = set()
        for owner in (self.module.generation_config, self.module.config, self.tokenizer):
            value = getattr(owner, "eos_token_id", None)
            found.update([value] if isinstance(value, int) else value or [])
        if not found:
            raise ModelError(f"the model {self._name!r} names no end token: set eos_token_id in its config.json")
        return frozenset(found)

    @cached_property
    def end_id(self) -> int:
        """The token that ends an answer in this model's own template, or else its tokenizer's end token."""
        if self.tokenizer.chat_template:
            turns = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
            for token in reversed(self._prompts.answered(turns)):
                if token in self.end_ids:
                    return token
        end: int | None = self.tokenizer.eos_token_id
        return min(self.end_ids) if end is None else end

    @cached_property
    def context_length(self) -> int | None:
        """Tokens that the model reads at most; None where its configuration names no bound."""
        length: int | None = getattr(self.module.config.get_text_config(), "max_position_embeddings", None)
        return length

    # prompts
    def render(self, messages: Sequence[Message], completion: str | None = None) -> list[int]:
        """Token ids of the prompt with the prefix of an answer; with `completion`, of both and the end of the turn."""
        if completion is None:
            return self._prompts.prompt(messages)
        prompt, answer = self.render_pair(messages, completion)
        return prompt + answer

    def render_pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]:
        """(ids of the prompt, ids of the completion and the end of the turn)."""
        prompt, answer = self._prompts.pair(messages, completion)
        return prompt, [*answer, self.end_id]

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return len(self.render(prompt))

    def encode_text(self, text: str) -> list[int]:
        return self._prompts.text(text)

    # answers
    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        """What `LanguageModel` promises. A prompt longer than the model reads raises `ModelError`: none is cut."""
        return self._generate(prompts, max_new_tokens, temperature=temperature, seed=seed)

    def generate_answers(
        self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = ANSWER_TOKENS
    ) -> list[Generation]:
        """What `AnswerWriter` promises. With ``answers=int8`` a first token is exact, and those behind it are rounded.

        Raises what `generate` does."""
        return self._generate(prompts, max_new_tokens, rounded=self.answers == INT8)

    def speak(
        self,
        prompt: Sequence[Message],
        hear: Hear,
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Generation:
        """What `Speaker` promises. A family that takes no padding writes the whole first."""
        return self._generate([prompt], max_new_tokens, temperature=temperature, seed=seed, hear=hear)[0]

    def speak_answer(self, prompt: Sequence[Message], hear: Hear) -> Generation:
        return self._generate([prompt], ANSWER_TOKENS, rounded=self.answers == INT8, hear=hear)[0]

    def generate_mixed(self, prompts: Sequence[Sequence[Message]], adapters: Sequence[Path | None]) -> list[Generation]:
        """What `MixedBatches` promises. Where answers are rounded, and in a family that takes no padding, each adapter
        has a batch of its own."""
        with self._turn:
            if len(set(adapters)) < 2 or self.answers == INT8 or not takes_padding(self.module):
                return one_by_one(self, prompts, adapters)
            return self._generate(prompts, ANSWER_TOKENS, adapters=adapters)

    def _generate(
        self,
        prompts: Sequence[Sequence[Message]],
        max_new_tokens: int,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        rounded: bool = False,
        hear: Hear | None = None,
        adapters: Sequence[Path | None] | None = None,
    ) -> list[Generation]:
        """`hear` is for one prompt alone. Without `adapters`, all rows have the one that is in force."""
        if max_new_tokens < 1:
            raise InvalidInput(f"an answer of {max_new_tokens} tokens is none: pass max_new_tokens of 1 or more")
        rendered = [self.render(prompt) for prompt in prompts]
        longest = max(map(len, rendered), default=0)
        if self.context_length is not None and longest + max_new_tokens > self.context_length:
            raise ModelError(
                f"a prompt of {longest} tokens and an answer of {max_new_tokens} are more than the "
                f"{self.context_length} that {self._name!r} reads: pass fewer or shorter memories (token_budget=)"
            )
        completions: list[Completion] = [Completion()] * len(rendered)
        limits: dict[str, Any] = {
            "end_ids": self.end_ids,
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
        }
        with self._evaluating():
            if takes_padding(self.module):
                draws = torch.rand(len(rendered), max_new_tokens, generator=torch.Generator().manual_seed(seed))
                for batch in _batches([len(ids) + max_new_tokens for ids in rendered], self._batch_tokens):
                    asked = [rendered[at] for at in batch]
                    found = list[Completion]()
                    with self._steps(rounded, adapters and [adapters[at] for at in batch]) as steps:
                        for found in decoded(self.module, asked, draws=draws[batch], steps=steps, **limits):
                            if hear is not None:
                                hear(self._generation(len(asked[0]), found[0]))
                    for at, completion in zip(batch, found, strict=True):
                        completions[at] = completion
            else:
                for at, ids in enumerate(rendered):
                    completions[at] = decode_alone(self.module, ids, seed=seed + at, **limits)
                    if hear is not None:
                        hear(self._generation(len(ids), completions[at]))
        return [self._generation(len(ids), done) for ids, done in zip(rendered, completions, strict=True)]

    def complete(self, ids: Sequence[int], steps: Steps, max_new_tokens: int) -> Generation:
        """The greedy completion of a prompt of token ids, by forward passes that are not the module's own."""
        draws = torch.zeros(1, max_new_tokens)
        with self._evaluating():
            (done,) = decode(
                self.module,
                [ids],
                end_ids=self.end_ids,
                max_new_tokens=max_new_tokens,
                temperature=0.0,
                draws=draws,
                steps=steps,
            )
        return self._generation(len(ids), done)

    @contextmanager
    def _steps(self, rounded: bool, adapters: Sequence[Path | None] | None) -> Iterator[Steps | None]:
        """The forward passes of one batch; None for those of the module as it is."""
        with nullcontext() if adapters is None else self._slots.mixed(adapters) as names:
            yield MixedSteps(self.module, names) if names else self._int8_steps() if rounded else None

    def _int8_steps(self) -> Int8Steps:
        if self._int8 is None:
            self._int8 = Int8Weights(self.module)
        self._int8.fit(self._slots)
        return Int8Steps(self._int8)

    def _generation(self, prompt_tokens: int, completion: Completion) -> Generation:
        text = self.tokenizer.decode(completion.ids, skip_special_tokens=True).strip()
        if not self.tokenizer.chat_template:
            # Such a model knows no turns, and goes on behind its answer with a question of its own.
            text = text.split("\n\n")[0].strip()
        return Generation(
            text=text,
            prompt_tokens=prompt_tokens,
            tokens=len(completion.ids),
            logprob=sum(completion.logprobs),
            min_probability=float(torch.tensor(completion.logprobs).min().exp()),
            margin=min(completion.margins),
            entropy=sum(completion.entropies) / len(completion.entropies),
        )

    @torch.no_grad()
    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        pairs = [self.render_pair(prompt, completion) for prompt, completion in zip(prompts, completions, strict=True)]
        budget = min(self._batch_tokens, MOST_LOGITS // self.module.config.get_text_config().vocab_size)
        figures: list[list[float]] = [[] for _ in pairs]
        with self._evaluating():
            for batch in _batches([len(prompt) + len(answer) for prompt, answer in pairs], budget):
                for at, found in zip(batch, self._scored([pairs[at] for at in batch]), strict=True):
                    figures[at] = found
        return figures

    def _scored(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[list[float]]:
        """Padded at the right, where no causal model looks: this needs no mask and holds for every family."""
        longest = max(len(prompt) + len(answer) for prompt, answer in pairs)
        rows = [prompt + answer + [0] * (longest - len(prompt) - len(answer)) for prompt, answer in pairs]
        logits = self.module(input_ids=torch.tensor(rows, device=self.device), use_cache=False).logits
        figures = []
        for row, (prompt, answer) in enumerate(pairs):
            told = torch.log_softmax(logits[row, len(prompt) - 1 : len(prompt) + len(answer) - 1].float(), dim=-1)
            tokens = torch.tensor(answer, device=self.device)
            figures.append(told.gather(1, tokens[:, None])[:, 0].tolist())
        return figures

    def cross_entropy(self, rows: Sequence[Sequence[int]]) -> float:
        return cross_entropy(self, rows)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        with self._turn:
            was_training: bool = self.module.training
            if was_training:
                self.module.eval()
            try:
                yield
            finally:
                if was_training:
                    self.module.train()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Within this context the caller alone reads with `module`, in evaluation mode and without gradients, under
        whatever adapter is in force."""
        with self._evaluating(), torch.no_grad():
            yield

    # adapters
    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        """What `LanguageModel` promises. Shapes are checked here, hashes in `adapters.load_verified`."""
        with self._turn, self._slots.adapted(adapter):
            yield

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
        """Within this context a new adapter is in force and takes gradients; see `AdapterSlots.new_adapter`."""
        made = self._slots.new_adapter(
            config, seed=seed, parent=parent, refit=refit, beneath=beneath, full_rank=full_rank
        )
        with self._turn, made as new:
            yield new

    @contextmanager
    def training(self, job: TrainingJob) -> Iterator[HuggingFaceTrainingAdapter]:
        """What `TrainableModel` promises. The teacher reads before the adapter exists: it is the bare base."""
        targets, read = self._teacher(job)
        shape, full_rank = job.adapter, job.full_rank is not None
        config = (
            full_rank_config(self.module, shape.targets)
            if full_rank
            else lora_config(self.module, shape.rank, shape.alpha, shape.targets)
        )
        with self.new_adapter(
            config,
            seed=job.seed,
            parent=job.parent,
            refit=job.refit_parent,
            beneath=job.beneath,
            full_rank=full_rank,
        ) as new:
            yield HuggingFaceTrainingAdapter(self, new, job, targets, read)

    def edit(self, edit: WeightEdit, into: Path) -> StepResult:
        """What `TrainableModel` promises, by `weight_edit`. Beside the adapter lie the keys of all edits so far."""
        rows = [row for fact in edit.facts for row in fact]
        earlier = read_keys(edit.parent)
        with self._evaluating(), self.adapted(edit.parent):
            done = WeightEditor(self, edit, self.budget_for(rows, taken=0)).run(earlier)
        update = summed({} if edit.parent is None else read_update(edit.parent, self.module), done.update)
        write_update(into, update, self.module, self._name)
        save_file({path: keys.cpu() for path, keys in done.keys.items()}, into / KEYS, metadata={"format": "pt"})
        return done.result

    def recall(self, rows: Sequence[Example], adapter: Path | None) -> list[Recall]:
        with self._evaluating(), self.adapted(adapter):
            return recall(self, rows)

    def combine(self, adapters: Sequence[Path], how: Combination, into: Path, *, rank: int, seed: int) -> None:
        with self._turn:
            self._slots.combine(adapters, how, into, rank=rank, seed=seed)

    def _teacher(self, job: TrainingJob) -> tuple[dict[Example, TeacherPredictions], int]:
        if not any(objective.needs_teacher for objective in job.objectives):
            return {}, 0
        budget = self.budget_for(job.examples, taken=0)
        with self.adapted(None):
            return teacher_targets(self.module, job.examples, job.top_k, self.end_id, budget)

    def scale_adapter(self, adapter: Path, scale: float, into: Path) -> None:
        """What `TrainableModel` promises: one of an update's two matrices is scaled, and with it their product."""
        shutil.copytree(adapter, into, dirs_exist_ok=True)
        # Read from the original: a file that is mapped into memory must not be written over.
        stored = load_file(adapter / WEIGHTS)
        tensors = {name: t * scale if "lora_B" in name else t for name, t in stored.items()}
        save_file(tensors, into / WEIGHTS, metadata={"format": "pt"})

    def forget(self, adapter: Path) -> None:
        """Drop the adapter of this folder from memory, as when its weights are unlearned."""
        self._slots.forget(adapter)

    def share_cores(self, shared: bool) -> None:
        """From now on the calling thread takes half of the cores that it may use, or all of them."""
        wanted = max(1, self._cores // 2) if shared else self._cores
        if torch.get_num_threads() != wanted:
            torch.set_num_threads(wanted)


def _located(name: str | Path | Checkpoint) -> Checkpoint:
    if isinstance(name, Checkpoint):
        return name
    return gguf_model.located(Path(name)) if gguf_header.is_gguf(name) else checkpoint.locate(name)


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices grouped by length, longest first, with rows times longest within `budget` (one row at least)."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
