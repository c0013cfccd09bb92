from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hybridmem.core.errors import EmbeddingMismatch, InvalidInput, StoreError
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.testing.index_conformance import ANA, BEN, DIMENSION, VectorIndexConformance, unit_vectors
from tests import scripts
from tests.chroma_server import chroma_server


@pytest.fixture
def index(tmp_path):
    opened = ChromaIndex(tmp_path / "vectors")
    yield opened
    opened.close()


class TestChromaFolder(VectorIndexConformance):
    @pytest.fixture
    def index(self, tmp_path):
        opened = ChromaIndex(tmp_path / "vectors")
        yield opened
        opened.close()


ADD = """
import sys
from pathlib import Path
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.testing.index_conformance import ANA, unit_vectors
folder, first, last, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
index = ChromaIndex(folder)
vectors = unit_vectors(last)
for row in range(first, last, step):
    rows = range(row, min(row + step, last))
    index.upsert(ANA, [f"ep_{row}" for row in rows], vectors[rows.start:rows.stop])
    assert index.query(ANA, vectors[row], 1)[0][0] == f"ep_{row}"
"""


FILLED = """
import sys
from pathlib import Path
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.testing.index_conformance import ANA, unit_vectors
folder, vectors = Path(sys.argv[1]), unit_vectors(1300)
# The first forty stay in Chroma's log; they are opened there, and all are written to the graph.
for first, last in ((0, 40), (40, 1300)):
    index = ChromaIndex(folder)
    index.upsert(ANA, [f"ep_{row}" for row in range(first, last)], vectors[first:last])
    index.query(ANA, vectors[0], 1)
    for path in folder.glob("database/*/*.bin"):
        held = path.read_bytes()
        assert bytes([165]) * 16 not in held and bytes([255 - 165]) * 16 not in held, (last, path.name)
    index.close()
"""


def test_no_file_holds_what_memory_held_before(index, tmp_path):
    """glibc fills what it allocates and frees with a byte: Chroma wrote its files full of it."""
    filled = {**os.environ, "MALLOC_PERTURB_": "165"}
    subprocess.run([sys.executable, "-c", FILLED, str(tmp_path / "vectors")], env=filled, check=True)
    assert missing(index, unit_vectors(1300)) == []


def start_adding(folder, first, last, step):
    return scripts.Popen([sys.executable, "-c", ADD, str(folder), str(first), str(last), str(step)])


def missing(index, vectors):
    """Of every tenth row, those whose own vector does not find them."""
    rows = range(0, len(vectors), 10)
    return [row for row in rows if index.query(ANA, vectors[row], 1)[0][0] != f"ep_{row}"]


def test_what_another_process_writes_is_seen_at_once_and_never_lost(index, tmp_path):
    """Without a lock and reopening, Chroma lost nearly all that two processes wrote in turn."""
    vectors = unit_vectors(2600)

    def add(first, last):
        index.upsert(ANA, [f"ep_{row}" for row in range(first, last)], vectors[first:last])

    add(0, 300)
    assert start_adding(tmp_path / "vectors", 300, 600, 300).wait() == 0
    assert missing(index, vectors[:600]) == []
    # Chroma writes its graph to disk after every thousand vectors: cross that on both sides.
    assert start_adding(tmp_path / "vectors", 600, 1800, 400).wait() == 0
    add(1800, 2600)
    assert missing(index, vectors) == []
    index.close()
    reopened = ChromaIndex(tmp_path / "vectors")
    assert missing(reopened, vectors) == []
    assert reopened.count(ANA) == 2600
    reopened.close()


