"""Tokenizers that treat the borders of a text differently, for tests of what becomes of text that spells a control
token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridmem.models import bundled, smollm2
from tests.models import families
from tests.models.conftest import STORIES

_MARKS = ("<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>")
_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>\n{{ m.content | trim }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def sentencepiece(scheme: str, *, rstrip: bool = False) -> Any:
    """As Llama's: spaces are ▁, one of which stands before the first word (`scheme`: first) or before each text."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [*"abcdefghijklmnopqrstuvwxyz<>|/_123. ▁\n", "▁a", "▁the", "th", "he", "s>", "</"]
    unknown = ["<unk>"]
    inner = Tokenizer(
        models.BPE(
            {token: at for at, token in enumerate([*unknown, *letters])},
            [("t", "h"), ("h", "e"), ("▁", "a"), ("s", ">"), ("<", "/")],
            unk_token="<unk>",
        )
    )
    inner.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=False)
    inner.decoder = decoders.Metaspace(replacement="▁", prepend_scheme=scheme, split=False)
    inner.add_special_tokens([AddedToken(mark, normalized=False, rstrip=rstrip) for mark in _MARKS])
    made = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="<|end|>", unk_token="<unk>")
    made.chat_template = _TEMPLATE
    return made


def unigram() -> Any:
    """Whose vocabulary spells its own end token, so that plain text becomes it without any matching of added tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = [("<unk>", 0.0), *((mark, -1.0) for mark in _MARKS), *((c, -5.0) for c in "abcdehiknorstu<>|/▁?.\n")]
    inner = Tokenizer(models.Unigram(pieces, 0, False))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never", split=False)
    inner.add_special_tokens(list(_MARKS))
    made = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="<|end|>", unk_token="<unk>")
    made.chat_template = _TEMPLATE
    return made


def normalizing() -> Any:
    """Which reads full-width letters and capitals as plain small ones before it looks for its tokens."""
    from tokenizers import AddedToken, normalizers

    made = families.tokenizer()
    made.backend_tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.backend_tokenizer.add_tokens([AddedToken("<think>", normalized=True, special=False)])
    made.chat_template = families.TEMPLATE + "{% if false %}<think>{% endif %}"
    return made


def loaded(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def smollm2_instruct() -> Any:
    """The default base's, out of the file in its package."""
    from transformers import PreTrainedTokenizerFast

    found = smollm2.packaged()
    if found is None:
        pytest.skip(f"{smollm2.PACKAGE} is not installed: make setup")
    return PreTrainedTokenizerFast.from_pretrained(found.parent, gguf_file=found.name, local_files_only=True)


def smollm2_skilled() -> Any:
    made = smollm2_instruct()
    made.chat_template = smollm2.TEMPLATE.read_text(encoding="utf-8")
    return made


MADE: dict[str, Callable[[], Any]] = {
    "bundled": lambda: loaded(bundled.folder()),
    "smollm2": smollm2_skilled,
    "smollm2-instruct": smollm2_instruct,
    "stories260k": lambda: loaded(STORIES),
    "bytes": families.tokenizer,
    "bytes, no template": lambda: families.tokenizer(None),
    "llama": lambda: sentencepiece("first"),
    "llama, each text": lambda: sentencepiece("always"),
    "phi3": lambda: sentencepiece("never", rstrip=True),
    "unigram": unigram,
    "normalizing": normalizing,
}
