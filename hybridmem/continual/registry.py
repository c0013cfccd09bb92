"""Strategies by name. Files in `strategies/` are found automatically; other packages call `register`.

>>> sorted(names())[:3]
['distil-only', 'full-context', 'joint']
>>> get("replay").answers
'weights'
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from hybridmem.continual import strategies
from hybridmem.continual.base import Strategy
from hybridmem.core.errors import InvalidInput

_registered: dict[str, Strategy] = {}


def names() -> tuple[str, ...]:
    """Every strategy's name, in alphabetical order."""
    return tuple(sorted({**_found(), **_registered}))


def get(name: str) -> Strategy:
    """The strategy of that name. Raises `InvalidInput`."""
    found = {**_found(), **_registered}.get(name)
    if found is None:
        raise InvalidInput(f"no strategy is called {name!r}: choose one of {', '.join(names())}")
    return found


def register(strategy: Strategy) -> None:
    """Make `strategy` known by its name. Raises `InvalidInput` where another one has that name."""
    known = {**_found(), **_registered}.get(strategy.name)
    if known is not None and known != strategy:
        raise InvalidInput(f"a strategy is called {strategy.name!r} already: choose another name")
    _registered[strategy.name] = strategy


def unregister(name: str) -> None:
    """Forget a strategy that was registered; what lies in `strategies/` stays."""
    _registered.pop(name, None)


@cache
def _found() -> dict[str, Strategy]:
    """Each file in `strategies/` sets `STRATEGY`."""
    modules = [
        importlib.import_module(f"{strategies.__name__}.{module.name}")
        for module in pkgutil.iter_modules(strategies.__path__)
    ]
    return {module.STRATEGY.name: module.STRATEGY for module in modules}
