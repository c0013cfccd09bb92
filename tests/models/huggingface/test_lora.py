from __future__ import annotations

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.models.huggingface.lora import lora_config, target_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models import families
from tests.models.conftest import Folders


@pytest.mark.parametrize("family", families.FAMILIES)
def test_targets_leave_head_and_embeddings_alone(folder_of: Folders, family: str) -> None:
    model = HuggingFaceModel.load(folder_of(family), device="cpu")
    everything, mlp = target_layers(model.module), target_layers(model.module, "mlp")
    assert set(mlp) < set(everything)
    # One into the feed-forward layer, or its gate beside it; Phi-3 has both in one.
    assert len(mlp) == 2 * (2 if family in {"gpt2", "gpt_neox", "phi", "phi3"} else 3)
    head = model.module.get_output_embeddings()
    adapted = {id(model.module.get_submodule(path)) for path in everything}
    assert id(head) not in adapted
    assert id(model.module.get_input_embeddings()) not in adapted
    with model.new_adapter(lora_config(model.module, 2, 4, "mlp"), seed=0) as trainee:
        assert len(trainee.parameters()) == 2 * len(mlp)
        assert target_layers(model.module) == everything


def test_only_layers_that_lie_the_other_way_are_told_so(folder_of: Folders) -> None:
    for family in families.FAMILIES:
        model = HuggingFaceModel.load(folder_of(family), device="cpu")
        assert lora_config(model.module, 2, 4).fan_in_fan_out == (family == "gpt2")


def test_layers_are_chosen_by_their_last_names(lfm2: HuggingFaceModel) -> None:
    assert target_layers(lfm2.module, ("q_proj", "w1")) == [
        "model.layers.0.feed_forward.w1",
        "model.layers.1.feed_forward.w1",
        "model.layers.1.self_attn.q_proj",
    ]
    with pytest.raises(InvalidInput, match=r"'query'.*q_proj"):
        target_layers(lfm2.module, ("query",))
