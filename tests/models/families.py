"""Tiny random models of several families, each saved as a folder with a tokenizer of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}{% if m.role != 'system' %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
REFUSES_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TEMPLATE
VOCABULARY = 300


def tokenizer(template: str | None = TEMPLATE, merges: Sequence[tuple[str, str]] = ()) -> Any:
    """Bytes as tokens, the marks of turns, and what `merges` makes of bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    marks = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    tokens = [*marks, *alphabet, *map("".join, merges)]
    inner = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, list(merges)))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(marks)
    made = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<|pad|>", eos_token="<|end|>")
    made.chat_template = template
    return made


def config(family: str) -> Any:
    """Two layers, 32 wide, with whatever sets the family apart: fused projections, windows, ties, biases, soft caps."""
    import transformers

    common: dict[str, Any] = {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1}
    sized: dict[str, Any] = {
        **common,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 1024,
    }
    grouped = {**sized, "num_key_value_heads": 2}
    window = {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention"]}
    made: dict[str, Callable[[], Any]] = {
        "lfm2": lambda: transformers.Lfm2Config(
            **grouped, block_auto_adjust_ff_dim=False, layer_types=["conv", "full_attention"]
        ),
        "llama": lambda: transformers.LlamaConfig(**grouped),
        "mistral": lambda: transformers.MistralConfig(**grouped, sliding_window=24),
        "qwen2": lambda: transformers.Qwen2Config(**grouped, tie_word_embeddings=True),
        "qwen3": lambda: transformers.Qwen3Config(**grouped, head_dim=8),
        "gemma": lambda: transformers.GemmaConfig(**grouped, head_dim=8),
        "gemma2": lambda: transformers.Gemma2Config(**grouped, head_dim=8, **window),
        "gemma3": lambda: transformers.Gemma3TextConfig(**grouped, head_dim=8, **window),
        "phi": lambda: transformers.PhiConfig(**sized),
        "phi3": lambda: transformers.Phi3Config(**grouped),
        "gpt_neox": lambda: transformers.GPTNeoXConfig(**sized),
        "gpt2": lambda: transformers.GPT2Config(**common, n_embd=32, n_layer=2, n_head=4, n_positions=1024),
        "bloom": lambda: transformers.BloomConfig(**common, hidden_size=32, n_layer=2, n_head=4),
    }
    return made[family]()


def save(
    family: str,
    folder: Path,
    *,
    seed: int = 0,
    template: str | None = TEMPLATE,
    decided: bool = False,
    layers: int | None = None,
) -> Path:
    """A random model of `family` in `folder`. With `decided` its head can make one word certain: the last layer's norm
    bounds what comes out, and a random head of this width gives no word more than a third. `layers`, where they are
    given, take the place of the family's two."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        settings = config(family)
        if layers is not None:
            settings.num_hidden_layers = layers
        model = AutoModelForCausalLM.from_config(settings)
        with torch.no_grad():
            # Wide enough that the distributions are not flat: a wrong position or mask then shows.
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.mul_(8)
            if decided:
                model.get_output_embeddings().weight.mul_(4)
    model.save_pretrained(folder)
    tokenizer(template).save_pretrained(folder)
    return folder


FAMILIES = (
    "lfm2",
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "gemma2",
    "gemma3",
    "phi",
    "phi3",
    "gpt_neox",
    "gpt2",
)
"""Bloom is not among them: it takes no position ids, and has a test of its own."""
