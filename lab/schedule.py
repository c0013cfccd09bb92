"""The learning rate's course: warmup, plateau, fall (warmup-stable-decay, Hu et al. 2024, arXiv:2404.06395)."""

from __future__ import annotations


def rate_factor(step: int, share: float, *, warmup_steps: int, decay_share: float) -> float:
    """The factor of a learning rate at `step`, when `share` of the training is over; it falls in the last
    `decay_share`.

    >>> rate_factor(29, 0.0, warmup_steps=60, decay_share=0.6), rate_factor(99, 0.4, warmup_steps=60, decay_share=0.6)
    (0.5, 1.0)
    >>> rate_factor(300, 0.7, warmup_steps=60, decay_share=0.6), rate_factor(400, 1.0, warmup_steps=60, decay_share=0.6)
    (0.5, 0.0)
    """
    return min(1.0, (step + 1) / warmup_steps, max(0.0, (1 - share) / decay_share))
