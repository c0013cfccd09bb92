"""A reader's name with what is chosen for it behind commas, as `models.spec` has it for models.

>>> parse("openai:gpt-5-mini,price_in=0.25,price_out=2")[0]
'openai:gpt-5-mini'
>>> parse("openai:gpt-5-mini,price_in=0.25,price_out=2")[1].cost(2_000_000, 500_000)
1.5
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from hybridmem.core.errors import InvalidInput

PRICED_TOKENS = 1_000_000
"""Prices are for this many tokens, as providers list them."""


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """How a reader elsewhere is asked and accounted for. Behind its name: ``openai:MODEL,price_in=0.2,price_out=2``."""

    at_once: int = 4
    """Requests that are open at the same time."""
    timeout: float = 120.0
    """Seconds until a request without an answer counts as failed."""
    retries: int = 4
    """Further attempts after a failed connection, 408, 409, 429 or 5xx, with growing pauses; a server's Retry-After is
    kept to. A LangChain chat model has its own."""
    price_in: float | None = None
    """Price of a million prompt tokens, in any currency; None for an unknown one."""
    price_out: float | None = None
    """Price of a million completion tokens."""
    max_reader_tokens: int | None = None
    """Tokens, of prompts and completions together, that one night may take; what is beyond waits for the next night.
    None for no bound."""

    def __post_init__(self) -> None:
        """Raises `InvalidInput`."""
        for name, least in (("at_once", 1), ("retries", 0), ("price_in", 0), ("price_out", 0)):
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise InvalidInput(f"{name}={value:g} suits no reader: pass {least} or more")
        for name in ("timeout", "max_reader_tokens"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InvalidInput(f"{name}={value:g} suits no reader: pass a number above 0")

    def cost(self, prompt_tokens: int, tokens: int) -> float | None:
        """What a reader took, in the currency of the prices; None where no price is set."""
        if self.price_in is None and self.price_out is None:
            return None
        return (prompt_tokens * (self.price_in or 0.0) + tokens * (self.price_out or 0.0)) / PRICED_TOKENS


def parse(name: str) -> tuple[str, ReaderSettings]:
    """(the name alone, its settings). Raises `InvalidInput`."""
    bare, *options = name.split(",")
    given: dict[str, float | int] = {}
    whole = {field.name: field.type.startswith("int") for field in dataclasses.fields(ReaderSettings)}
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if key not in whole or not equals or not value:
            raise InvalidInput(f"{option.strip()!r} is no option of a reader: choose of {'=, '.join(whole)}=")
        try:
            given[key] = int(value) if whole[key] else float(value)
        except ValueError:
            raise InvalidInput(f"{key}={value} is no {'whole ' if whole[key] else ''}number: correct it") from None
    return bare.strip(), ReaderSettings(**given)  # type: ignore[arg-type]
