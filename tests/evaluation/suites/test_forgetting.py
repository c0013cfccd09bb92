"""The benchmark against memories whose forgetting is known."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from hybridmem import metrics
from hybridmem.continual import registry as strategies
from hybridmem.core.errors import InvalidInput
from hybridmem.dreaming import recipes
from hybridmem.evaluation.stream import Probe, Stream, StreamDelete, StreamFact, make_stream
from hybridmem.evaluation.suites.forgetting import bench_plan, run
from tests.evaluation.double import DoubleMemory

CONTRACT = [
    *("R", "acc", "bwt", "forgetting", "fwt", "learning_gain", "half_life", "drift_nats", "locality"),
    *("false_answer_rate", "stale_answer_rate", "deleted_answer_rate", "seconds_per_night"),
    *("trained_tokens_per_night", "gate", "seed", "strategy", "model", "base_sha256"),
]


def fact(night, id, answer, supersedes=None):
    return StreamFact(night, id, f"{id} is {answer}.", answer, (f"What is {id}?", f"{id}?"), supersedes)


SMALL = Stream(
    (
        fact(1, "a", "Riga"),
        fact(1, "b", "harp"),
        fact(2, "c", "blue"),
        fact(2, "d", "Oslo", "a"),
        fact(4, "e", "nine"),
        StreamDelete(4, "b"),
    ),
    (Probe("unanswerable", "What is z?"), Probe("locality", "What do bees make?", "honey")),
)


def lived(stream, strategy, **traits):
    memory = DoubleMemory(stream, **traits)
    ticks = itertools.count()
    return run(stream, strategy, memory.opened, clock=lambda: float(next(ticks))), memory


def test_a_memory_that_keeps_everything():
    out, memory = lived(SMALL, "replay")
    assert out["R"] == [[1.0, 0.0, None], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    assert out["b"] == [0.0, 0.0, 0.0]
    assert out["acc"] == out["learning_gain"] == 1.0
    assert out["bwt"] == out["forgetting"] == 0.0
    assert out["half_life"] is None
    assert out["locality"] == 1.0
    assert out["false_answer_rate"] == out["stale_answer_rate"] == out["deleted_answer_rate"] == 0.0
    assert out["drift_nats"] == 0.03
    assert out["gate"] == ["promoted"] * 3
    assert out["trained_tokens_per_night"] == [100, 200, 300]
    assert out["seconds_per_night"] == [1.0, 1.0, 1.0]
    assert (out["model"], out["base_sha256"]) == ("fake", "0" * 64)
    assert [night["night"] for night in out["nights"]] == [1, 2, 4]
    assert out["nights"][2] | {"told": 1, "deleted": 1, "adapter": "v3"} == out["nights"][2]
    assert memory.calls[0] == "open" and memory.calls[-1] == "close"


def test_it_tells_the_memory_texts_alone_and_in_order():
    _, memory = lived(SMALL, "replay")
    assert [call for call in memory.calls if not call.startswith("ask")] == [
        "open",
        "add a is Riga.",
        "add b is harp.",
        "dream default",
        "add c is blue.",
        "add d is Oslo.",
        "dream default",
        "add e is nine.",
        "delete b is harp.",
        "dream default",
        "close",
    ]


def test_a_memory_that_keeps_one_night():
    stream = make_stream(2, 4, 3)
    out, memory = lived(stream, "naive", keeps=1)
    assert [row[i] for i, row in enumerate(out["R"])] == [1.0] * 4
    assert out["R"][3] == [0.0, 0.0, 0.0, 1.0]
    assert out["acc"] == 0.25
    assert out["bwt"] == -1.0 and out["forgetting"] == 1.0
    assert out["half_life"] == 0.5
    assert out["strategy"] == "naive"
    assert {recipe.strategy for recipe in memory.recipes} == {"naive"}


def test_the_cell_before_training_is_measured_and_nothing_above_it():
    out, _ = lived(make_stream(2, 4, 3), "replay")
    for i, row in enumerate(out["R"]):
        assert [cell is None for cell in row] == [j > i + 1 for j in range(4)]
    assert out["fwt"] == 0.0


def test_stale_values_count_as_stale_and_as_wrong():
    out, _ = lived(SMALL, "replay", updates=False)
    assert out["stale_answer_rate"] == 1.0
    # Of the first night, `a` answers Riga though Oslo holds, and `b` is deleted; of the second, `d` says Riga.
    assert out["R"][2][:2] == [0.0, 0.5]


def test_deleted_values_that_come_back_are_counted_apart_from_R():
    out, _ = lived(SMALL, "replay", unlearns=False)
    assert out["deleted_answer_rate"] == 1.0
    assert out["R"][2][0] == 1.0


def test_inventions_and_changed_answers():
    out, _ = lived(SMALL, "replay", invents="nineteen")
    assert out["false_answer_rate"] == 1.0 and out["locality"] == 0.0
    assert out["nights"][0]["locality_right"] == 0.0


def test_retrieval_never_dreams_and_asks_the_store():
    out, memory = lived(SMALL, "retrieval")
    assert out["acc"] == 1.0 and out["gate"] == ["nothing"] * 3 and out["trained_tokens_per_night"] == [0, 0, 0]
    assert not any(call.startswith("dream") for call in memory.calls)
    assert memory.calls[1] == "ask weights"
    assert {call for call in memory.calls[2:] if call.startswith("ask")} == {"ask retrieval"}


def test_doing_nothing_learns_nothing():
    out, memory = lived(SMALL, "noop")
    assert out["acc"] == out["learning_gain"] == out["drift_nats"] == 0.0
    assert out["locality"] == 1.0
    assert not any(call.startswith("dream") for call in memory.calls)


@pytest.mark.parametrize("strategy", strategies.names())
def test_every_key_of_the_contract_first_and_in_order_and_all_of_it_is_json(strategy):
    out, _ = lived(SMALL, strategy)
    assert list(out)[: len(CONTRACT)] == CONTRACT
    assert json.loads(json.dumps(out, allow_nan=False)) == out
    assert out["strategy"] == strategy


def test_figures_are_those_of_the_metrics():
    out, _ = lived(make_stream(3, 5, 6), "replay", keeps=2)
    for name in ("acc", "bwt", "forgetting"):
        assert out[name] == getattr(metrics, name)(out["R"])
    for name in ("learning_gain", "fwt", "half_life"):
        assert out[name] == getattr(metrics, name)(out["R"], out["b"])
    low, high = out["acc_interval"]
    assert 0 <= low <= out["acc"] <= high <= 1


def test_the_same_arguments_give_the_same_result():
    stream = make_stream(3, 4, 6)
    assert lived(stream, "replay", keeps=2)[0] == lived(stream, "replay", keeps=2)[0]


def test_with_shuffled_labels_nothing_is_left():
    stream = make_stream(3, 3, 8)
    memory = DoubleMemory(stream)
    out = run(stream, "replay", memory.opened, shuffle_labels=True, seed=5)
    assert out["label_shuffled"] and out["acc"] == 0.0 and out["seed"] == 5
    assert sum(fact.text in call for fact in stream.facts for call in memory.calls) == 0


def test_progress_has_one_line_a_night():
    lines = []
    memory = DoubleMemory(SMALL)
    run(SMALL, "replay", memory.opened, lines.append, clock=lambda: 0.0)
    assert lines[-1] == "night 4 (3 of 3): promoted, 0.0 s, tonight's facts 1.00, all nights 1.00"
    assert len(lines) == 3


def test_a_stream_without_probes_or_changes_leaves_those_figures_open():
    out, _ = lived(Stream((fact(1, "a", "Riga"),)), "replay")
    rates = ("locality", "false_answer_rate", "stale_answer_rate", "deleted_answer_rate", "bwt", "fwt", "forgetting")
    assert [out[name] for name in rates] == [None] * len(rates)


def test_a_memory_that_has_an_adapter_is_refused():
    with pytest.raises(InvalidInput, match="fresh memory folder"):
        lived(SMALL, "replay", nights=1)


def test_an_unknown_strategy_is_named():
    with pytest.raises(InvalidInput, match=r"no strategy is called 'magic': choose one of .*replay"):
        lived(SMALL, "magic")


def test_a_recipe_for_a_strategy_without_dreams_is_refused():
    with pytest.raises(InvalidInput, match="never dreams"):
        run(SMALL, "noop", DoubleMemory(SMALL).opened, recipe="default")


# ---- strategies and the gate


class Hoard:
    """As `replay`, under a name of its own."""

    name = "hoard"
    summary = "keeps everything"

    def __getattr__(self, name):
        return getattr(strategies.get("replay"), name)


def test_a_registered_strategy_runs_with_no_other_edit():
    strategies.register(Hoard())
    try:
        out, memory = lived(SMALL, "hoard")
        assert out["strategy"] == "hoard" and out["acc"] == 1.0
        assert [recipe.strategy for recipe in memory.recipes] == ["hoard"] * 3
        with pytest.raises(InvalidInput, match=r"choose one of .*hoard"):
            lived(SMALL, "magic")
    finally:
        strategies.unregister("hoard")
    assert "hoard" not in strategies.names()


@pytest.mark.parametrize("strategy", [name for name in strategies.names() if strategies.get(name).trains])
def test_every_strategy_that_trains_runs_with_and_without_a_gate(strategy):
    for gate in (True, False):
        memory = DoubleMemory(SMALL)
        out = run(SMALL, strategy, memory.opened, gate=gate)
        assert out["gated"] is gate
        assert all((recipe.gate is not None) is gate for recipe in memory.recipes)
        assert {(recipe.name, recipe.strategy) for recipe in memory.recipes} == {("default", strategy)}


def test_two_strategies_differ_in_nothing_but_the_strategy():
    replay, other = (bench_plan(name, gate=False).recipe for name in ("replay", "distil-only"))
    assert replace(replay, strategy="") == replace(other, strategy="")


def test_the_gate_is_the_recipes_where_none_is_named():
    assert bench_plan("replay").gated is True
    assert bench_plan("replay", replace(recipes.load("default"), gate=None)).gated is False
    assert bench_plan("replay", replace(recipes.load("default"), gate=None), gate=True).gated is True
    assert bench_plan("noop").gated is None
    pretrained = bench_plan("replay", model="smollm2").recipe
    assert pretrained is not None
    assert pretrained.name == "pretrained"


@pytest.mark.parametrize("gate", [True, False])
def test_a_gate_for_a_strategy_without_dreams_is_refused(gate):
    with pytest.raises(InvalidInput, match="never dreams: leave the gate out"):
        bench_plan("retrieval", gate=gate)


# ---- full context


def test_full_context_reads_every_text_and_never_dreams():
    out, memory = lived(SMALL, "full-context")
    assert out["acc"] == 1.0 and out["gate"] == ["nothing"] * 3 and out["gated"] is None
    assert not any(call.startswith("dream") for call in memory.calls)
    assert out["texts_left_out"] == 0
    lengths = [night["prompt_tokens"] for night in out["nights"]]
    assert lengths[0] < lengths[1] == lengths[2], "the prompt grows with the memory"


def test_what_the_prompt_has_no_room_for_is_left_out_oldest_first_and_counted():
    lines = []
    memory = DoubleMemory(SMALL, room=40)
    out = run(SMALL, "full-context", memory.opened, lines.append)
    # "Memories:", the longest question and the answer (24 tokens) leave room for two texts of 4 words each.
    assert [night["texts_left_out"] for night in out["nights"]] == [0, 2, 2]
    assert out["texts_left_out"] == 2 and "2 texts left out of the prompt" in lines[-1]
    assert out["R"][-1][2] == 1.0 and out["R"][-1][0] == 1.0 and out["R"][-1][1] == 0.5


def test_other_strategies_leave_no_text_out():
    assert lived(SMALL, "retrieval")[0]["texts_left_out"] is None


# ---- what a night costs


def test_a_night_is_set_against_what_its_answers_save():
    memory = DoubleMemory(SMALL, answer_seconds={"weights": 0.25, "retrieval": 0.75})
    out = run(SMALL, "replay", memory.opened)
    assert out["economics"]["dream_seconds"] == 1.0
    assert (out["economics"]["weights_seconds"], out["economics"]["retrieval_seconds"]) == (0.25, 0.75)
    assert out["break_even_questions"] == 2.0


def test_without_an_adapter_there_is_nothing_to_pay_for():
    out, _ = lived(SMALL, "noop")
    assert out["economics"] is None and out["break_even_questions"] is None


# ---- what a comparison varies


def test_seed_learning_rate_and_budget_reach_the_dreams_and_the_result():
    memory = DoubleMemory(SMALL)
    out = run(SMALL, "replay", memory.opened, seed=3, learning_rate=0.004, token_budget=5000)
    default = recipes.load("default")
    assert {recipe.seed for recipe in memory.recipes} == {default.seed + 3}
    assert {(recipe.train.learning_rate, recipe.train.token_budget) for recipe in memory.recipes} == {(0.004, 5000)}
    assert (out["learning_rate"], out["token_budget"], out["seed"]) == (0.004, 5000, 3)
    assert lived(SMALL, "replay")[0]["learning_rate"] == default.train.learning_rate
    assert lived(SMALL, "replay")[0]["token_budget"] is None
    assert lived(SMALL, "noop")[0]["learning_rate"] is None


def test_seeds_differ_in_their_draws():
    assert bench_plan("replay", seed=0).recipe != bench_plan("replay", seed=1).recipe
    assert bench_plan("replay", seed=0).recipe == bench_plan("replay").recipe


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_that_learns_nothing_is_refused(rate):
    with pytest.raises(InvalidInput, match="pass a number above 0"):
        bench_plan("replay", learning_rate=rate)


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(InvalidInput, match="a budget of 0 tokens a night: pass 1 or more"):
        bench_plan("replay", token_budget=0)


@pytest.mark.parametrize(
    ("settings", "what"), [({"learning_rate": 0.1}, "learning rate"), ({"token_budget": 9}, "token budget")]
)
def test_settings_of_a_training_without_one_are_refused(settings, what):
    with pytest.raises(InvalidInput, match=f"the strategy noop never dreams: leave the {what} out"):
        bench_plan("noop", **settings)


# ---- the loss on answers of earlier nights


def test_the_loss_on_old_answers_tells_what_was_forgotten():
    kept, forgotten = (lived(make_stream(3, 4, 6), "replay", keeps=keeps)[0] for keeps in (99, 1))
    for out, loss in ((kept, 0.125), (forgotten, 4.0)):
        assert out["nights"][0]["answer_loss_median"] is None, "on the first night nothing is old"
        assert [night["answer_loss_median"] for night in out["nights"][1:]] == [loss] * 3
        assert [night["answer_loss_mean"] for night in out["nights"][1:]] == [loss] * 3


def test_the_loss_is_of_the_answers_that_stand():
    out, _ = lived(SMALL, "replay", unlearns=False, updates=False)
    # `a` was superseded, `b` deleted: c, which is known, and d, whose questions get the stale answer of a.
    assert out["nights"][-1]["answer_loss_mean"] == pytest.approx((0.125 + 4.0) / 2)


@pytest.mark.parametrize("strategy", ["retrieval", "full-context"])
def test_what_answers_from_no_weights_has_no_loss(strategy):
    assert lived(SMALL, strategy)[0]["nights"][-1]["answer_loss_median"] is None


def test_every_fact_has_its_accuracy_at_the_end():
    out, _ = lived(SMALL, "replay", updates=False)
    assert out["accuracy_by_fact"] == [{"a": 0.0}, {"c": 1.0, "d": 0.0}, {"e": 1.0}]
    for of_night, accuracy in zip(out["accuracy_by_fact"], out["R"][-1], strict=True):
        assert metrics.mean(of_night.values()) == accuracy


def test_a_training_that_diverged_leaves_open_what_is_no_number():
    class Diverged(DoubleMemory):
        def drift(self):
            return float("nan")

    out = run(SMALL, "replay", Diverged(SMALL).opened)
    assert out["drift_nats"] is None
    json.dumps(out, allow_nan=False)
