from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hybridmem.core.records import DreamReport
from hybridmem.models import prompts
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.dreaming.nights import RECIPE, open_memory
from tests.models import families

WITH_SYSTEM = families.TEMPLATE.replace("{% if m.role != 'system' %}", "").replace(
    "{% endif %}{% endfor %}", "{% endfor %}"
)


def estimated(folder: Path, template: str | None) -> tuple[DreamReport, int]:
    """(the estimate of a night, tokens of a prompt) of a model with this template."""
    base = families.save("llama", folder / "model", template=template)
    with open_memory(folder / "memory", base) as memory:
        memory.add_fact("Ana", "lives in", "Lisbon")
        tokens = memory.trainable().count_tokens(prompts.answer("In which of these cities does Ana Brito live?"))
        return memory.dream(dry_run=True, recipe=RECIPE), tokens


def test_an_estimate_counts_the_instruction_that_a_template_brings_along(tmp_path: Path) -> None:
    (short, few), (long, many) = estimated(tmp_path / "a", families.TEMPLATE), estimated(tmp_path / "b", WITH_SYSTEM)
    assert many > 2 * few
    rows = RECIPE.train.new_rows + RECIPE.train.refusal_rows + RECIPE.train.reading_rows
    steps = short.steps[-1].counts["steps"]
    assert long.trained_tokens - short.trained_tokens == steps * rows * (many - few)
    assert short.trained_tokens > steps * rows * few


def test_an_estimate_stays_within_the_budget_of_a_night(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    with open_memory(tmp_path / "memory", tiny) as memory:
        memory.add_fact("Ana", "lives in", "Lisbon")
        free = memory.dream(dry_run=True, recipe=RECIPE)
        budget = free.trained_tokens // 2
        bounded = memory.dream(dry_run=True, recipe=replace(RECIPE, train=replace(RECIPE.train, token_budget=budget)))
    assert 0 < bounded.trained_tokens <= budget < free.trained_tokens
    assert bounded.steps[-1].counts["steps"] < free.steps[-1].counts["steps"]
