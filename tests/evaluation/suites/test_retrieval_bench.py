"""The retrieval benchmark on a conversation small enough to check by hand, and on LoCoMo where it is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.evaluation.suites.retrieval import bench_retrieval

LOCOMO = Path(__file__).parents[4] / "shared/data/locomo_dev/locomo_dev.json"


def sample(name: str) -> dict[str, object]:
    turns = [
        ("Ben", "Which pet did you adopt?"),
        ("Ana", "A ferret! She is called Nim."),
        ("Ben", "Lovely weather in Porto."),
        ("Ana", "Time for tea."),
    ]
    return {
        "sample_id": name,
        "conversation": {
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": speaker, "dia_id": f"D1:{number}", "text": text}
                for number, (speaker, text) in enumerate(turns, 1)
            ],
        },
        "qa": [
            {"question": "Which pet was adopted?", "evidence": ["D1:1; D1:2"], "category": 1},
            {"question": "How is the weather in Porto?", "evidence": ["D1:3"], "category": 4},
            {"question": "What did Ana say of the war?", "evidence": ["D1:4"], "category": 5},
            {"question": "Who knows?", "evidence": ["D"], "category": 2},
        ],
    }


def test_the_figures_of_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([sample("one"), sample("two")]))
    result = bench_retrieval(path, embedder=HashingEmbedder(), folder=tmp_path, date="2026-03-01", resamples=50)
    assert (result["conversations"], result["turns"], result["questions"]) == (2, 8, 4)
    for searcher in ("dense", "lexical", "undated", "hybrid"):
        assert set(result["recall"][searcher]) == {"@5", "@10", "@20"}
    assert result["recall"]["hybrid"]["@5"] == 1.0, "four turns, and five are asked for"
    assert result["recall"]["lexical"]["@5"] == 0.75, "no word of the reply is in its question"
    difference = result["hybrid_minus_dense"]
    assert difference["low"] <= difference["mean"] <= difference["high"]
    assert result["by_conversation"]["two"]["questions"] == 2
    assert {name: of["questions"] for name, of in result["by_category"].items()} == {"1": 2, "4": 2}
    assert all(value > 0 for value in result["speed"].values())
    assert (result["embedding"], result["date"]) == ("hashing-256", "2026-03-01")
    json.dumps(result)
    assert list(tmp_path.iterdir()) == [path], "nothing is left behind"


def test_a_folder_of_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps([sample(name)]))
    result = bench_retrieval(tmp_path, embedder=HashingEmbedder(), resamples=10)
    assert sorted(result["by_conversation"]) == ["a", "b"]


def test_files_without_questions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([{**sample("one"), "qa": []}]))
    with pytest.raises(InvalidInput, match="no question with evidence"):
        bench_retrieval(path, embedder=HashingEmbedder())
    with pytest.raises(InvalidInput, match="no file"):
        bench_retrieval(tmp_path / "missing.json", embedder=HashingEmbedder())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=r"holds no \.json file"):
        bench_retrieval(tmp_path / "empty", embedder=HashingEmbedder())


@pytest.mark.slow
def test_the_search_beats_dense_alone_on_locomo() -> None:
    if not LOCOMO.is_file():
        pytest.skip(f"{LOCOMO} is not here")
    result = bench_retrieval(LOCOMO)
    assert result["hybrid_minus_dense"]["low"] > 0.15
    assert result["recall"]["hybrid"]["@10"] > 0.76
    of_time = result["by_category"]["2"]["recall"]
    assert of_time["hybrid"]["@10"] > of_time["undated"]["@10"] + 0.04
    for category, of in result["by_category"].items():
        assert of["recall"]["hybrid"]["@10"] >= of["recall"]["undated"]["@10"] - 0.01, category
