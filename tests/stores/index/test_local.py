from __future__ import annotations

import subprocess
import sys

import pytest

from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.stores.index.local import LARGEST, LocalVectorIndex
from hybridmem.testing.index_conformance import ANA, BEN, VectorIndexConformance, unit_vectors


class TestSmallNamespaces(VectorIndexConformance):
    @pytest.fixture
    def index(self, tmp_path):
        opened = LocalVectorIndex(tmp_path / "vectors")
        yield opened
        opened.close()


class TestNamespacesThatGrow(VectorIndexConformance):
    @pytest.fixture
    def index(self, tmp_path):
        opened = LocalVectorIndex(tmp_path / "vectors", largest=12)
        yield opened
        opened.close()


def test_a_namespace_that_grows_goes_on_in_chroma(tmp_path):
    vectors = unit_vectors(40)
    index = LocalVectorIndex(tmp_path, largest=10)
    index.upsert(BEN, ["ep_0"], vectors[:1])
    for row in range(30):
        index.upsert(ANA, [f"ep_{row}"], vectors[row : row + 1])
    assert index.delete(ANA, ["ep_3", "ep_29"]) == 2
    assert index.count(ANA) == 28
    assert {index.query(ANA, vectors[row], 1)[0][0] for row in (0, 15, 28)} == {"ep_0", "ep_15", "ep_28"}
    assert list(index.scan([ANA, BEN], vectors[0])) == [BEN]
    index.close()
    in_chroma = ChromaIndex(tmp_path)
    assert (in_chroma.count(ANA), in_chroma.count(BEN)) == (28, 0)
    in_chroma.close()


def test_the_folder_of_an_earlier_version_is_read_where_it_is(tmp_path):
    vectors = unit_vectors(6)
    before = ChromaIndex(tmp_path)
    before.upsert(ANA, ["ep_0", "ep_1"], vectors[:2])
    before.close()
    index = LocalVectorIndex(tmp_path)
    assert index.query(ANA, vectors[1], 1)[0][0] == "ep_1"
    index.upsert(ANA, ["ep_2"], vectors[2:3])
    index.upsert(BEN, ["ep_3"], vectors[3:4])
    assert (list(index.ids(ANA)), list(index.scan([ANA, BEN], vectors[0]))) == (["ep_0", "ep_1", "ep_2"], [BEN])
    index.clear()
    index.upsert(ANA, ["ep_4"], vectors[4:5])
    assert list(index.scan([ANA], vectors[4])[ANA]) == ["ep_4"]
    index.close()


def test_what_was_deleted_after_a_killed_hand_over_stays_deleted(tmp_path):
    vectors = unit_vectors(5)
    chroma = ChromaIndex(tmp_path)
    index = LocalVectorIndex(tmp_path, largest=2)
    index.upsert(ANA, ["ep_0", "ep_1"], vectors[:2])
    chroma.upsert(ANA, ["ep_0", "ep_1", "ep_gone"], vectors[[0, 1, 4]])  # copied, and killed before it was told
    index.delete(ANA, ["ep_0"])
    index.upsert(ANA, ["ep_2", "ep_3"], vectors[2:4])
    assert list(index.ids(ANA)) == ["ep_1", "ep_2", "ep_3"]
    index.close()
    chroma.close()


def test_a_small_memory_never_loads_chroma(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from hybridmem.stores.index.local import LocalVectorIndex\n"
        "from hybridmem.testing.index_conformance import ANA, unit_vectors\n"
        f"index = LocalVectorIndex(Path({str(tmp_path)!r}))\n"
        f"index.upsert(ANA, [str(row) for row in range({LARGEST})], unit_vectors({LARGEST}))\n"
        "index.query(ANA, unit_vectors(1)[0], 5); index.query(('x',), unit_vectors(1)[0], 5)\n"
        "index.delete(ANA, ['3']); index.clear(); index.close()\n"
        "assert 'chromadb' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
