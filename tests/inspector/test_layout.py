from __future__ import annotations

from itertools import combinations

import pytest

from hybridmem.inspector.layout import MARGIN, ROOM, spread

STAR = [(0, other, 9 - other % 3) for other in range(1, 28)]
CLUSTER = [*((a, b, 1000) for a, b in combinations(range(24), 2)), (0, 24, 1), (0, 25, 1), (3, 26, 1)]
"""Many that share much, and a few far off."""
CLIQUE = [(a, b, 5) for a, b in combinations(range(20), 2)]


@pytest.mark.parametrize("pinned", [False, True])
@pytest.mark.parametrize(
    ("count", "links"), [(28, STAR), (20, CLIQUE), (28, CLUSTER), (28, []), (5, [(0, 1, 1)]), (2, [(0, 1, 3)])]
)
def test_every_entity_has_room_for_its_name_within_the_drawing(
    count: int, links: list[tuple[int, int, int]], pinned: bool
) -> None:
    places = spread(count, links, 1000, 640, pinned=pinned)
    assert len(places) == count
    assert all(MARGIN <= x <= 1000 - MARGIN and MARGIN <= y <= 640 - MARGIN for x, y in places)
    close = [
        (a, b) for a, b in combinations(places, 2)
        if abs(a[0] - b[0]) < 0.8 * ROOM[0] and abs(a[1] - b[1]) < 0.8 * ROOM[1]
    ]  # fmt: skip
    assert close == []
    assert places == spread(count, links, 1000, 640, pinned=pinned), "the same links, the same drawing"
    if pinned:
        assert places[0] == (500, 320)


def test_those_that_share_most_stand_nearest() -> None:
    links = [(0, 1, 30), *((0, other, 1) for other in range(2, 12))]
    places = spread(12, links, 1000, 640, pinned=True)
    far = sorted(((x - 500) ** 2 + (y - 320) ** 2) ** 0.5 for x, y in places[2:])
    assert ((places[1][0] - 500) ** 2 + (places[1][1] - 320) ** 2) ** 0.5 <= far[2]


def test_of_few_the_middle() -> None:
    assert spread(0, [], 1000, 640) == []
    assert spread(1, [], 1000, 640) == [(500, 320)]
