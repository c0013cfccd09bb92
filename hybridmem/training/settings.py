"""The numbers of a training: the adapter, its optimizer, and what the rows of a step are."""

from __future__ import annotations

from dataclasses import dataclass

from hybridmem.models.trainable import AdapterSettings


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """The LoRA adapter (Hu et al. 2021, arXiv:2106.09685), its optimizer, and what a step's rows are."""

    rank: int = 32
    """Inner size of the two LoRA matrices beside each weight."""
    alpha: int = 32
    """What the matrices add is scaled by alpha / rank."""
    targets: str = "all-linear"
    """The modules that get them, as PEFT's `target_modules` names them."""
    learning_rate: float = 0.025
    """Muon's (Jordan et al. 2024), at its highest, behind the warmup."""
    momentum: float = 0.9
    """Muon's momentum."""
    weight_decay: float = 0.0
    """Weight decay of the adapter alone."""
    warmup: float = 0.1
    """Share of the steps with a rising learning rate."""
    exposures: int = 70
    """How often each new fact is seen at most, all its questions together."""
    stop_threshold: float = 0.97
    """Share of a step's closed-book answers that are certain, over three steps, from which on the training only cools
    down; above 1 it runs for all its exposures."""
    min_steps: int = 16
    """Fewest steps, even for a single new fact."""
    max_steps: int = 60
    """Most steps, however many facts are new: it bounds a night's cost. A night that builds the weights anew may
    take as many for every 32 facts that they hold."""
    token_budget: int = 0
    """Tokens that a night trains on at most, prompts included, whatever the strategy: it takes as many steps as fit, in
    the place of `exposures`, `min_steps` and `max_steps`, and fewer where `stop_threshold` ends it. 0 is no budget."""
    new_rows: int = 24
    """Rows of a step that are exercises on new facts."""
    old_rows: int = 20
    """Rows that replay older facts."""
    refusal_rows: int = 10
    """Rows whose right answer is "I don't know"."""
    reading_rows: int = 2
    """Rows that answer from memories in their context."""
    unrelated_rows: int = 0
    """Rows that have nothing to do with any memory, with the base's own answers: it goes on to give them."""
    general_rows: int = 1
    """Rows of general text, on which the adapted model is held to the base."""
    general_tokens: int = 96
    """Length of each of those."""
    certain: float = 0.9
    """Answer tokens that the student gives at least this probability get no cross-entropy: they are known."""
    distill_weight: float = 0.5
    """Weight of context distillation against the cross-entropy on the answer."""
    preserve_weight: float = 1.0
    """Weight of KL(base || adapted) on general text."""
    penalty_weight: float = 1.0
    """Weight of what a strategy charges for moving weights, where it does (`ewc`, `o-lora`), relative to the strategy's
    own."""
    top_k: int = 64
    """Teacher probabilities kept for each token; the rest is one tail."""
    bf16: bool = True
    """Whether the training's forward passes run in bfloat16, where the hardware multiplies it; elsewhere float32."""
    replay_exercises: int = 768
    """Exercises on older facts, and refusals, that a night draws from at most: it bounds what the teacher reads as
    facts gather."""
    reading_exercises: int = 96
    """Reading exercises that a night draws from, at most."""
    general_exercises: int = 48
    """Rows of general text that a night draws from, at most."""
    checkpoint_seconds: float = 20.0
    """How often the training is saved, so that a killed dream goes on from there."""

    @property
    def adapter(self) -> AdapterSettings:
        """The part that the model must know."""
        return AdapterSettings(
            rank=self.rank,
            alpha=self.alpha,
            targets=self.targets,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            bf16=self.bf16,
        )

    def steps_for(self, new_facts: int, *, bounded: bool = True, nights: int = 1) -> int:
        """Steps that give each of `new_facts` its exposures: within `min_steps` and the `max_steps` of so many nights,
        or, not `bounded`, however many it takes."""
        wanted = -(-self.exposures * new_facts // self.new_rows)
        return max(self.min_steps, min(self.max_steps * max(1, nights), wanted) if bounded else wanted)
