"""The router's benchmark on a model that costs nothing: what is measured, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.core.progress import quiet
from hybridmem.core.records import to_json
from hybridmem.dreaming import general
from hybridmem.evaluation.routing.figures import FIGURES
from hybridmem.evaluation.routing.maker import make_router_stream
from hybridmem.evaluation.routing.page import routes_table, targets, write_page
from hybridmem.evaluation.routing.policies import ORACLE
from hybridmem.evaluation.routing.question import KINDS
from hybridmem.evaluation.suites.router import run
from hybridmem.models.fake import FakeModel

SIZES = {"nights": 2, "facts_per_night": 5, "seeds": (3,), "resamples": 20}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(general, "unrelated", lambda part: ("What colour is the sky?",))
        folder = tmp_path_factory.mktemp("router")
        return run(model=FakeModel(), embedder="hashing", progress=quiet, folder=folder, **SIZES)


def test_it_asks_all_questions_and_reports_on_the_test(measured: dict) -> None:
    asked = make_router_stream(3, 2, 5).questions
    assert measured["questions"] == len(asked)
    assert measured["parts"] == {p: sum(q.part == p for q in asked) for p in ("fit", "dev", "test")}
    assert {kind: found["of"] for kind, found in measured["kinds"].items()} == {
        kind: sum((q.kind, q.part) == (kind, "test") for q in asked) for kind in KINDS
    }
    overhead = measured["overhead"]
    assert overhead["of"] == len(asked)
    assert 0 < overhead["processor_ms_p50"] <= overhead["processor_ms_p95"]
    assert [(dream["seed"], dream["night"]) for dream in measured["dreams"]] == [(3, 1), (3, 2)]
    assert (measured["model"], measured["recipe"], measured["seeds"]) == ("fake", "default", [3])
    json.dumps(to_json(measured), allow_nan=False)


def test_the_oracle_is_no_worse_than_any_route_and_abstaining_costs_nothing(measured: dict) -> None:
    routes = measured["routes"]
    best = routes[ORACLE]["accuracy"]["value"]
    assert all(
        routes[way]["accuracy"]["value"] <= best for way in ("router", "weights", "retrieval", "both", "abstain")
    )
    assert routes["abstain"]["prompt_tokens"] == 0 == routes["abstain"]["coverage"]["value"]
    assert routes["weights"]["prompt_tokens"] < routes["retrieval"]["prompt_tokens"]
    for found in routes.values():
        for name in FIGURES:
            value, low, high = found[name].values()
            assert value is None or (low <= value + 0.35 and value - 0.35 <= high)


def test_a_table_has_a_row_for_each_way_and_says_how_far_the_router_is_ahead(measured: dict) -> None:
    table = routes_table(measured, ("accuracy", "ece", "prompt_tokens"))
    assert table.columns[-2:] == ("ece", "prompt tokens")
    rows = {row[0]: row for row in table.rows}
    assert list(rows) == list(measured["routes"]) and rows["router"][3] is None
    assert rows["retrieval"][3] == pytest.approx(rows["router"][1] - rows["retrieval"][1])


def test_the_page_shows_what_was_measured(measured: dict, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the page's plots need the extra `plots`")
    page = write_page(tmp_path, measured).read_text(encoding="utf-8")
    for shown in (*measured["routes"], *KINDS, *(row["signal"] for row in measured["signals"])):
        assert shown in page
    assert f"fit {measured['parts']['fit']}, dev" in page and "beside the search and the model" in page
    assert page.count("<svg") == 2
    assert next(figure.name for figure in targets(measured)) == "accuracy"


def test_a_folder_of_another_run_and_no_seed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="without seeds"):
        run(model=FakeModel(), progress=quiet, seeds=())
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="is no folder"):
        run(model=FakeModel(), embedder="hashing", progress=quiet, folder=tmp_path / "file", **SIZES)
