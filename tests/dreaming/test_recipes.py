from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.dreaming import recipes


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_default_recipe_has_replay_and_a_gate() -> None:
    default = recipes.load("default")
    assert (default.name, default.strategy, default.gate is None) == ("default", "replay", False)


def test_the_naive_recipe_has_neither_replay_nor_gate() -> None:
    naive = recipes.load("naive")
    assert (naive.name, naive.strategy, naive.gate) == ("naive", "naive", None)


@pytest.mark.parametrize(
    ("base", "name"), [("bundled", "default"), ("smollm2", "pretrained"), ("Qwen/Qwen3-0.6B", "pretrained")]
)
def test_a_pretrained_base_dreams_more_gently_by_default(base: str, name: str) -> None:
    gentle, own = recipes.load("pretrained"), recipes.load("default")
    assert gentle.train.learning_rate < own.train.learning_rate
    assert gentle.train.exposures < own.train.exposures
    assert recipes.load("default", base) == recipes.load(name)
    assert recipes.load("naive", base) == recipes.load("naive")


def test_a_file_sets_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 7\n[train]\nrank = 4\nlearning_rate = 1\n[gate]\nscales = [1, 0.5]\n")
    recipe = recipes.load(path)
    assert (recipe.name, recipe.seed, recipe.train.rank) == ("mine", 7, 4)
    assert isinstance(recipe.train.learning_rate, float)
    assert recipe.gate is not None
    assert recipe.gate.scales == (1.0, 0.5)
    assert recipe.compose == recipes.ComposeSettings()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("seed = ", "not valid TOML"),
        (b"name = '\xff'", "not valid TOML"),
        ("sede = 1", "unknown setting 'sede'"),
        ("[train]\nranks = 1", "unknown setting 'ranks'"),
        ("[trian]\nrank = 1", "unknown setting 'trian'"),
        ("seed = '1'", "seed takes a int, not '1'"),
        ("seed = true", "seed takes a int, not True"),
        ("strategy = 1", "strategy takes a str, not 1"),
        ("strategy = 'repaly'", "no strategy is called 'repaly': choose one of .*replay"),
        ("replay = false", "unknown setting 'replay', which is now strategy = "),
        ("[train]\nenough = 1", "unknown setting 'enough', which is now stop_threshold"),
        ("[eval]\nquestions = 0", "questions takes 1 or more, not 0"),
        ("train = 3", r"train takes the table \[train\], not 3"),
        ("gate = true", r"gate takes the table \[gate\], not True"),
        ("[seed]\nvalue = 1", "seed takes a int"),
        ("[train]\nrank = 2.5", "rank takes a int, not 2.5"),
        ("[train]\nlearning_rate = '1e-3'", "learning_rate takes a float"),
        ("[train]\nlearning_rate = nan", "learning_rate takes"),
        ("[train]\nnew_rows = 0", "new_rows takes 1 or more, not 0"),
        ("[train]\nold_rows = -1", "old_rows takes 0 or more, not -1"),
        ("[compose]\nmin_questions = 2", "min_questions takes 3 or more, not 2"),
        ("[compose]\nmax_questions = 3", "min_questions 4 and max_questions 3 fit no fact"),
        ("[gate]\nscales = []", "scales takes numbers above 0"),
        ("[gate]\nscales = ['half']", "scales takes numbers above 0"),
        ("[gate]\nscales = [1.5]", "scales takes numbers above 0"),
    ],
)
def test_what_no_night_can_run_with_is_one_clear_line(tmp_path: Path, content: str | bytes, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InvalidInput, match=says) as caught:
        recipes.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["lucid", "", "nowhere/mine.toml", "../recipes"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidInput, match="choose one of default, naive"):
        recipes.load(name)


def test_a_negative_seed_is_a_seed(tmp_path: Path) -> None:
    assert recipes.load(written(tmp_path, "seed = -3")).seed == -3


def test_a_recipe_of_an_earlier_release_bounds_the_same_figures(tmp_path: Path) -> None:
    former = "[gate]\nmin_learned = 0.1\nmax_false_answers = 0.2\nmax_drift = 0.3\nmax_stale = 0.4\n"
    gate = recipes.load(written(tmp_path, former)).gate
    assert gate == recipes.GateSettings(
        min_learning_accuracy=0.1, max_false_answer_rise=0.2, max_drift_nats=0.3, max_stale_answer_rate=0.4
    )
    with pytest.raises(InvalidInput, match="min_learning_accuracy takes a float, not 'high'"):
        recipes.load(written(tmp_path, "[gate]\nmin_learned = 'high'"))
    with pytest.raises(InvalidInput, match="unknown setting 'min_learned'"):
        recipes.load(written(tmp_path, "[train]\nmin_learned = 0.1"))
