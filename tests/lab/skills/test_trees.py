"""Trees compute what each exercise alone would, and a training of seconds learns, resumes and loads elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from hybridmem.models.huggingface.lora import lora_config  # noqa: E402
from hybridmem.models.huggingface.model import HuggingFaceModel  # noqa: E402
from lab import train_skills  # noqa: E402
from lab.skills import natural  # noqa: E402
from lab.skills.forward import LoraForward  # noqa: E402
from lab.skills.trees import Branch, Tree, pack, row_of, tree_of  # noqa: E402
from tests.models import families  # noqa: E402

IDS = st.lists(st.integers(5, 90), min_size=1, max_size=6).map(tuple)
TREES = st.lists(
    st.builds(Tree, IDS, st.lists(st.builds(Branch, IDS, IDS), min_size=1, max_size=3).map(tuple)),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    folder = tmp_path_factory.mktemp("llama") / "model"
    families.save("llama", folder, template=families.TEMPLATE, decided=True)
    return HuggingFaceModel.load(folder)


@pytest.fixture(scope="module")
def adapted(llama: HuggingFaceModel) -> Any:
    from peft import get_peft_model

    torch.manual_seed(0)
    module = get_peft_model(llama.module, lora_config(llama.module, 4, 8))
    for name, parameter in module.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.1)
    return module


@given(TREES)
def test_a_row_keeps_every_branch_whole(trees: list[Tree]) -> None:
    row = row_of(trees, 200, 0)
    for number, tree in enumerate(trees):
        own = row.trees == number
        assert row.ids[own & (row.branches == 0)].tolist() == list(tree.shared)
        for which, branch in enumerate(tree.branches, start=1):
            at = numpy.flatnonzero(own & (row.branches == which))
            assert row.ids[at].tolist() == list(branch.prompt + branch.completion)
            assert row.positions[at].tolist() == list(range(len(tree.shared), len(tree.shared) + len(branch)))
            assert (row.weights[at] > 0).tolist() == [False] * len(branch.prompt) + [True] * len(branch.completion)
            before = row.ids[row.sources[at]].tolist()
            assert before == [tree.shared[-1], *(branch.prompt + branch.completion)[:-1]]


def test_a_long_completion_does_not_drown_the_short_ones() -> None:
    tree = Tree((1, 2), (Branch((3,), (4,) * 3), Branch((3,), (5,) * 32)))
    row = row_of([tree], 64, 0)
    assert set(row.weights[row.ids == 4]) == {1.0}
    assert set(row.weights[row.ids == 5]) == {0.5}


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_packing_loses_no_tree(lengths: list[int]) -> None:
    source = [Tree((1,) * length, (Branch((), (number + 2,)),)) for number, length in enumerate(lengths)]
    found = [int(i) for row in pack(iter(source), length=51, pad=0, open_rows=3) for i in row.ids[row.weights > 0]]
    assert sorted(found) == list(range(2, len(lengths) + 2))


def test_what_prompts_share_is_read_once() -> None:
    def render(messages: Sequence[Any], completion: str) -> tuple[list[int], list[int]]:
        return [ord(c) for c in messages[0]["content"]], [ord(c) for c in completion]

    group = [
        ([{"role": "user", "content": f"memories {q}"}], a) for q, a in (("one?", "1"), ("two?", "2"), ("x" * 90, "3"))
    ]
    tree = tree_of(group, render, 30)
    assert tree is not None
    assert bytes(tree.shared).decode() == "memories "
    assert [bytes(branch.prompt + branch.completion).decode() for branch in tree.branches] == ["one?1", "two?2"]


@pytest.mark.parametrize("dtype", [torch.float32])
def test_logits_and_gradients_are_those_of_every_branch_alone(
    llama: HuggingFaceModel, adapted: Any, dtype: Any
) -> None:
    chance = torch.Generator().manual_seed(1)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(5, 90, (count,), generator=chance).tolist())

    trees = [Tree(ids(9), tuple(Branch(ids(3), ids(2)) for _ in range(3))), Tree(ids(4), (Branch(ids(1), ids(4)),))]
    forward = LoraForward(adapted, dtype=dtype)
    parameters = {name: p for name, p in adapted.named_parameters() if p.requires_grad}
    logits, _, _ = train_skills.logits_of(forward, [row_of(trees, 64, 0)])
    train_skills.predicted_loss(forward, [row_of(trees, 64, 0)]).backward()
    own = {name: p.grad.clone() for name, p in parameters.items()}
    adapted.zero_grad()
    alone = []
    for tree in trees:
        for branch in tree.branches:
            whole = torch.tensor([[*tree.shared, *branch.prompt, *branch.completion]])
            found = adapted(input_ids=whole).logits[0, -len(branch.completion) - 1 : -1]
            torch.nn.functional.cross_entropy(found, torch.tensor(branch.completion), reduction="sum").backward()
            alone.append(found)
    torch.testing.assert_close(logits, torch.cat(alone), rtol=1e-4, atol=1e-4)
    for name, parameter in parameters.items():
        torch.testing.assert_close(own[name], parameter.grad, rtol=1e-3, atol=3e-5)
    adapted.zero_grad()


def test_a_training_of_seconds_learns_resumes_and_loads(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    families.save("llama", folder, template=families.TEMPLATE, decided=True)
    settings = train_skills.Settings(rank=8, alpha=16, learning_rate=0.02, rows=2, length=512, warmup_steps=2)
    records = natural.load("train")[:3]

    def run(steps: int, resume: bool) -> list[dict[str, Any]]:
        train_skills.train(
            HuggingFaceModel.load(folder),
            settings,
            records=records,
            cases=records,
            minutes=5,
            steps=steps,
            out=tmp_path / "run",
            resume=resume,
            report_every=0.0,
        )
        return [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]

    first = run(12, False)
    losses = [line["loss"] for line in first if "rate" in line]
    assert losses[-1] < 0.9 * losses[0]
    resumed = run(14, True)[len(first) :]
    assert [line["step"] for line in resumed if "rate" in line] == [13, 14]

    model = HuggingFaceModel.load(folder)
    prompt = [{"role": "user", "content": "Question: Who?"}]
    bare = model.logprobs([prompt], ["Mira"])
    with model.adapted(tmp_path / "run/last"):
        assert model.logprobs([prompt], ["Mira"]) != bare


def test_the_command_takes_the_bases_that_hybridmem_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    families.save("llama", folder, template=families.TEMPLATE, decided=True)
    given = ["--out", str(tmp_path / "run"), "--records", "1", "--cases", "1", "--steps", "1", "--rows", "1"]
    train_skills.main([*given, "--base", str(folder)])
    assert (tmp_path / "run/last/adapter_model.safetensors").is_file()
    for unusable, why in (("fake", "need a model with weights"), (str(tmp_path / "nowhere"), "nowhere")):
        with pytest.raises(SystemExit) as ended:
            train_skills.main([*given, "--base", unusable])
        assert ended.value.code == 2
        assert why in capsys.readouterr().err
