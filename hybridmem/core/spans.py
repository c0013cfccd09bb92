"""Spans of OpenTelemetry around what a memory does, for a program that traces itself.

Nothing is imported for it and nothing is sent by it: a span is made only where the program has loaded OpenTelemetry's
API, and goes where the program's own tracer provider sends it. Without one, OpenTelemetry makes a span that is nothing.
A span has counts and names of parts, and no words of a memory, a query or an answer; where a call fails, its error's
message, as OpenTelemetry records it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from hybridmem.core.version import VERSION

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
Told = Callable[[Any], Mapping[str, str | int | float]]

API = "opentelemetry.trace"
PREFIX = "hybridmem."
"""Before the name of each span and attribute."""


def traced(
    operation: str, attributes: Told = lambda result: {}
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Make a method's calls spans named ``hybridmem.OPERATION``, with what `attributes` says of its result."""

    def of(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        @functools.wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            api = sys.modules.get(API)
            if api is None:
                return method(self, *args, **kwargs)
            with api.get_tracer("hybridmem", VERSION).start_as_current_span(PREFIX + operation) as span:
                result = method(self, *args, **kwargs)
                if span.is_recording():
                    span.set_attributes({PREFIX + name: value for name, value in attributes(result).items()})
                return result

        return call

    return of
