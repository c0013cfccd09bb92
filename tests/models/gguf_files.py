"""GGUF files of a few kilobytes: a random Llama with a tokenizer of bytes, as llama.cpp's converter writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
"""llama.cpp's names of what a layer of a Llama holds."""


def vocabulary() -> list[str]:
    from tokenizers import pre_tokenizers

    return [*MARKS, *sorted(pre_tokenizers.ByteLevel.alphabet()), "th", "the"]


def llama(seed: int = 0) -> Any:
    """A random model whose matrices come in blocks of 32, as every quantization has them."""
    import torch
    import transformers

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                vocab_size=len(vocabulary()),
                hidden_size=64,
                intermediate_size=96,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=512,
                tie_word_embeddings=True,
                bos_token_id=1,
                eos_token_id=2,
                initializer_range=0.2,
            )
        ).eval()


def write(
    path: Path,
    module: Any = None,
    *,
    quantization: str = "F32",
    architecture: str = "llama",
    tokenizer: str | None = "gpt2",
    without: str = "",
    parts: int = 1,
) -> Path:
    """`module`, or `llama()`, as the GGUF file `path`; `without` names a tensor that is left out."""
    import gguf

    module = llama() if module is None else module
    config = module.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config.vocab_size)
    if parts > 1:
        writer.add_uint16("split.count", parts)
    if tokenizer is not None:
        tokens = vocabulary()
        writer.add_tokenizer_model(tokenizer)
        writer.add_token_list(tokens)
        writer.add_token_types([3 if token in MARKS else 1 for token in tokens])
        writer.add_token_merges(["t h", "th e"])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_pad_token_id(2)
        writer.add_chat_template(TEMPLATE)
    kind = getattr(gguf.GGMLQuantizationType, quantization)
    for name, tensor in _tensors(module):
        if name == without:
            continue
        if tensor.ndim == 1 or quantization == "F32":
            writer.add_tensor(name, tensor.astype(np.float32))
        else:
            writer.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(module: Any) -> list[tuple[str, np.ndarray[Any, np.dtype[np.float32]]]]:
    found = []
    for name, tensor in module.state_dict().items():
        values = tensor.float().numpy()
        if name == "model.embed_tokens.weight":
            found.append(("token_embd.weight", values))
        elif name == "model.norm.weight":
            found.append(("output_norm.weight", values))
        elif name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            part = rest.removesuffix(".weight")
            if part.endswith(("q_proj", "k_proj")):
                heads = module.config.num_attention_heads if "q_proj" in part else module.config.num_key_value_heads
                values = _interleaved(values, heads)
            found.append((f"blk.{layer}.{_NAMES[part]}.weight", values))
    return found


def _interleaved(values: Any, heads: int) -> Any:
    """Rows in the order in which llama.cpp rotates them: pairs side by side, and not half a head apart."""
    rows, width = values.shape
    return np.ascontiguousarray(values.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width))
