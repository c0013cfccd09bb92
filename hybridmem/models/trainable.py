"""What a dream asks of a model beyond what `base.LanguageModel` promises: to be trained, and to be measured.

The model owns the mechanism (forward and backward passes, the optimizer, the memory that they take); the dream owns
the policy (which rows, in which order, against which objectives). Nothing here loads torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast, runtime_checkable

from hybridmem.core.errors import ModelError
from hybridmem.models.base import LanguageModel
from hybridmem.models.prompts import Message

if TYPE_CHECKING:
    from torch import Tensor

    LoraUpdate = tuple[Tensor, Tensor]
    """(rank, inputs) and (outputs, rank), with the scale in the second: times each other, what is added to a weight."""

Combination = Literal["cat", "svd", "ties", "dare"]
"""How two adapters become one: their sum, with the ranks of both (``cat``) or cut to one rank (``svd``); the signs that
both agree on (``ties``, Yadav et al. 2023, arXiv:2306.01708); or a random part of each, scaled up (``dare``, Yu et al.
2023, arXiv:2311.03099)."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a batch, in token ids."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    teacher_prompt: tuple[int, ...]
    """What the base reads when it teaches: the prompt with the memory in it, or the same prompt to be preserved."""
    gold: bool
    """Whether `completion` is the right answer, or just text whose distribution is to be kept."""

    @property
    def tokens(self) -> int:
        """What a step trains on: the prompt and the completion."""
        return len(self.prompt) + len(self.completion)

    @property
    def predicted(self) -> int:
        """Completion tokens that are predicted: the first has nothing before it where there is no prompt."""
        return len(self.completion) - (0 if self.prompt else 1)

    @property
    def closed_book(self) -> bool:
        """Whether it asks for an answer that does not stand in its prompt."""
        return self.gold and self.prompt != self.teacher_prompt


@dataclass(frozen=True, slots=True)
class TeacherPredictions:
    """What the teacher finds the most probable at each of n predicted tokens; the rest is one tail."""

    tokens: Tensor
    """int64 (n, k)"""
    logprobs: Tensor
    """float32 (n, k)"""
    agrees: Tensor
    """bool (n,): whether the teacher's first choice is the target."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model in training predicted for some rows of a step, as an objective reads it."""

    logprobs: Tensor
    """float32 (n, vocabulary): of every predicted token of every row."""
    targets: Tensor
    """int64 (n,): the tokens that stand there."""
    gold: Tensor
    """bool (n,): whether the token belongs to a right answer."""
    answer_tokens: int
    """Predicted tokens of right answers in the whole step, of which these rows may be a part; at least 1."""
    text_tokens: int
    """Other predicted tokens in the whole step; at least 1."""
    rows: tuple[Example, ...] = ()
    """Whose tokens they are, in this order."""
    teacher: TeacherPredictions | None = None
    """None where no objective needs a teacher."""


class Objective(Protocol):
    """What a training minimises. A step's loss is the sum of its objectives, each times its weight."""

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    @property
    def needs_teacher(self) -> bool:
        """Whether it compares with what the bare base predicts."""
        ...

    def covers(self, example: Example) -> bool:
        """Whether it pulls on such a row at all."""
        ...

    def loss(self, predictions: Predictions) -> Tensor:
        """Its share of the step's loss, a scalar in nats per token: over the parts of a step, the shares add up."""
        ...


class Penalty(Protocol):
    """What a training adds to its loss for the adapter itself, whatever the rows of a step are."""

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    def loss(self, update: Mapping[str, LoraUpdate], before: Mapping[str, LoraUpdate]) -> Tensor:
        """A scalar. By path of the layer: `update` of the adapter in training, with gradients, and `before` of the one
        that it goes on from or that lies beneath it; empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Recall:
    """How well a model knows one answer that it reads nowhere."""

    loss: float
    """Median over the answer's tokens of their nats."""
    margin: float
    """Smallest lead of a token's log-probability over the best other token's; below 0 where greedy decoding fails."""


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """The shape of a new adapter and of its optimizer's steps."""

    rank: int
    """Inner size of the two LoRA matrices beside each weight."""
    alpha: int
    """What the matrices add is scaled by alpha / rank."""
    targets: str
    """The modules that get LoRA matrices, as `huggingface.lora.target_layers` reads it."""
    momentum: float
    """The optimizer's momentum."""
    weight_decay: float
    """Weight decay of the adapter alone."""
    bf16: bool
    """Whether forward passes run in bfloat16 where the hardware multiplies it."""


@dataclass(frozen=True, slots=True)
class FullRank:
    """Updates of the adapted weights that may be any matrix, rather than a product of the recipe's rank."""

    protected: float = 0.0
    """Proportion of the singular directions of each weight, as it is before the training, that an update neither reads
    nor writes: the largest. 0 protects none."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What a model must know before the first step."""

    adapter: AdapterSettings
    examples: tuple[Example, ...]
    """Every row that a step may hold, once each."""
    objectives: tuple[Objective, ...]
    top_k: int
    """Teacher probabilities kept for each token; the rest is one tail."""
    certain: float
    """An answer is known once each of its tokens has at least this probability."""
    seed: int
    parent: Path | None = None
    """The adapter to go on from; None to start from the bare base."""
    refit_parent: bool = False
    """Whether a parent of another rank is cut to this one's, by its largest singular values, or refused."""
    beneath: Path | None = None
    """An adapter that is in force beneath the new one, and stays as it is."""
    penalties: tuple[Penalty, ...] = ()
    full_rank: FullRank | None = None
    """None for updates of the rank that `adapter` names."""


