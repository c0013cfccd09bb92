"""Names and URLs that stand for an implementation of a protocol."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hybridmem.core.errors import HybridMemError, InvalidInput

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Registry(Generic[Given, Made]):
    """Implementations of one protocol by name. A maker takes the name as the user wrote it, and a `Given`.

    A name is fixed (``memory``), or begins with a fixed part and goes on with what the user fills in, which the form
    has in capital letters (``http://HOST:PORT``). One call of `register` adds a name.

    >>> colours: Registry[None, str] = Registry("colour")
    >>> colours.register("red", lambda name, given: "#f00")
    >>> colours.register("rgb:HEX", lambda name, given: "#" + name.removeprefix("rgb:"))
    >>> colours.make("rgb:00f", None)
    '#00f'
    >>> colours.make("blue", None)
    Traceback (most recent call last):
    hybridmem.core.errors.InvalidInput: no colour is called 'blue': use red or rgb:HEX
    """

    what: str
    """What is registered, as a noun for the error message."""
    error: type[HybridMemError] = InvalidInput
    """Raised for an unknown name."""
    _makers: dict[str, Callable[[str, Given], Made]] = field(default_factory=dict)

    def register(self, form: str, make: Callable[[str, Given], Made]) -> None:
        """Let the names of this form stand for what `make` returns."""
        self._makers[form] = make

    def forms(self) -> tuple[str, ...]:
        """The names to choose from."""
        return tuple(self._makers)

    def make(self, name: str, given: Given) -> Made:
        """What `name` stands for. Raises as `require` does."""
        return self._maker(name)(name, given)

    def require(self, name: str) -> None:
        """Raise `error`, in one line that lists the choices, if `name` stands for nothing. Makes nothing."""
        self._maker(name)

    def _maker(self, name: str) -> Callable[[str, Given], Made]:
        for form, maker in self._makers.items():
            fixed = _fixed_part(form)
            if name == form or ("" != fixed != form and len(name) > len(fixed) and name.startswith(fixed)):
                return maker
        *others, last = self._makers
        choices = f"{', '.join(others)} or {last}" if others else last
        raise self.error(f"no {self.what} is called {name!r}: use {choices}")


def _fixed_part(form: str) -> str:
    """The beginning of a form, up to the first word in capitals."""
    return re.split(r"(?<![A-Za-z])[A-Z]{2}", form, maxsplit=1)[0]
