"""A torch model as a GGUF file, which llama.cpp and Ollama run.

The names, the metadata and the order of rows are those of llama.cpp's own converter. A tokenizer goes in as its
vocabulary, its merges and llama.cpp's name for the way in which it splits text. One without such a name is refused: it
would split text otherwise, and nothing would say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hybridmem.core.errors import InvalidInput

if TYPE_CHECKING:
    from gguf import GGUFWriter

FAMILIES = ("lfm2", "llama", "qwen2", "qwen3")
_LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SPLITS: Mapping[tuple[str, ...], str] = {
    ("words",): "gpt-2",
    ("digits", "words"): "smollm",
    (_LETTERS + r"\p{N}" + _REST, "bytes"): "qwen2",
    (_LETTERS + r"\p{N}{1,3}" + _REST, "bytes"): "llama-bpe",
}
"""llama.cpp's name by the steps in which a tokenizer splits text."""
_HALVES = {torch.bfloat16: "BF16", torch.float16: "F16"}
_NORMAL, _CONTROL, _ADDED, _UNUSED = 1, 3, 4, 5
"""llama.cpp's kinds of tokens."""
_INSTEAD = "export it with --format merged, and convert that folder with llama.cpp's convert_hf_to_gguf.py"


def require(module: Any, tokenizer: Any) -> str:
    """llama.cpp's name for the way in which `tokenizer` splits text.

    Raises `InvalidInput` for a model or a tokenizer that cannot be written as GGUF here."""
    family = module.config.model_type
    if family not in FAMILIES:
        raise InvalidInput(f"a GGUF file is written for the families {', '.join(FAMILIES)}, not {family}: {_INSTEAD}")
    if _rope(module.config).get("rope_type", "default") != "default":
        raise InvalidInput(f"a GGUF file is written for plain rotary positions, not for scaled ones: {_INSTEAD}")
    split = split_name(tokenizer)
    if split is None:
        raise InvalidInput(f"this model's tokenizer splits text in a way that no GGUF file names here: {_INSTEAD}")
    return split


def write(path: Path, module: Any, tokenizer: Any, *, name: str, end_id: int, dtype: torch.dtype) -> None:
    """Write `module` and `tokenizer` to the new file `path`, matrices in `dtype` and the rest in float32. `end_id` is
    the token that ends a turn. Raises what `require` raises."""
    from gguf import GGUFWriter

    split = require(module, tokenizer)
    writer = GGUFWriter(path, module.config.model_type)
    try:
        writer.add_name(name)
        _add_configuration(writer, module.config)
        _add_tokenizer(writer, tokenizer, split, module.config.vocab_size, end_id)
        _add_tensors(writer, module, dtype)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _add_configuration(writer: GGUFWriter, config: Any) -> None:
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(_rope(config)["rope_theta"]))
    if config.model_type == "lfm2":
        # Layers without heads are convolutions.
        attends = [kind == "full_attention" for kind in config.layer_types]
        writer.add_head_count_kv([config.num_key_value_heads if each else 0 for each in attends])
        writer.add_shortconv_l_cache(config.conv_L_cache)
        writer.add_layer_norm_rms_eps(config.norm_eps)
    else:
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _add_tokenizer(writer: GGUFWriter, tokenizer: Any, split: str, size: int, end_id: int) -> None:
    parts = _parts(tokenizer)
    tokens = [f"[PAD{at}]" for at in range(size)]
    kinds = [_UNUSED] * size
    for token, at in parts["model"]["vocab"].items():
        tokens[at], kinds[at] = token, _NORMAL
    for added in parts["added_tokens"]:
        tokens[added["id"]], kinds[added["id"]] = added["content"], _CONTROL if added["special"] else _ADDED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in parts["model"]["merges"]])
    writer.add_eos_token_id(end_id)
    for add, at in (
        (writer.add_bos_token_id, tokenizer.bos_token_id),
        (writer.add_pad_token_id, tokenizer.pad_token_id),
        (writer.add_unk_token_id, tokenizer.unk_token_id),
    ):
        if at is not None:
            add(at)
    writer.add_add_bos_token(tokenizer.encode("a")[:1] == [tokenizer.bos_token_id])
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _add_tensors(writer: GGUFWriter, module: Any, dtype: torch.dtype) -> None:
    import gguf

    config = module.config
    architectures = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(architectures[config.model_type], config.num_hidden_layers)
    half = _HALVES.get(dtype)
    kind = gguf.GGMLQuantizationType[half or "F32"]
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{half}" if half else "ALL_F32"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    width = 0
    for path, tensor in module.state_dict().items():
        if path == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = _rows_as_rotated(path, tensor.float().cpu(), config).numpy()
        if path.endswith("conv.conv.weight"):
            values = values.squeeze(1)
        name = names.get_name(path, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise InvalidInput(f"no GGUF file has a place for {path} of this model: {_INSTEAD}")
        if ".ffn_gate" in name:
            width = len(values)
        if half and values.ndim > 1 and "shortconv.conv" not in name:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values)
    # Of the weights: what LFM2's configuration says is rounded before it becomes their width.
    writer.add_feed_forward_length(width)


def _rows_as_rotated(path: str, tensor: torch.Tensor, config: Any) -> torch.Tensor:
    """llama.cpp rotates pairs of neighbouring rows for a Llama, transformers rows half a head apart."""
    side = path.rsplit(".", 2)[-2]
    if config.model_type != "llama" or side not in ("q_proj", "k_proj"):
        return tensor
    heads = config.num_attention_heads if side == "q_proj" else config.num_key_value_heads
    pairs = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return pairs.transpose(1, 2).reshape(tensor.shape).contiguous()


def _rope(config: Any) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = config.rope_parameters
    return parameters


def _parts(tokenizer: Any) -> dict[str, Any]:
    """The tokenizer as its file has it; nothing of one that has no such file."""
    inner = getattr(tokenizer, "backend_tokenizer", None)
    return {} if inner is None else dict(json.loads(inner.to_str()))


def split_name(tokenizer: Any) -> str | None:
    """llama.cpp's name for the way in which a byte-level BPE tokenizer with merges splits text; None for any other."""
    parts = _parts(tokenizer)
    inner = parts.get("model", {})
    if inner.get("type") != "BPE" or not inner["merges"] or (parts["normalizer"] or {"type": "NFC"})["type"] != "NFC":
        return None
    step = parts["pre_tokenizer"] or {}
    steps = step["pretokenizers"] if step.get("type") == "Sequence" else [step]
    return _SPLITS.get(tuple(map(_split_step, steps)))


def _split_step(step: Mapping[str, Any]) -> str:
    match step:
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": splits}:
            return "words" if splits else "bytes"
        case {"type": "Digits", "individual_digits": True}:
            return "digits"
        case {"type": "Split", "pattern": {"Regex": r"\d" | r"\p{N}"}, "behavior": "Isolated"}:
            return "digits"
        case {"type": "Split", "pattern": {"Regex": str(regex)}, "behavior": "Isolated", "invert": False}:
            return regex
    return "unknown"
