"""What a client can do about an error: it has tools, and no shell."""

from __future__ import annotations

from hybridmem.core.errors import (
    AdapterError,
    HybridMemError,
    ModelError,
    StoreBusy,
    StoreError,
    TextTooLong,
    UnknownBlock,
    UnknownMemory,
)
from hybridmem.models.prompts import one_line

_OPERATOR = "the person who runs this server can mend that, and no tool can"
ADVICE: dict[type[HybridMemError], str] = {
    UnknownMemory: "recall returns the ids of memories",
    UnknownBlock: "profile returns the labels of blocks",
    TextTooLong: "split it, and call remember for each part",
    StoreBusy: "",  # the message itself says to try again
    StoreError: _OPERATOR,
    ModelError: _OPERATOR,
    AdapterError: _OPERATOR,
}


def advised(error: HybridMemError) -> str:
    """`error` in one line, with what the client can do."""
    return one_line(error.advised(ADVICE))
