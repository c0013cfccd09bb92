from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from hybridmem.core.errors import AdapterError, CorruptAdapter, InvalidInput, ModelError, WrongBase
from hybridmem.models import prompts
from hybridmem.models.huggingface.adapter_files import CONFIG, WEIGHTS
from hybridmem.models.huggingface.decoding import Completion, cache_argument, decode, decode_alone, takes_padding
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel, _batches
from hybridmem.testing.model_conformance import PROMPTS, LanguageModelConformance
from tests.models import families
from tests.models.conftest import Folders


def trained(model: HuggingFaceModel, folder: Path, *, seed: int = 0, rank: int = 4) -> Path:
    """An adapter, drawn at random and trained for one step."""
    with model.new_adapter(lora_config(model.module, rank, 2 * rank), seed=seed) as trainee:
        for parameter in trainee.parameters():
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(seed))
        ids = torch.tensor([model.render(PROMPTS[0], "Riga")])
        model.module(input_ids=ids, labels=ids).loss.backward()
        for parameter in trainee.parameters():
            assert parameter.grad is not None
            parameter.data -= 0.01 * parameter.grad.sign()
        trainee.save(folder)
    return folder


class _Conformance(LanguageModelConformance):
    @pytest.fixture
    def adapter(self, model: HuggingFaceModel, tmp_path: Path) -> Path:
        return trained(model, tmp_path / "adapter")


class TestFamily(_Conformance):
    @pytest.fixture(params=families.FAMILIES)
    def model(self, request: pytest.FixtureRequest, folder_of: Folders) -> HuggingFaceModel:
        return HuggingFaceModel.load(folder_of(request.param), device="cpu")


class TestWithoutATemplate(_Conformance):
    @pytest.fixture
    def model(self, tmp_path: Path) -> HuggingFaceModel:
        return HuggingFaceModel.load(families.save("gpt2", tmp_path / "base", template=None), device="cpu")


class TestBloomThroughGenerate(_Conformance):
    @pytest.fixture
    def model(self, folder_of: Folders) -> HuggingFaceModel:
        return HuggingFaceModel.load(folder_of("bloom"), device="cpu")

    def test_it_takes_no_padding(self, model: HuggingFaceModel) -> None:
        assert not takes_padding(model.module)


class TestStories(LanguageModelConformance):
    @pytest.fixture
    def model(self, stories: HuggingFaceModel) -> HuggingFaceModel:
        return stories