@dataclass(frozen=True, slots=True)
class WeightEdit:
    """Facts to write into weights in closed form, all at once."""

    facts: tuple[tuple[Example, ...], ...]
    """By fact: its questions. Each becomes a key."""
    general: tuple[tuple[int, ...], ...]
    """Rows of token ids of text whose keys must go on giving what they give."""
    parent: Path | None
    """The adapter to go on from; None to edit the bare base."""
    steps: int
    """Gradient steps on the values that stand for the facts, at most; the weights see none."""

    @property
    def step_tokens(self) -> int:
        """Tokens that such a step reads, prompts included."""
        return sum(row.tokens for fact in self.facts for row in fact)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step of a training measured."""

    loss: float
    known: float
    """Proportion of the step's closed-book answers that were known before it; 1.0 where it had none."""
    tokens: int
    """Tokens of the step's rows, prompts included."""


class TrainingAdapter(Protocol):
    """An adapter in training."""

    @property
    def teacher_tokens(self) -> int:
        """Tokens that the teacher read before the first step."""
        ...

    def step(self, rows: Sequence[Example], learning_rate: float) -> StepResult:
        """One optimizer step on `rows`. Raises `ModelTooLarge` where not even one row at a time fits into memory."""
        ...

    def save_checkpoint(self, path: Path, state: Mapping[str, str]) -> None:
        """Write the adapter, the optimizer and `state` to the file `path`, whole or not at all."""
        ...

    def load_checkpoint(self, path: Path) -> dict[str, str]:
        """Go on from what `save_checkpoint` wrote, exactly; returns its `state`."""
        ...

    def importance(self, rows: Sequence[Example]) -> Mapping[str, Tensor]:
        """By path of the layer, float32 (outputs, inputs): the mean over `rows` of the squared gradient of a row's
        log-likelihood in the entries of the adapted weight, the diagonal of the empirical Fisher information.

        Empty for a model without weights."""
        ...

    def top_predictions(self, rows: Sequence[Example], k: int) -> list[tuple[Tensor, Tensor]]:
        """For each row, (tokens, log-probabilities), each (predicted tokens, k): what the adapter in training finds the
        most probable. Empty for a model without weights."""
        ...

    def save(self, folder: Path) -> None:
        """Write the adapter's files into `folder`."""
        ...


class TrainableModel(LanguageModel, Protocol):
    """A language model that a dream can train. `testing.trainable_conformance` is the suite that each must pass."""

    def render_pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]:
        """(ids of the prompt, ids of the completion and the end of the turn)."""
        ...

    def encode_text(self, text: str) -> list[int]:
        """Token ids of plain text, without special tokens."""
        ...

    def cross_entropy(self, rows: Sequence[Sequence[int]]) -> float:
        """Nats per token of `rows` of token ids, with whatever adapter is in force; 0.0 for no rows."""
        ...

    def training(self, job: TrainingJob) -> AbstractContextManager[TrainingAdapter]:
        """Within this context a new adapter is in training; at its end it leaves the model, which is as it was.

        Raises `AdapterError` for a parent of another shape, or while another adapter is in training."""
        ...

    def edit(self, edit: WeightEdit, into: Path) -> StepResult:
        """Write to the folder `into` the adapter that holds the parent's update and the edit."""
        ...

    def recall(self, rows: Sequence[Example], adapter: Path | None) -> list[Recall]:
        """How well the model with `adapter` knows the completion of each row behind its prompt."""
        ...

    def combine(self, adapters: Sequence[Path], how: Combination, into: Path, *, rank: int, seed: int) -> None:
        """Write to the folder `into` one adapter made of `adapters`: of `rank`, or for ``cat`` of the sum of theirs.
        The same `seed` gives the same draw."""
        ...

    def scale_adapter(self, adapter: Path, scale: float, into: Path) -> None:
        """Write to the folder `into` a copy of `adapter` whose update of the base is `scale` times as large."""
        ...

    def forget(self, adapter: Path) -> None:
        """Drop the adapter of this folder from memory, as when its weights are unlearned."""
        ...


@runtime_checkable
class SharesCores(Protocol):
    """A model whose work on the processor can leave some of it to others."""

    def share_cores(self, shared: bool) -> None:
        """From now on the calling thread takes half of the cores that it may use, or all of them."""
        ...


def require_trainable(model: LanguageModel) -> TrainableModel:
    """`model`, when a dream can train it. Raises `ModelError`."""
    if not callable(getattr(model, "training", None)):
        raise ModelError(
            f"the model {model.name!r} cannot be trained: open the memory with a Hugging Face model, by its name or "
            f"its folder"
        )
    return cast(TrainableModel, model)
