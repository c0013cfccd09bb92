"""What every language model must do. Subclass it in a test module and give it a `model`:

class TestMyModel(LanguageModelConformance):
    @pytest.fixture
    def model(self): return MyModel()
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hybridmem.core.errors import CorruptAdapter
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

PROMPTS = [
    prompts.answer("Where does Ana live?", ["Ana lives in Lisbon."]),
    prompts.answer("Where does Tom Becker live?", ["Ana lives in Lisbon.", "Tom Becker has moved to Riga at last."]),
    prompts.answer("Where does Ana live?"),
    prompts.facts("Ana lives in Lisbon."),
]


class LanguageModelConformance:
    """Also give it an `adapter`, a folder that changes what `model` answers to `PROMPTS`, to test adapters."""

    @pytest.fixture
    def model(self) -> LanguageModel:
        raise NotImplementedError("override the fixture `model`")

    @pytest.fixture
    def adapter(self, model: LanguageModel) -> Path:
        pytest.skip("no adapter for this model")

    def test_it_has_a_name_and_a_digest(self, model: LanguageModel) -> None:
        assert model.name
        assert len(model.sha256) == 64
        assert set(model.sha256) <= set("0123456789abcdef")

    def test_no_prompts_give_no_answers(self, model: LanguageModel) -> None:
        assert model.generate([]) == []
        assert model.logprobs([], []) == []

    def test_each_prompt_has_its_completion_within_the_limit(self, model: LanguageModel) -> None:
        done = model.generate(PROMPTS, max_new_tokens=5)
        assert len(done) == len(PROMPTS)
        for prompt, generation in zip(PROMPTS, done, strict=True):
            assert generation.prompt_tokens == model.count_tokens(prompt) > 0
            assert 1 <= generation.tokens <= 6
            assert generation.text == generation.text.strip()

    def test_its_figures_are_probabilities(self, model: LanguageModel) -> None:
        for generation in model.generate(PROMPTS, max_new_tokens=5):
            assert generation.logprob <= 1e-6
            assert 0 < generation.min_probability <= 1 + 1e-6
            assert generation.logprob <= math.log(generation.min_probability) + 1e-4
            assert generation.logprob >= generation.tokens * math.log(generation.min_probability) - 1e-4
            assert generation.margin >= 0
            assert generation.entropy >= -1e-6

    def test_greedy_answers_do_not_depend_on_the_seed(self, model: LanguageModel) -> None:
        first = model.generate(PROMPTS, max_new_tokens=5, seed=1)
        second = model.generate(PROMPTS, max_new_tokens=5, seed=2)
        assert [generation.text for generation in first] == [generation.text for generation in second]

    def test_the_same_seed_gives_the_same_samples(self, model: LanguageModel) -> None:
        first = model.generate(PROMPTS, max_new_tokens=5, temperature=1.0, seed=7)
        second = model.generate(PROMPTS, max_new_tokens=5, temperature=1.0, seed=7)
        assert [generation.text for generation in first] == [generation.text for generation in second]

    def test_a_batch_answers_as_single_prompts_do(self, model: LanguageModel) -> None:
        for prompt, together in zip(PROMPTS, model.generate(PROMPTS, max_new_tokens=5), strict=True):
            (alone,) = model.generate([prompt], max_new_tokens=5)
            assert alone.text == together.text
            assert alone.logprob == pytest.approx(together.logprob, abs=2e-3)

    def test_logprobs_cover_each_token_and_the_end(self, model: LanguageModel) -> None:
        short, long = model.logprobs(PROMPTS[:2], ["Riga", "Riga and then Lisbon"])
        assert 2 <= len(short) < len(long)
        assert all(value <= 1e-6 for value in [*short, *long])
        assert model.logprobs(PROMPTS[1:2], ["Riga and then Lisbon"])[0] == pytest.approx(long, abs=2e-3)

    def test_the_bare_base_answers_outside_of_adapters(self, model: LanguageModel) -> None:
        before = model.generate(PROMPTS, max_new_tokens=5)
        with model.adapted(None):
            assert model.generate(PROMPTS, max_new_tokens=5) == before

    def test_an_adapter_is_in_force_within_its_context_alone(self, model: LanguageModel, adapter: Path) -> None:
        before = model.logprobs(PROMPTS, ["Riga"] * len(PROMPTS))
        with model.adapted(adapter):
            within = model.logprobs(PROMPTS, ["Riga"] * len(PROMPTS))
            with model.adapted(None):
                assert model.logprobs(PROMPTS, ["Riga"] * len(PROMPTS)) == before
            assert model.logprobs(PROMPTS, ["Riga"] * len(PROMPTS)) == within
        assert within != before
        assert model.logprobs(PROMPTS, ["Riga"] * len(PROMPTS)) == before

    def test_an_error_within_the_context_still_ends_it(self, model: LanguageModel, adapter: Path) -> None:
        before = model.logprobs(PROMPTS[:1], ["Riga"])
        with pytest.raises(KeyError), model.adapted(adapter):
            raise KeyError
        assert model.logprobs(PROMPTS[:1], ["Riga"]) == before

    def test_a_folder_without_an_adapter_is_refused_in_one_line(self, model: LanguageModel, tmp_path: Path) -> None:
        before = model.generate(PROMPTS[:1], max_new_tokens=5)
        with pytest.raises(CorruptAdapter) as caught, model.adapted(tmp_path):
            pass
        assert "\n" not in str(caught.value)
        assert model.generate(PROMPTS[:1], max_new_tokens=5) == before
