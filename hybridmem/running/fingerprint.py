"""What computed a session's keys and values: another model, adapter, prompt or precision would have made others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from hybridmem.core.errors import StateMismatch

VERSION = 1
"""Of what the keys and values of a state mean."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What computed a state."""

    base: str
    """sha256 of the base's weights."""
    adapter: str
    """sha256 of the adapter's files; "" for the bare base."""
    template: str
    """sha256 of the chat template, and of the tokens that open a prompt with memories."""
    dtype: str
    version: int = VERSION

    @property
    def sha256(self) -> str:
        parts = (self.base, self.adapter, self.template, self.dtype, str(self.version))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def require(self, found: Fingerprint, what: str) -> None:
        """Raise `StateMismatch`, which names both hashes, where `what` was computed by another one, `found`."""
        if found == self:
            return
        names = ("base", "adapter", "template", "dtype", "version")
        different = [name for name in names if getattr(self, name) != getattr(found, name)]
        raise StateMismatch(
            f"{what} was read under {found.sha256}, and this is {self.sha256} (another {' and '.join(different)}): "
            f"read the session anew, or load it with what it was read under"
        )


def template_sha256(template: str | None, opening: tuple[int, ...]) -> str:
    """One digest of a chat template and of the tokens that it opens a prompt with."""
    return hashlib.sha256(f"{template or ''}\n{opening}".encode()).hexdigest()


def adapter_sha256(files: Mapping[str, str]) -> str:
    """One digest of an adapter's files, from the sha256 of each by name."""
    return hashlib.sha256("".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()).hexdigest()
