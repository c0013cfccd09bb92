"""A reader for one night: what it takes is counted and bounded, and what it replied is kept until the night is over."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hybridmem.core.errors import ModelError, ReaderBudgetSpent
from hybridmem.core.records import ReaderUsage
from hybridmem.models.prompts import Message
from hybridmem.models.reader.base import Reader, Reading, RemoteReading, estimated_tokens
from hybridmem.models.reader.settings import ReaderSettings

RESUME = "nothing is lost: run `hybridmem dream` again, and it goes on from here"
SAME_NIGHT_SECONDS = 12 * 3600.0
"""What was asked within this time before counts against the same bound: a night that is tried again is one night."""
LEAST_REPLY = 8
"""Tokens that a reply is taken to have, when a call is weighed against the bound."""


class MeteredReader:
    """A reader that counts its calls, stops at its bound, and asks for no completion twice.

    A night asks for some completions again (before and after the training; once more to calibrate). Its replies also
    lie in the file `kept`, so that a dream that was stopped does not pay for them anew. All of that is for readers that
    give one prompt one completion. `before` is what the replies took that a stopped dream left; it is no part of what
    this one takes. Every other attribute is the reader's own."""

    def __init__(self, reader: Reader, kept: Path) -> None:
        self._reader = reader
        self._kept = kept
        self.settings: ReaderSettings = getattr(reader, "settings", None) or ReaderSettings()
        self._replies: dict[str, RemoteReading] = {}
        self._taken = ReaderUsage()
        self._spent = 0
        self._share = 1.0
        self.before = self._load()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def take(self) -> ReaderUsage:
        """What was asked since this was last called."""
        taken, self._taken = self._taken, ReaderUsage()
        return self._priced(taken)

    @property
    def room(self) -> int | None:
        """Tokens that are left within the bound, or within the share of it that holds now; None for no bound."""
        if self.settings.max_reader_tokens is None:
            return None
        return max(0, int(self.settings.max_reader_tokens * self._share) - self._spent)

    @contextmanager
    def within(self, share: float) -> Iterator[None]:
        """Until the block ends, this `share` of the bound holds: the rest is for what comes after."""
        before, self._share = self._share, share
        try:
            yield
        finally:
            self._share = before

    def generate(
        self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24, **sampling: Any
    ) -> Sequence[Reading]:
        """Raises `ReaderBudgetSpent` before a call whose prompt would pass the bound, and `ModelError` as the reader
        does. The replies to the last calls may pass the bound by their own length."""
        if sampling or hasattr(self._reader, "logprobs"):
            return self._asked([*prompts], max_new_tokens, **sampling)
        keys = [_key(prompt, max_new_tokens) for prompt in prompts]
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in self._replies}
        fresh = list(new.items())
        for start in range(0, len(fresh), self.settings.at_once):
            part = fresh[start : start + self.settings.at_once]
            replies = self._asked([prompt for _, prompt in part], max_new_tokens)
            found = {key: _plain(reply) for (key, _), reply in zip(part, replies, strict=True)}
            self._replies |= found
            self._keep(found)
        return [self._replies[key] for key in keys]

    def _asked(self, prompts: Sequence[Sequence[Message]], max_new_tokens: int, **sampling: Any) -> list[Reading]:
        needed = sum(map(estimated_tokens, prompts)) + LEAST_REPLY * len(prompts)
        if self.room is not None and needed > self.room:
            raise ReaderBudgetSpent(
                f"the night's {self.settings.max_reader_tokens:,} tokens of the reader are spent: nothing is lost, and "
                f"the next night goes on from here; or give the reader a larger max_reader_tokens"
            )
        try:
            replies = self._reader.generate(prompts, max_new_tokens=max_new_tokens, **sampling)
        except ModelError as error:
            raise type(error)(f"{error}; {RESUME}") from None
        took = sum(map(_usage, replies), start=ReaderUsage())
        self._spent += took.tokens
        self._taken += took
        return list(replies)

    def _priced(self, usage: ReaderUsage) -> ReaderUsage:
        return replace(usage, cost=self.settings.cost(usage.prompt_tokens, usage.completion_tokens))

    def _keep(self, replies: dict[str, RemoteReading]) -> None:
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        with self._kept.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps([key, asdict(reply)]) + "\n" for key, reply in replies.items())

    def _load(self) -> ReaderUsage:
        """Read what a stopped dream left; the last line may have been cut off."""
        took = ReaderUsage()
        for line in self._kept.read_text("utf-8").splitlines() if self._kept.exists() else ():
            try:
                key, values = json.loads(line)
            except ValueError:
                continue
            reply = self._replies[key] = RemoteReading(**values)
            took += _usage(reply)
        if took.calls and time.time() - self._kept.stat().st_mtime < SAME_NIGHT_SECONDS:
            self._spent = took.tokens
        return self._priced(took)


def _plain(reply: Reading) -> RemoteReading:
    """A reply as the file keeps it, whatever the reader's own form."""
    if isinstance(reply, RemoteReading):
        return reply
    return RemoteReading(reply.text, reply.prompt_tokens, reply.tokens)


def _usage(reply: Reading) -> ReaderUsage:
    """What one call took."""
    return ReaderUsage(
        1,
        reply.prompt_tokens,
        reply.tokens,
        int(getattr(reply, "is_estimated", False)),
        int(bool(getattr(reply, "refused", ""))),
    )


def _key(prompt: Sequence[Message], max_new_tokens: int) -> str:
    """A digest, so that the file has no prompts in it."""
    return hashlib.sha256(json.dumps([list(prompt), max_new_tokens]).encode()).hexdigest()
