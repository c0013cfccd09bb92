"""A memory on other backends than its own: each behaves as the default, and none is mistaken for another."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from hybridmem.core.errors import EmbeddingMismatch, HybridMemError, InvalidInput, ModelError
from hybridmem.core.records import Episode
from hybridmem.dreaming.steps.extract import extract
from hybridmem.memory import HybridMemory
from hybridmem.models import prompts
from hybridmem.models.fake import FakeModel
from hybridmem.models.reader import LangChainReader, OpenAIReader, Reader, ReaderSettings, RemoteReading, load_reader
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.stores.index.inmemory import InMemoryVectorIndex
from hybridmem.stores.index.local import LocalVectorIndex
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.memory_conformance import ANA, BEN, MemoryConformance, OpenMemory, texts
from tests import postgresql
from tests.chroma_server import chroma_server

IN_MEMORY: dict[str, Any] = {"vectors": "memory", "lexical": "memory", "graph": "memory"}


def opened(folder: Path, **given: Any) -> HybridMemory:
    return HybridMemory.open(folder / "memory", namespace=ANA, model="fake", **{"embedder": "hashing", **given})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as url:
        yield url


# ---- the same behaviour on each


class TestDefaults(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        return lambda: opened(tmp_path)


class TestVectorsInMemory(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        return lambda: opened(tmp_path, vectors="memory")


class TestEveryIndexInMemory(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        return lambda: opened(tmp_path, **IN_MEMORY)


class TestChromaServer(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path, server: str) -> OpenMemory:
        return lambda: opened(tmp_path, vectors=server)


class TestLedgerInMemory(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        ledger = InMemoryLedger()
        return lambda: opened(tmp_path, ledger=ledger)


class TestLedgerInAnotherFile(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        return lambda: opened(tmp_path, ledger=str(tmp_path / "elsewhere.sqlite3"), vectors="memory")


@postgresql.needed
class TestLedgerOnPostgresql(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        postgresql.emptied().close()
        return lambda: opened(tmp_path, ledger=postgresql.URL, vectors="memory")


class RecordedReader:
    """Reads as the fake model does, with no word on its probabilities."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def generate(
        self, prompts: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24
    ) -> Sequence[RemoteReading]:
        self.read += [prompt[-1]["content"] for prompt in prompts]
        said = FakeModel().generate(prompts, max_new_tokens=4096)
        return [RemoteReading(each.text, 10, 5) for each in said]


class TestOtherReader(MemoryConformance):
    @pytest.fixture
    def open_memory(self, tmp_path: Path) -> OpenMemory:
        return lambda: opened(tmp_path, reader=RecordedReader(), **IN_MEMORY)


# ---- none is mistaken for another


