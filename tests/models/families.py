"""Tiny random models of several families, each saved as a folder with a tokenizer of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}{% if m.role != 'system' %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
REFUSES_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TEMPLATE
VOCABULARY = 300


def tokenizer(template: str | None = TEMPLATE) -> Any:
    """Bytes as tokens, and the marks of turns."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    marks = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    inner = Tokenizer(models.BPE({token: at for at, token in enumerate([*marks, *alphabet])}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(marks)
    made = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<|pad|>", eos_token="<|end|>")
    made.chat_template = template
    return made


def config(family: str) -> Any:
    import transformers

    common: dict[str, Any] = {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1}
    modern: dict[str, Any] = {
        **common,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
    }
    if family == "lfm2":
        kinds = ["conv", "full_attention"]
        return transformers.Lfm2Config(**modern, block_auto_adjust_ff_dim=False, layer_types=kinds)
    if family == "llama":
        return transformers.LlamaConfig(**modern)
    if family == "qwen3":
        return transformers.Qwen3Config(**modern, head_dim=8)
    if family == "gpt_neox":
        del modern["num_key_value_heads"]
        return transformers.GPTNeoXConfig(**modern)
    if family == "gpt2":
        return transformers.GPT2Config(**common, n_embd=32, n_layer=2, n_head=4, n_positions=1024)
    if family == "bloom":
        return transformers.BloomConfig(**common, hidden_size=32, n_layer=2, n_head=4)
    raise ValueError(family)


def save(family: str, folder: Path, *, seed: int = 0, template: str | None = TEMPLATE) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config(family))
        with torch.no_grad():
            # Wide enough that the distributions are not flat: a wrong position or mask then shows.
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.mul_(8)
    model.save_pretrained(folder)
    tokenizer(template).save_pretrained(folder)
    return folder


FAMILIES = ("lfm2", "llama", "qwen3", "gpt_neox", "gpt2")
