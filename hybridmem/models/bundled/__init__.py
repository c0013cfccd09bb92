"""The small base that travels with hybridmem: its weights, tokenizer and card lie in this folder."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Where they lie."""
    return Path(__file__).parent