def test_an_index_in_memory_finds_what_an_existing_folder_holds(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.add("Ana keeps bees.")
        (gone,) = memory.add("Ana collects stamps.")
        memory.search("bees")
        memory.delete(gone.id)
    with opened(tmp_path, **IN_MEMORY) as memory:
        assert texts(memory.search("bees or stamps")) == ["Ana keeps bees."]
        memory.add("Ana bought a zither.")
        assert texts(memory.search("zither", limit=1)) == ["Ana bought a zither."]
    with opened(tmp_path) as memory:
        assert texts(memory.search("zither", limit=1)) == ["Ana bought a zither."]
        assert memory.doctor() == []


def test_two_indexes_in_memory_follow_one_ledger_each_for_itself(tmp_path: Path) -> None:
    with opened(tmp_path, **IN_MEMORY) as one, opened(tmp_path, **IN_MEMORY) as other, opened(tmp_path) as third:
        for number, writer in enumerate((one, other, third)):
            (added,) = writer.add(f"Ana bought item {number}.")
            for reader in (one, other, third):
                assert added.id in {hit.id for hit in reader.search(f"item {number}")}
        one.delete(added.id)
        for reader in (one, other, third):
            assert added.id not in {hit.id for hit in reader.search("item 2")}
            assert reader.doctor() == []


def test_folders_that_share_a_ledger_index_it_each_for_itself(tmp_path: Path) -> None:
    """The first to search took what was new from all the others."""
    shared = str(tmp_path / "shared.sqlite3")
    with opened(tmp_path / "one", ledger=shared) as one, opened(tmp_path / "two", ledger=shared) as two:
        for number, writer in enumerate((one, two, one)):
            (added,) = writer.add(f"Ana bought item {number}.")
            for reader in (one, two):
                assert added.id in {hit.id for hit in reader.search(f"item {number}")}
        two.delete(added.id)
        assert one.doctor() == two.doctor() == []
        assert added.id not in {hit.id for hit in one.search("item 2")}
        assert one.doctor() == two.doctor() == []
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    with opened(tmp_path / "one", ledger=shared) as one, opened(tmp_path / "copy", ledger=shared) as copy:
        assert one.catch_up() == 0
        for reader in (one, copy):
            (added,) = reader.add("Ana bought a zither.")
            assert {added.id in {hit.id for hit in each.search("zither")} for each in (one, copy)} == {True}
            reader.delete(added.id)
        assert one.doctor() == copy.doctor() == []


def test_a_folder_that_moves_to_a_server_and_back_lacks_nothing(tmp_path: Path, server: str) -> None:
    with opened(tmp_path) as memory:
        memory.add("Ana keeps bees.")
        memory.search("bees")
    with opened(tmp_path, vectors=server) as memory:
        assert "dense" in memory.search("bees")[0].why
        assert memory.indexes.vectors.count(ANA) == 1
        memory.add("Ana bought a zither.")
        memory.search("zither")
        assert memory.doctor() == []
    with opened(tmp_path) as memory:
        assert memory.doctor() == []
        assert "dense" in memory.search("zither", limit=1)[0].why
        assert memory.indexes.vectors.count(ANA) == 2
        assert memory.doctor() == []


def test_a_folder_keeps_its_indexes_when_it_is_moved(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.add("Ana keeps bees.")
        memory.search("bees")
    (tmp_path / "memory").rename(tmp_path / "moved")
    with HybridMemory.open(tmp_path / "moved", namespace=ANA, model="fake", embedder="hashing") as memory:
        assert memory.catch_up() == 0
        assert texts(memory.search("bees")) == ["Ana keeps bees."]
    assert not (tmp_path / "moved" / "index" / "locations.json").exists()


def test_two_memories_share_a_server(tmp_path: Path, server: str) -> None:
    with opened(tmp_path / "one", vectors=server) as one, opened(tmp_path / "two", vectors=server) as two:
        one.add("Ana keeps bees.")
        two.add("Ana keeps goats.")
        assert texts(one.search("What does Ana keep?")) == ["Ana keeps bees."]
        assert texts(two.search("What does Ana keep?")) == ["Ana keeps goats."]
        two.reindex()
        assert one.indexes.vectors.count(ANA) == 1
        assert one.doctor() == two.doctor() == []
    with opened(tmp_path / "three", vectors=f"chroma+{server}/shared") as three:
        three.add("Ana keeps hens.")
        assert texts(three.search("hens")) == ["Ana keeps hens."]
        assert ChromaIndex(server, prefix="shared").count(ANA) == 1


def test_another_embedder_is_refused_for_the_vectors_that_it_did_not_make(tmp_path: Path, server: str) -> None:
    from hybridmem.embedding.hashing import HashingEmbedder

    with opened(tmp_path) as memory:
        memory.add("Ana keeps bees.")
        memory.search("bees")
    small = HashingEmbedder(64)
    with opened(tmp_path, vectors="memory", embedder=small) as memory:
        assert texts(memory.search("bees")) == ["Ana keeps bees."]
    with opened(tmp_path, embedder=small) as memory, pytest.raises(EmbeddingMismatch, match="hybridmem reindex"):
        memory.search("bees")
    with opened(tmp_path, vectors=server, embedder=small) as memory:
        assert texts(memory.search("bees")) == ["Ana keeps bees."]
    with opened(tmp_path, vectors=server) as memory, pytest.raises(EmbeddingMismatch, match="hybridmem reindex"):
        memory.search("bees")


def test_an_erasure_reaches_the_index_that_another_one_stands_in_for(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        (gone,) = memory.add("My doctor is Xylquor Brandeburgh.")
        memory.search("doctor")
    fulltext = tmp_path / "memory" / "index" / "fulltext.sqlite3"
    assert b"xylquor" in fulltext.read_bytes().lower(), "the test looks in the wrong place"
    with opened(tmp_path, **IN_MEMORY) as memory:
        receipt = memory.delete(gone.id)
        assert {receipt.removed[place] for place in ("vectors", "full_text", "graph")} == {1}
    assert b"xylquor" not in fulltext.read_bytes().lower()
    assert LocalVectorIndex(tmp_path / "memory" / "index" / "chroma").count(ANA) == 0


def test_a_ledger_in_memory_leaves_no_index_behind(tmp_path: Path) -> None:
    with opened(tmp_path, ledger="memory") as memory:
        memory.add("Ana keeps bees.")
        assert texts(memory.search("bees")) == ["Ana keeps bees."]
    left = [path for path in (tmp_path / "memory").rglob("*") if path.is_file() and b"bees" in path.read_bytes()]
    assert left == []
    with opened(tmp_path) as memory:
        assert memory.list() == []
        assert memory.doctor() == []


def test_an_object_that_was_handed_in_stays_open(tmp_path: Path) -> None:
    class Closing(InMemoryVectorIndex):
        closed = False

        def close(self) -> None:
            self.closed = True

    vectors = Closing()
    with opened(tmp_path, vectors=vectors) as memory:
        memory.at(BEN).add("Ben keeps bees.")
        assert texts(memory.at(BEN).search("bees")) == ["Ben keeps bees."]
        assert memory.indexes.vectors is vectors
    assert not vectors.closed


@pytest.mark.parametrize(
    ("given", "choices"),
    [
        ({"vectors": "qdrant"}, "chroma, memory, http://HOST:PORT"),
        ({"vectors": "http://"}, "chroma, memory, http://HOST:PORT"),
        ({"lexical": "lucene"}, "fulltext or memory"),
        ({"graph": "neo4j"}, "networkx or memory"),
        ({"ledger": "mysql://host/db"}, "memory, FILE.sqlite3, .*postgresql://HOST/DATABASE"),
        ({"ledger": "disk"}, "memory, FILE.sqlite3"),
        ({"reader": "gpt"}, "openai:MODEL@http://HOST:PORT/v1 or model:NAME"),
    ],
)
def test_an_unknown_name_lists_the_choices_before_a_folder_is_made(
    tmp_path: Path, given: dict[str, str], choices: str
) -> None:
    with pytest.raises(InvalidInput, match=choices) as raised:
        opened(tmp_path, **given)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_token_does_not_belong_into_the_url(tmp_path: Path) -> None:
    with opened(tmp_path, vectors="http://user:secret@127.0.0.1:9") as memory:
        memory.add("Ana keeps bees.")
        with pytest.raises(InvalidInput, match="HYBRIDMEM_CHROMA_TOKEN") as raised:
            memory.search("bees")
    assert "secret" not in str(raised.value)


# ---- readers


class Endpoint(ThreadingHTTPServer):
    """Speaks as much of OpenAI's API as a reader needs; `asked` has the headers and body of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.status = 200
        self.reply: bytes | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(({k.lower(): v for k, v in self.headers.items()}, body))
        (said,) = FakeModel().generate([body["messages"]], max_new_tokens=body["max_tokens"])
        usage = {"prompt_tokens": 11, "completion_tokens": 7}
        known = {"choices": [{"message": {"role": "assistant", "content": said.text}}], "usage": usage}
        sent = json.dumps(known).encode() if self.server.reply is None else self.server.reply
        self.send_response(self.server.status if self.path == "/v1/chat/completions" else 404)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def spoken(*said: str) -> list[Episode]:
    return [Episode(f"ep_{number}", ANA, text) for number, text in enumerate(said)]


def triples(reader: Reader, *said: str) -> list[tuple[str, str, str]]:
    return [(fact.subject, fact.relation, fact.object) for fact in extract(reader, spoken(*said)).facts]


def test_an_endpoint_reads(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    reader = load_reader(f"openai:some/model@{endpoint.url}")
    found = extract(reader, spoken("Ana lives in Lisbon.", "Ben plays the drums."))
    assert [(fact.subject, fact.object) for fact in found.facts] == [("Ana", "Lisbon"), ("Ben", "drums")]
    assert found.tokens == 2 * (11 + 7)
    headers, body = endpoint.asked[0]
    assert headers["authorization"] == "Bearer sk-secret"
    assert (body["model"], body["temperature"]) == ("some/model", 0)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_an_endpoint_without_a_key_is_asked_without_one(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    reader = load_reader(f"openai:tiny@{endpoint.url}")
    assert triples(reader, "Ana lives in Lisbon.") == [("Ana", "lives in", "Lisbon")]
    assert "authorization" not in endpoint.asked[0][0]


@pytest.mark.parametrize(
    ("status", "reply", "advice"),
    [
        (401, b"no key", "refuses with 401 .no key.: set OPENAI_API_KEY"),
        (404, b"no such model", "refuses with 404 .no such model.: correct its name or address"),
        (200, b"<html>", "another form than OpenAI's"),
        (200, b'{"choices": []}', "another form than OpenAI's"),
        (200, b"[]", "another form than OpenAI's"),
    ],
)
def test_an_endpoint_that_refuses_is_one_clear_line(endpoint: Endpoint, status: int, reply: bytes, advice: str) -> None:
    endpoint.status, endpoint.reply = status, reply
    with pytest.raises(ModelError, match=advice) as raised:
        triples(OpenAIReader("tiny", endpoint.url), "Ana lives in Lisbon.")
    assert "\n" not in str(raised.value)


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/v1 does not answer"):
        reader = OpenAIReader("tiny", "http://127.0.0.1:9/v1", settings=ReaderSettings(retries=0))
        triples(reader, "Ana lives in Lisbon.")


def test_a_chat_model_of_langchain_reads() -> None:
    chat = FakeListChatModel(responses=["Ana | lives in | Lisbon", "none"])
    reader = load_reader(chat)
    assert isinstance(reader, LangChainReader)
    found = extract(reader, spoken("Ana lives in Lisbon.", "Well, well."))
    assert [(fact.subject, fact.object) for fact in found.facts] == [("Ana", "Lisbon")]
    assert found.tokens > 0


def test_a_chat_model_that_only_invokes_reads_blocks() -> None:
    class Reply:
        content = ({"type": "text", "text": "Ana | lives in | Lisbon"},)
        usage_metadata: dict[str, int] = {"input_tokens": 3, "output_tokens": 4}  # noqa: RUF012

    class Chat:
        def invoke(self, messages: Any) -> Reply:
            return Reply()

    found = extract(load_reader(Chat()), spoken("Ana lives in Lisbon."))
    assert [(fact.subject, fact.object) for fact in found.facts] == [("Ana", "Lisbon")]
    assert found.tokens == 7


@pytest.mark.parametrize("given", [FakeModel(), "model:fake"])
def test_a_language_model_reads(given: Any) -> None:
    assert triples(load_reader(given), "Ana lives in Lisbon.") == [("Ana", "lives in", "Lisbon")]


def test_what_cannot_read_is_refused() -> None:
    with pytest.raises(InvalidInput, match="what is a int cannot read"):
        load_reader(7)  # type: ignore[arg-type]


def test_a_memory_reads_with_its_own_model_unless_another_is_named(tmp_path: Path) -> None:
    own, other = FakeModel(), RecordedReader()
    with HybridMemory.open(tmp_path / "a", model=own, **IN_MEMORY) as memory:
        assert memory.workspace.reader is own
        assert memory.at("else").workspace.reader is own
    with HybridMemory.open(tmp_path / "b", model=own, reader=other, **IN_MEMORY) as memory:
        assert memory.workspace.reader is other
        assert memory.at("else").workspace.reader is other
        assert memory.workspace.resources.opened == {"reader"}


class Silent(RecordedReader):
    """Reads, and finds nothing to remember."""

    def generate(
        self, prompts: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24
    ) -> Sequence[RemoteReading]:
        return [RemoteReading("none", 10, 1) for _ in super().generate(prompts)]


def test_a_dream_reads_with_the_reader_that_was_handed_in(tmp_path: Path, tiny: Any) -> None:
    reader = Silent()
    with HybridMemory.open(
        tmp_path, namespace=ANA, model=tiny, reader=reader, embedder="hashing", **IN_MEMORY
    ) as memory:
        memory.add("Ana keeps bees.")
        report = memory.dream()
        assert memory.ledger.unextracted(ANA) == []
    assert (report.status, report.reason) == ("nothing", "no new facts to learn")
    assert reader.read == ["Facts in: Ana keeps bees."]


def test_a_ledger_in_memory_is_no_second_ledger_of_a_folder(tmp_path: Path) -> None:
    """It would claim none of the adapters in the folder, and a dream would remove them."""
    opened(tmp_path).close()
    with pytest.raises(InvalidInput, match="has a ledger on disk") as raised:
        opened(tmp_path, ledger="memory")
    assert "\n" not in str(raised.value)


def test_an_embedder_that_cannot_be_loaded_leaves_no_index_open(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path, namespace=ANA, model="fake", embedder=str(tmp_path / "nowhere")) as memory:
        for _ in range(2):
            with pytest.raises(HybridMemError):
                memory.search("Ana?")
        assert len(memory.workspace.resources._opened) == 1


@pytest.mark.parametrize("scheme", ["sqlite:///", "sqlite+pysqlite:///"])
def test_any_driver_of_a_database_is_taken(tmp_path: Path, scheme: str) -> None:
    with opened(tmp_path, ledger=f"{scheme}{tmp_path / 'elsewhere.sqlite3'}") as memory:
        memory.add("Ana bought a boat.")
    assert (tmp_path / "elsewhere.sqlite3").exists()
