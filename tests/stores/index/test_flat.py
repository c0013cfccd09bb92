from __future__ import annotations

import pytest

from hybridmem.core.errors import EmbeddingMismatch, InvalidInput
from hybridmem.stores.index.flat import FlatVectorIndex
from hybridmem.testing.index_conformance import ANA, BEN, DIMENSION, VectorIndexConformance, unit_vectors


@pytest.fixture
def index(tmp_path):
    opened = FlatVectorIndex(tmp_path / "flat.sqlite3")
    opened.begin()
    yield opened
    opened.close()


class TestFlatVectorIndex(VectorIndexConformance):
    @pytest.fixture
    def index(self, tmp_path):
        opened = FlatVectorIndex(tmp_path / "flat.sqlite3")
        opened.begin()
        yield opened
        opened.close()


def test_it_is_there_when_it_is_opened_again(index, tmp_path):
    vectors = unit_vectors(3)
    index.upsert(ANA, ["ep_0", "ep_1", "ep_2"], vectors)
    again = FlatVectorIndex(tmp_path / "flat.sqlite3")
    assert (again.is_new, again.query(ANA, vectors[1], 1)) == (False, [("ep_1", pytest.approx(1.0, abs=1e-5))])
    again.close()


def test_what_is_deleted_or_replaced_leaves_no_byte(index, tmp_path):
    vectors = unit_vectors(40)

    def on_disk(row):
        return any(vectors[row].tobytes() in path.read_bytes() for path in tmp_path.iterdir())

    index.upsert(ANA, [f"ep_{row}" for row in range(30)], vectors[:30])
    assert on_disk(3)
    index.delete(ANA, ["ep_3"])
    index.upsert(ANA, ["ep_4"], vectors[39:])
    assert (on_disk(3), on_disk(4), on_disk(39)) == (False, False, True)
    index.clear()
    assert not any(on_disk(row) for row in range(40))


def test_another_dimension_is_refused(index):
    index.upsert(ANA, ["ep_0"], unit_vectors(1))
    other = unit_vectors(1, dimension=DIMENSION * 2)
    with pytest.raises(EmbeddingMismatch, match=r"16 dimensions, not 32.*hybridmem reindex"):
        index.upsert(ANA, ["ep_1"], other)
    with pytest.raises(EmbeddingMismatch, match="hybridmem reindex"):
        index.query(ANA, other[0], 1)


def test_ids_and_vectors_must_be_as_many(index):
    with pytest.raises(InvalidInput, match="2 ids came with 1 vectors"):
        index.upsert(ANA, ["ep_0", "ep_1"], unit_vectors(1))


def test_many_namespaces_are_compared_at_once(index):
    vectors = unit_vectors(1_300)
    every = [("users", str(number)) for number in range(1_200)]
    for number, namespace in enumerate(every):
        index.upsert(namespace, [f"ep_{number}"], vectors[number : number + 1])
    index.upsert(every[5], ["ep_long"] * 50, vectors[1_200:1_250])
    found = index.scan([*every[:1_100], BEN], vectors[7])
    assert list(found) == [*every[:1_100], BEN]
    assert found[BEN] == {}
    assert found[every[7]] == pytest.approx({"ep_7": 1.0}, abs=1e-5)
    assert found[every[5]] == pytest.approx(
        {
            "ep_5": float(vectors[5] @ vectors[7]),
            "ep_long": max(float(row @ vectors[7]) for row in vectors[1_200:1_250]),
        },
        abs=1e-5,
    )


def test_what_is_handed_over_is_elsewhere(index):
    vectors = unit_vectors(3)
    index.upsert(ANA, ["ep_0", "ep_0", "ep_1"], vectors)
    with pytest.raises(RuntimeError), index.handing_over(ANA):
        raise RuntimeError("the other index is full")
    assert index.count(ANA) == 2
    with index.handing_over(ANA) as (ids, every):
        assert (ids, every.tolist()) == (["ep_0", "ep_0", "ep_1"], vectors.tolist())
    assert (index.count(ANA), index.is_elsewhere(ANA), index.is_elsewhere(BEN)) == (0, True, False)
    assert index.put(ANA, ["ep_2"], vectors[:1]) is False
    assert list(index.scan([ANA, BEN], vectors[0])) == [BEN]
