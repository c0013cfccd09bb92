from __future__ import annotations

import subprocess
import sys

import pytest

from hybridmem.core.errors import CorruptStore
from hybridmem.stores.index.graph import GraphIndex
from hybridmem.testing.index_conformance import ANA, BEN, GraphIndexConformance, episode


@pytest.fixture
def index(tmp_path):
    return GraphIndex(tmp_path / "graph")


class TestGraphIndex(GraphIndexConformance):
    @pytest.fixture
    def index(self, tmp_path):
        return GraphIndex(tmp_path / "graph")


def file_of(tmp_path):
    (path,) = (tmp_path / "graph").glob("*.jsonl")
    return path


def found(index, text):
    return [id for id, _ in index.query(ANA, text, 100)]


def test_it_holds_names_and_no_other_text(index, tmp_path):
    index.upsert(ANA, [episode("ep_0", "I secretly admire Zane Kolu.")])
    written = file_of(tmp_path).read_bytes()
    assert b"zane kolu" in written
    assert b"admire" not in written
    assert b"secretly" not in written


@pytest.mark.parametrize("how", ["delete", "replace", "clear"])
def test_no_byte_of_a_removed_name_stays(index, tmp_path, how):
    index.upsert(ANA, [episode("ep_0", "I admire Zane Kolu.")])
    index.upsert(ANA, [episode("ep_1", "Brunhilde is in Oslo.")])
    if how == "delete":
        index.delete(ANA, ["ep_0", "ep_1"])
    elif how == "replace":
        index.upsert(ANA, [episode("ep_0", "nobody"), episode("ep_1", "nobody")])
    else:
        index.clear()
    left = b"".join(path.read_bytes() for path in (tmp_path / "graph").iterdir())
    for name in (b"zane", b"kolu", b"brunhilde", b"oslo"):
        assert name not in left.lower()


def test_other_indexes_on_the_folder_see_every_change(index, tmp_path):
    other = GraphIndex(tmp_path / "graph")
    index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
    assert found(other, "Zane Kolu") == ["ep_0"]
    other.upsert(ANA, [episode("ep_1", "I know Zane Kolu.")])
    assert found(index, "Zane Kolu") == ["ep_0", "ep_1"]
    index.delete(ANA, ["ep_0"])
    assert found(other, "Zane Kolu") == ["ep_1"]
    other.clear()
    assert index.count(ANA) == 0
    index.upsert(ANA, [episode("ep_2", "I like Zane Kolu.")])
    assert found(other, "Zane Kolu") == ["ep_2"]


def test_processes_that_write_at_the_same_time_lose_nothing(index, tmp_path):
    program = (
        "import sys; from pathlib import Path; from hybridmem.stores.index.graph import GraphIndex\n"
        "from hybridmem.testing.index_conformance import ANA, episode\n"
        "index = GraphIndex(Path(sys.argv[1]))\n"
        "for row in range(40):\n"
        "    index.upsert(ANA, [episode(f'ep_{sys.argv[2]}_{row}', 'I saw Zane Kolu.')])\n"
        "    if row % 4 == 0: index.delete(ANA, [f'ep_{sys.argv[2]}_{row}'])\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "graph"), name]) for name in "ab"]
    assert [other.wait() for other in others] == [0, 0]
    assert set(index.ids(ANA)) == {f"ep_{name}_{row}" for name in "ab" for row in range(40) if row % 4}


def test_half_a_line_of_a_killed_writer_is_overwritten(index, tmp_path):
    index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
    with file_of(tmp_path).open("ab") as stream:
        stream.write(b'{"id":"ep_1","names":["za')
    again = GraphIndex(tmp_path / "graph")
    assert list(again.ids(ANA)) == ["ep_0"]
    again.upsert(ANA, [episode("ep_2", "I saw Zane Kolu.")])
    assert list(GraphIndex(tmp_path / "graph").ids(ANA)) == ["ep_0", "ep_2"]


def test_writing_the_same_again_leaves_the_file_alone(index, tmp_path):
    index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
    before = file_of(tmp_path).stat()
    index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
    index.delete(ANA, ["nowhere"])
    after = file_of(tmp_path).stat()
    assert (before.st_ino, before.st_mtime_ns, before.st_size) == (after.st_ino, after.st_mtime_ns, after.st_size)


@pytest.mark.parametrize(
    "content", [b"no json\n", b'{"format": 99}\n', b'{"format": 1}\n{"id": 3\n', b'{"format": 1}\n[]\n']
)
def test_a_damaged_file_is_named(index, tmp_path, content):
    index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
    file_of(tmp_path).write_bytes(content)
    with pytest.raises(CorruptStore, match=r"\.jsonl.*hybridmem reindex"):
        GraphIndex(tmp_path / "graph").count(ANA)


def test_rare_entities_pull_more_than_common_ones(index):
    index.upsert(ANA, [episode(f"ep_{row}", "tea", speaker="Caroline") for row in range(20)])
    index.upsert(ANA, [episode("ep_rare", "I liked Oslo.", speaker="Mel")])
    assert found(index, "Did Caroline like Oslo?")[0] == "ep_rare"


def test_namespaces_have_files_of_their_own(index, tmp_path):
    index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
    index.upsert(BEN, [episode("ep_1", "I saw Zane Kolu.", namespace=BEN)])
    assert len(list((tmp_path / "graph").glob("*.jsonl"))) == 2
    assert found(index, "Zane Kolu") == ["ep_0"]
    assert index.entities(ANA) == {"ep_0": ["zane kolu"]}


def test_times_and_abbreviations_of_common_words_are_no_entities(index):
    said = "In December the DB that Zane Kolu runs failed, on a Monday at 5 PM. It is May now."
    index.upsert(ANA, [episode("ep_0", said)])
    assert {name for name, _ in index.neighbourhood(ANA, None, 9).entities} == {"zane kolu", "may"}