def test_processes_and_threads_that_write_at_the_same_time_lose_nothing(index, tmp_path):
    vectors = unit_vectors(400)
    others = [start_adding(tmp_path / "vectors", 0, 100, 20), start_adding(tmp_path / "vectors", 100, 200, 20)]

    def add(first):
        for row in range(first, first + 100, 20):
            index.upsert(ANA, [f"ep_{number}" for number in range(row, row + 20)], vectors[row : row + 20])

    threads = [threading.Thread(target=add, args=(first,)) for first in (200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    assert missing(index, vectors) == []


def test_two_indexes_of_one_process_share_a_folder(index, tmp_path):
    other = ChromaIndex(tmp_path / "vectors")
    index.upsert(ANA, ["ep_0"], unit_vectors(1))
    assert other.count(ANA) == 1
    index.clear()
    assert other.count(ANA) == 0
    other.close()
    index.upsert(ANA, ["ep_1"], unit_vectors(1))
    assert list(index.ids(ANA)) == ["ep_1"]


def test_clearing_removes_every_byte(index, tmp_path):
    vectors = unit_vectors(1200)

    def on_disk():
        return any(vectors[5, :4].tobytes() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    index.upsert(ANA, [f"ep_{row}" for row in range(1200)], vectors)
    assert on_disk()
    index.clear()
    assert not on_disk()
    assert not (tmp_path / "vectors" / "database").exists()


def test_another_dimension_is_refused(index):
    index.upsert(ANA, ["ep_0"], unit_vectors(1))
    other = unit_vectors(1, dimension=DIMENSION * 2)
    with pytest.raises(EmbeddingMismatch, match="hybridmem reindex"):
        index.upsert(ANA, ["ep_1"], other)
    with pytest.raises(EmbeddingMismatch, match="hybridmem reindex"):
        index.query(ANA, other[0], 1)


def test_ids_and_vectors_must_be_as_many(index):
    with pytest.raises(InvalidInput, match="2 ids came with 1 vectors"):
        index.upsert(ANA, ["ep_0", "ep_1"], unit_vectors(1))


def test_an_id_that_comes_twice_has_its_last_vector(index):
    vectors = unit_vectors(2)
    index.upsert(ANA, ["ep_0", "ep_0"], vectors)
    assert index.query(ANA, vectors[1], 5) == [("ep_0", pytest.approx(1.0, abs=1e-5))]


def test_most_vectors_are_still_found_after_many_were_deleted(index):
    vectors = unit_vectors(1500)
    index.upsert(ANA, [f"ep_{row}" for row in range(1500)], vectors)
    index.delete(ANA, [f"ep_{row}" for row in range(1400)])
    hits = index.query(ANA, vectors[1450], 100)
    assert hits[0][0] == "ep_1450"
    assert len(hits) == 100


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with chroma_server(tmp_path_factory.mktemp("db")) as url:
        yield url


class TestChromaServer(VectorIndexConformance):
    @pytest.fixture
    def index(self, server):
        opened = ChromaIndex(server)
        yield opened
        opened.clear()
        opened.close()


def test_two_memories_share_a_server_under_two_prefixes(server):
    first, second = ChromaIndex(server, prefix="first"), ChromaIndex(server, prefix="second")
    first.upsert(ANA, ["ep_0"], unit_vectors(1))
    second.upsert(ANA, ["ep_1"], unit_vectors(1))
    second.upsert(BEN, ["ep_2"], unit_vectors(1))
    assert (list(first.ids(ANA)), list(second.ids(ANA))) == (["ep_0"], ["ep_1"])
    second.clear()
    assert (first.count(ANA), second.count(ANA), second.count(BEN)) == (1, 0, 0)
    first.clear()


def test_a_server_that_does_not_answer_is_named():
    index = ChromaIndex("http://127.0.0.1:9")
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9.*chroma run"):
        index.count(ANA)


def test_a_server_that_refuses_says_where_the_token_goes():
    with refusing_server() as (url, asked), pytest.raises(StoreError, match="HYBRIDMEM_CHROMA_TOKEN"):
        ChromaIndex(url, headers={"X-Chroma-Token": "ab12"}).count(ANA)
    assert asked[0]["x-chroma-token"] == "ab12"


@contextmanager
def refusing_server():
    """A server that lets nobody in, and the headers of each request."""
    asked = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append({name.lower(): value for name, value in self.headers.items()})
            sent = b'{"error": "Unauthorized", "message": "no token"}'
            self.send_response(401)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *arguments):
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}", asked
        made.shutdown()


def test_clearing_leaves_the_collections_of_a_longer_prefix(server):
    own, other = ChromaIndex(server, prefix="one"), ChromaIndex(server, prefix="one-more")
    own.upsert(ANA, ["ep_0"], unit_vectors(1))
    other.upsert(ANA, ["ep_1"], unit_vectors(1))
    own.clear()
    assert (own.count(ANA), other.count(ANA)) == (0, 1)
    other.clear()