def greedy_by_hand(model: HuggingFaceModel, ids: list[int], tokens: int) -> list[int]:
    """Without a cache, padding or a batch: what every faster way must agree with."""
    start = len(ids)
    ids = list(ids)
    with torch.no_grad():
        while len(ids) < start + tokens:
            ids.append(int(model.module(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
            if ids[-1] in model.end_ids:
                break
    return ids[start:]


@pytest.mark.parametrize("family", families.FAMILIES)
def test_padded_batches_agree_with_the_plainest_decoding(folder_of: Folders, family: str) -> None:
    model = HuggingFaceModel.load(folder_of(family), device="cpu")
    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(10, 250, (length,), generator=generator).tolist() for length in (1, 2, 3, 9, 30, 30)]
    by_hand = [greedy_by_hand(model, ids, 12) for ids in rows]
    # Rows end at different steps, so that the cache is thinned out under way.
    ends = frozenset({by_hand[1][3], by_hand[4][6]})
    expected = [ids[: next((at + 1 for at, token in enumerate(ids) if token in ends), 12)] for ids in by_hand]
    limits = {"end_ids": ends, "max_new_tokens": 12, "temperature": 0.0}
    found = decode(model.module, rows, draws=torch.zeros(len(rows), 12), **limits)
    assert [completion.ids for completion in found] == expected
    assert len({len(completion.ids) for completion in found}) > 1
    for ids, completion in zip(rows, found, strict=True):
        generated = decode_alone(model.module, ids, seed=0, **limits)
        assert generated.ids == completion.ids
        assert generated.logprobs == pytest.approx(completion.logprobs, abs=1e-3)
        assert generated.entropies == pytest.approx(completion.entropies, abs=1e-3)


def test_a_real_checkpoint_goes_on_with_its_story(stories: HuggingFaceModel) -> None:
    prompt = [{"role": "user", "content": "Once upon a time, there was a little girl named Lily. She"}]
    (told,) = stories.generate([prompt], max_new_tokens=40)
    assert "Lily" in told.text
    assert -2.5 < told.logprob / told.tokens < 0
    scored = stories.logprobs([prompt, prompt], ["She liked to play in the park.", "park the in play to liked She."])
    assert sum(scored[0]) > sum(scored[1])


def test_sampling_leaves_the_global_generator_alone_and_varies_with_the_seed(lfm2: HuggingFaceModel) -> None:
    state = torch.random.get_rng_state()
    texts = {lfm2.generate(PROMPTS[:1], max_new_tokens=8, temperature=1.5, seed=seed)[0].text for seed in range(4)}
    assert torch.equal(state, torch.random.get_rng_state())
    assert len(texts) > 1


def test_samples_follow_the_distribution(lfm2: HuggingFaceModel) -> None:
    ids = lfm2.render(PROMPTS[2])
    draws = torch.linspace(0, 1, 501)[:-1, None]
    found = decode(lfm2.module, [ids] * 500, end_ids=lfm2.end_ids, max_new_tokens=1, temperature=1.0, draws=draws)
    likely = max(found, key=lambda completion: completion.logprobs[0])
    share = sum(completion.ids == likely.ids for completion in found) / 500
    assert share == pytest.approx(float(torch.tensor(likely.logprobs[0]).exp()), abs=0.005)


def test_logprobs_are_those_of_the_generation(lfm2: HuggingFaceModel) -> None:
    ids = lfm2.render(PROMPTS[0])
    (completion,) = decode(
        lfm2.module,
        [ids],
        end_ids=frozenset({-1}),
        max_new_tokens=6,
        temperature=0.0,
        draws=torch.zeros(1, 6),
    )
    ((scored),) = lfm2._scored([(ids, completion.ids)])
    assert scored == pytest.approx(completion.logprobs, abs=1e-4)


def test_prompts_that_do_not_fit_are_refused_and_never_cut(lfm2: HuggingFaceModel) -> None:
    with pytest.raises(ModelError, match=r"1024.*token_budget"):
        lfm2.generate([prompts.answer("Where?", ["word " * 400])])
    with pytest.raises(InvalidInput, match="max_new_tokens"):
        lfm2.generate(PROMPTS, max_new_tokens=0)


def test_batches_stay_within_their_budget_and_cover_every_prompt() -> None:
    lengths = [5, 100, 7, 7, 50, 200, 1]
    batches = list(_batches(lengths, 100))
    assert sorted(at for batch in batches for at in batch) == list(range(7))
    assert all(len(batch) == 1 or len(batch) * max(lengths[at] for at in batch) <= 100 for batch in batches)


def test_render_pair_is_prompt_then_completion_then_end(lfm2: HuggingFaceModel, stories: HuggingFaceModel) -> None:
    for model in (lfm2, stories):
        prompt, answer = model.render_pair(PROMPTS[0], "Riga")
        assert prompt == model.render(PROMPTS[0])
        assert prompt + answer == model.render(PROMPTS[0], "Riga")
        assert answer[-1] == model.end_id
        assert model.end_id in model.end_ids
        assert model.tokenizer.decode(answer[:-1]).strip() == "Riga"


def test_a_template_that_refuses_the_system_message_gets_it_merged(tmp_path: Path) -> None:
    folder = families.save("llama", tmp_path / "model", template=families.REFUSES_SYSTEM)
    model = HuggingFaceModel.load(folder, device="cpu")
    text = model.tokenizer.decode(model.render(PROMPTS[0]))
    assert text.startswith("<|user|>Answer the question from the memories alone")
    assert text.endswith("Question: Where does Ana live?<|end|><|assistant|>")


def test_a_model_without_a_template_gets_a_plain_prompt(tmp_path: Path) -> None:
    model = HuggingFaceModel.load(families.save("llama", tmp_path / "model", template=None), device="cpu")
    text = model.tokenizer.decode(model.render(PROMPTS[2]))
    assert text.endswith(f"If you do not know, say exactly: {prompts.REFUSAL}\n\nQuestion: Where does Ana live?\n")


def test_an_answer_without_a_template_ends_where_its_paragraph_does(lfm2: HuggingFaceModel) -> None:
    said = Completion(lfm2.tokenizer.encode("\nRiga\n\nQuestion: Who?"), [-0.1], [1.0], [0.1])
    assert lfm2._generation(3, said).text == "Riga\n\nQuestion: Who?"
    lfm2.tokenizer.chat_template = None
    assert lfm2._generation(3, said).text == "Riga"


def test_training_leaves_the_base_as_it_was_bit_for_bit(lfm2: HuggingFaceModel, tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in lfm2.module.state_dict().items()}
    state = torch.random.get_rng_state()
    trained(lfm2, tmp_path / "adapter")
    with lfm2.adapted(tmp_path / "adapter"):
        lfm2.generate(PROMPTS[:1], max_new_tokens=2)
    assert torch.equal(state, torch.random.get_rng_state())
    after = {name.replace(".base_layer", ""): value for name, value in lfm2.module.state_dict().items()}
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_the_same_training_saves_the_same_bytes(folder_of: Folders, tmp_path: Path) -> None:
    for name in ("first", "second"):
        trained(HuggingFaceModel.load(folder_of("lfm2"), device="cpu"), tmp_path / name)
    for file in (CONFIG, WEIGHTS):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_a_trained_adapter_is_the_same_once_saved_and_loaded_by_peft_itself(
    lfm2: HuggingFaceModel, folder_of: Folders, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    trained(lfm2, tmp_path / "adapter")
    ids = torch.tensor([lfm2.render(PROMPTS[0])])
    plain = AutoModelForCausalLM.from_pretrained(folder_of("lfm2"))
    theirs = PeftModel.from_pretrained(plain, tmp_path / "adapter").eval()
    with torch.no_grad(), lfm2.adapted(tmp_path / "adapter"):
        assert torch.allclose(lfm2.module(ids).logits, theirs(input_ids=ids).logits, atol=1e-5)


def test_switching_adapters_walks_through_no_modules_and_gives_what_each_gives_alone(
    lfm2: HuggingFaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [None, *(trained(lfm2, tmp_path / str(seed), seed=seed) for seed in (1, 2))]
    ids = torch.tensor([lfm2.render(PROMPTS[0])])

    def logits(folder: Path | None) -> torch.Tensor:
        with torch.no_grad(), lfm2.adapted(folder):
            return lfm2.module(ids).logits

    alone = [logits(folder) for folder in folders]
    assert not any(torch.allclose(one, other) for one, other in itertools.combinations(alone, 2))
    monkeypatch.setattr(lfm2._slots, "_apply", lambda *names: pytest.fail("PEFT walks through every module"))
    for turn in (1, 2, 1, 0, 2, 0, 1):
        assert torch.equal(logits(folders[turn]), alone[turn])
    with lfm2.adapted(folders[1]), lfm2.adapted(None):
        assert torch.equal(lfm2.module(ids).logits, alone[0])
    with torch.no_grad():
        assert torch.equal(lfm2.module(ids).logits, alone[0]), "outside of every context"
    monkeypatch.undo()
    trained(lfm2, tmp_path / "3", seed=3)
    assert torch.equal(logits(folders[2]), alone[2]), "after another training"


def test_a_prompt_is_rendered_once_and_a_caller_may_change_what_it_got(lfm2: HuggingFaceModel) -> None:
    first = lfm2.render(PROMPTS[0])
    kept = list(first)
    first.append(0)
    assert lfm2.render(PROMPTS[0]) == kept
    assert lfm2.render(PROMPTS[1]) != kept
    lfm2.tokenizer.chat_template = None
    assert lfm2.render(PROMPTS[0]) != kept


def test_a_scaled_adapter_is_saved_at_its_scale(lfm2: HuggingFaceModel, tmp_path: Path) -> None:
    trained(lfm2, tmp_path / "full")
    lfm2.scale_adapter(tmp_path / "full", 0.5, tmp_path / "half")
    config = lora_config(lfm2.module, 4, 8)
    with lfm2.new_adapter(config, seed=0, parent=tmp_path / "full") as new:
        whole = lfm2.logprobs(PROMPTS[:1], ["Riga"])
        new.restore({name: t * 0.5 if "lora_B" in name else t for name, t in new.state().items()})
        half = lfm2.logprobs(PROMPTS[:1], ["Riga"])
    with lfm2.adapted(tmp_path / "full"):
        assert lfm2.logprobs(PROMPTS[:1], ["Riga"])[0] == pytest.approx(whole[0], abs=1e-5)
    with lfm2.adapted(tmp_path / "half"):
        assert lfm2.logprobs(PROMPTS[:1], ["Riga"])[0] == pytest.approx(half[0], abs=1e-5)
    assert half != whole


def test_the_candidate_can_be_compared_with_base_and_parent_while_it_trains(
    lfm2: HuggingFaceModel, tmp_path: Path
) -> None:
    base = lfm2.logprobs(PROMPTS[:1], ["Riga"])
    parent = trained(lfm2, tmp_path / "parent")
    with lfm2.new_adapter(lora_config(lfm2.module, 8, 8, "mlp"), seed=0) as trainee:
        assert lfm2.logprobs(PROMPTS[:1], ["Riga"])[0] == pytest.approx(base[0], abs=1e-6)
        for parameter in trainee.parameters():
            parameter.data.fill_(0.05)
        kept = trainee.state()
        candidate = lfm2.logprobs(PROMPTS[:1], ["Riga"])
        with lfm2.adapted(parent):
            assert lfm2.logprobs(PROMPTS[:1], ["Riga"]) not in (candidate, base)
        with lfm2.adapted(None):
            assert lfm2.logprobs(PROMPTS[:1], ["Riga"]) == base
        assert all(parameter.requires_grad for parameter in trainee.parameters())
        for parameter in trainee.parameters():
            parameter.data.fill_(0.2)
        trainee.restore(kept)
        assert lfm2.logprobs(PROMPTS[:1], ["Riga"]) == candidate
    assert lfm2.logprobs(PROMPTS[:1], ["Riga"]) == base


def test_a_changed_file_is_loaded_anew_and_old_adapters_leave(lfm2: HuggingFaceModel, tmp_path: Path) -> None:
    lfm2._slots._capacity = 3
    answers = []
    for seed in range(4):
        trained(lfm2, tmp_path / "same", seed=seed)
        with lfm2.adapted(tmp_path / "same"):
            answers.append(tuple(lfm2.logprobs(PROMPTS[:1], ["Riga"])[0]))
        trained(lfm2, tmp_path / f"other{seed}", seed=seed)
        with lfm2.adapted(tmp_path / f"other{seed}"):
            assert tuple(lfm2.logprobs(PROMPTS[:1], ["Riga"])[0]) == answers[-1]
    assert len(set(answers)) == 4
    assert len(lfm2._slots._loaded) == 3
    lfm2.forget(tmp_path / "other3")
    assert len(lfm2._slots._loaded) == 2
    assert lfm2._slots._peft.peft_config.keys() == set(lfm2._slots._loaded.values())


def test_another_rank_than_the_parents_is_refused(lfm2: HuggingFaceModel, tmp_path: Path) -> None:
    trained(lfm2, tmp_path / "parent", rank=4)
    base = lfm2.logprobs(PROMPTS[:1], ["Riga"])
    config = lora_config(lfm2.module, 8, 8)
    with (
        pytest.raises(AdapterError, match="rank"),
        lfm2.new_adapter(config, seed=0, parent=tmp_path / "parent"),
    ):
        pass
    assert lfm2.logprobs(PROMPTS[:1], ["Riga"]) == base


def _truncate(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])


def _not_json(folder: Path) -> None:
    (folder / CONFIG).write_text("{")


def _pickled(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")


def _biased(folder: Path) -> None:
    (folder / CONFIG).write_text((folder / CONFIG).read_text().replace('"bias": "none"', '"bias": "all"'))


def _foreign_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "base_model.model.lm_head.weight": torch.ones(2, 2)}, folder / WEIGHTS)


@pytest.mark.parametrize("damage", [_truncate, _not_json, _pickled, _biased, _foreign_tensor])
def test_a_damaged_adapter_is_refused_and_the_model_untouched(
    lfm2: HuggingFaceModel, folder_of: Folders, tmp_path: Path, damage: object
) -> None:
    adapter = trained(HuggingFaceModel.load(folder_of("lfm2"), device="cpu"), tmp_path / "adapter")
    assert callable(damage)
    damage(adapter)
    layers = [type(module) for module in lfm2.module.modules()]
    with pytest.raises(CorruptAdapter) as caught, lfm2.adapted(adapter):
        pass
    assert "\n" not in str(caught.value)
    assert [type(module) for module in lfm2.module.modules()] == layers


def test_an_adapter_of_another_architecture_is_refused(folder_of: Folders, tmp_path: Path) -> None:
    adapter = trained(HuggingFaceModel.load(folder_of("qwen3"), device="cpu"), tmp_path / "adapter")
    for family in ("lfm2", "gpt2"):
        model = HuggingFaceModel.load(folder_of(family), device="cpu")
        with pytest.raises(WrongBase, match="layer"), model.adapted(adapter):
            pass


def test_the_cache_goes_by_the_name_that_the_family_gives_it() -> None:
    class Newer:
        def forward(self, input_ids: object, cache: object = None) -> None: ...

    class Older:
        def forward(self, input_ids: object, past_key_values: object = None) -> None: ...

    assert (cache_argument(Newer()), cache_argument(Older())) == ("cache", "past_key_values")


def test_decoding_warns_of_nothing(lfm2: HuggingFaceModel, recwarn: pytest.WarningsRecorder) -> None:
    lfm2.generate([prompts.answer("Where does Ana live?")])
    assert [str(warning.message) for warning in recwarn] == []
