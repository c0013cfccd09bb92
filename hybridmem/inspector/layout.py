"""Places for the entities of a drawing: springs along links, repulsion everywhere (Fruchterman and Reingold, 1991)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEPS = 160
MARGIN = 70.0
ROOM = (118.0, 56.0)
"""Width and height of an entity with its name."""
PARTINGS = 150

Places = NDArray[np.float64]


def spread(
    count: int, links: Sequence[tuple[int, int, int]], width: float, height: float, *, pinned: bool = False
) -> list[tuple[float, float]]:
    """(x, y) of each of `count` entities within `width` times `height`, deterministic for the same links.

    `links` are (entity, entity, strength). With `pinned`, the first stands in the middle."""
    if count == 0:
        return []
    if count == 1:
        return [(width / 2, height / 2)]
    # Start on a sunflower's spiral: all places differ, and no random numbers are needed.
    turn = np.arange(count) * np.pi * (3 - 5**0.5)
    at = np.stack([np.cos(turn), np.sin(turn)], axis=1) * np.sqrt(np.arange(count) / count)[:, None]
    pull = np.zeros((count, count))
    strongest = max((strength for *_, strength in links), default=1)
    for a, b, strength in links:
        pull[a, b] = pull[b, a] = 0.15 + 0.85 * (strength / strongest) ** 0.5
    ideal = 0.9 / count**0.5
    for step in range(STEPS):
        apart = at[:, None, :] - at[None, :, :]
        distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-3)
        force = (ideal**2 / distance**2 - pull * distance / ideal * 0.35)[:, :, None] * apart
        moved = force.sum(axis=1) - 0.1 * at
        length = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        at = at + moved / length * np.minimum(length, 0.12 * (1 - step / STEPS))
        if pinned:
            at = at - at[0]
    scaled = np.stack([_evened(axis, pinned=pinned) for axis in at.T], axis=1)
    side = np.array([width - 2 * MARGIN, height - 2 * MARGIN])
    placed = _parted(scaled * side + MARGIN, side, pinned=pinned)
    return [(round(float(x), 1), round(float(y), 1)) for x, y in placed]


def _evened(values: Places, *, pinned: bool) -> Places:
    """`values` along one axis scaled to 0 to 1, half by value and half by rank, so that an outlier does not shrink the
    rest to a point. With `pinned`, the first is in the middle."""
    if pinned:
        evened = np.full(len(values), 0.5)
        for sign in (-1, 1):
            beyond = np.flatnonzero(values * sign > 0)
            if len(beyond):
                far = values[beyond] * sign
                evened[beyond] += sign * 0.25 * (far / far.max() + (far.argsort().argsort() + 1) / len(beyond))
        return evened
    reach = max(float(np.ptp(values)), 1e-9)
    return np.asarray(0.5 * (values - values.min()) / reach + 0.5 * values.argsort().argsort() / (len(values) - 1))


def _parted(at: Places, side: Places, *, pinned: bool) -> Places:
    """`at` with room for a name below each place: overlaps are pushed apart along the axis with the smaller overlap."""
    count = len(at)
    # The order decides how places at the same height, or at the same point, are pushed apart.
    order = np.sign(np.arange(count)[:, None] - np.arange(count)[None, :]).astype(float)
    for _ in range(PARTINGS):
        apart = at[:, None, :] - at[None, :, :]
        missing = np.array(ROOM) - np.abs(apart)
        meets = (missing > 0).all(axis=2) & (order != 0)
        if not meets.any():
            break
        sideways = missing[:, :, 0] / ROOM[0] < missing[:, :, 1] / ROOM[1]
        along = np.stack([sideways, ~sideways], axis=2) & meets[:, :, None]
        way = np.where(apart == 0, order[:, :, None], np.sign(apart))
        moved = at + (way * missing * along).sum(axis=1) * 0.3
        if pinned:
            moved[0] = at[0]
        at = np.clip(moved, MARGIN, side + MARGIN)
    return at
