"""Text that spells a control token stays text: only a chat template writes control tokens into a prompt.

A tokenizer makes one token of ``<|im_end|>`` wherever it reads these letters, in a memory as much as in the template.
So a memory could end the user's turn and begin one of the system. `hide` puts a placeholder in the place of each such
spelling before the template is rendered. `encode` splits the rendered text at the control tokens that are then left,
which are the template's, and reads what lies between them with the matching of control tokens switched off. Text that
spells none has the ids that the tokenizer gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

_MARK = "\ufdd0"
"""Around a placeholder's number. Unicode keeps this code point for a program's own use; where a text has it all the
same, it is hidden, too."""
_PLACEHOLDER = re.compile(f"{_MARK}(\\d*){_MARK}")
_NOTHING = f"{_MARK}{_MARK}"
"""Stands for no text, and has its text read without control tokens."""


class ControlTokens:
    """The control tokens of `tokenizer`: its special tokens, and other added tokens that `template` writes."""

    def __init__(self, tokenizer: Any, template: str | None) -> None:
        self._tokenizer = tokenizer
        self._adds_special = not template
        tokens = {
            token.content: (id, token)
            for id, token in tokenizer.added_tokens_decoder.items()
            # Not the white space that Gemma has as added tokens, and its template as white space.
            if token.special or (token.content.strip() and token.content in (template or ""))
        }
        longest_first = sorted(filter(None, tokens), key=lambda content: (-len(content), content))
        self._contents = [_MARK, *longest_first]
        self._ids = [tokens[content][0] for content in longest_first]
        self._written = re.compile("|".join(map(re.escape, self._contents)))
        self._spelt = re.compile("|".join(_matched(tokens[content][1]) for content in longest_first) or "(?!)")
        # What the tokenizer makes of characters that it does not know is no control token.
        self._forbidden = set(self._ids) - {getattr(tokenizer, "unk_token_id", None)}

    def hide(self, text: str) -> str:
        """`text` with placeholders for control tokens: what a template, and then `encode`, is to be given."""
        hidden = self._written.sub(lambda found: f"{_MARK}{self._contents.index(found.group())}{_MARK}", text)
        if hidden == text and self._normalizer is not None:
            # Full-width letters, say, become a control token only as the tokenizer reads them.
            spelt = self._spelt.search(self._normalizer.normalize_str(text))
            return text + _NOTHING if spelt else text
        return hidden

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, whose parts from elsewhere than the template went through `hide`.

        Without a template, the tokenizer's own first and last tokens stand around them."""
        if _MARK not in text:
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=self._adds_special, verbose=False)
            return ids
        if self._adds_special:
            return self._around(self._plain(self._restored(text), first=True))
        return [id for part, token in self._parts(text) for id in ([token] if token is not None else part)]

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a text that belongs to no prompt, without control tokens."""
        if _MARK in self.hide(text):
            return self._plain(text, first=True)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False, verbose=False)
        return ids

    def _parts(self, text: str) -> Iterator[tuple[list[int], int | None]]:
        """(ids of plain text, None) and ([], a control token's id), in the order of `text`."""
        start = 0
        for found in self._spelt.finditer(text):
            yield self._run(text, start, found.start()), None
            yield [], self._ids[(found.lastindex or 1) - 1]
            start = found.end()
        yield self._run(text, start, len(text)), None

    def _run(self, text: str, start: int, end: int) -> list[int]:
        """Token ids of the plain text between two control tokens, in one piece: as the tokenizer reads it itself."""
        return self._plain(self._restored(text[start:end]), first=start == 0) if start < end else []

    def _restored(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._contents[int(found[1])] if found[1] else "", text)

    def _plain(self, text: str, *, first: bool) -> list[int]:
        """Token ids of `text` without any control token among them. `first`: nothing stands before it."""
        ids = self._read(text, first=first)
        if self._forbidden.isdisjoint(ids):
            return ids
        # The vocabulary itself spells one (Unigram's does): no piece may hold more than a part of it.
        pieces = [text[start:end] for start, end in _cut(self._written, text)]
        read = [self._read(piece, first=first and at == 0) for at, piece in enumerate(pieces)]
        return [id for piece in read for id in piece if id not in self._forbidden]

    def _read(self, text: str, *, first: bool) -> list[int]:
        backend = self._at_start if first else self._going_on
        ids: list[int]
        if backend is not None:
            ids = backend.encode(text, add_special_tokens=False).ids
        else:
            ids = self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True, verbose=False)
        return ids

    def _around(self, ids: list[int]) -> list[int]:
        """`ids` with the tokens that the tokenizer puts before and behind any text."""
        if self._at_start is None:
            whole: list[int] = self._tokenizer.build_inputs_with_special_tokens(ids)
            return whole
        sample = self._at_start.encode("a", add_special_tokens=True)
        own = [at for at, added in enumerate(sample.special_tokens_mask) if not added]
        return [*sample.ids[: own[0]], *ids, *sample.ids[own[-1] + 1 :]]

    @property
    def _backend(self) -> Any:
        """What the tokenizer runs in Rust; None for one that is written in Python."""
        return getattr(self._tokenizer, "backend_tokenizer", None)

    @property
    def _normalizer(self) -> Any:
        return getattr(self._backend, "normalizer", None)

    @cached_property
    def _at_start(self) -> Any:
        return self._without_control_tokens(going_on=False)

    @cached_property
    def _going_on(self) -> Any:
        return self._without_control_tokens(going_on=True)

    def _without_control_tokens(self, *, going_on: bool) -> Any:
        """A copy of the backend that matches no control token; with `going_on`, one that takes no text for the first
        of its prompt, which SentencePiece's models begin with a space."""
        from tokenizers import Tokenizer

        if self._backend is None:
            return None
        values = json.loads(self._backend.to_str())
        for token in values["added_tokens"]:
            token["special"] = token["special"] or token["content"] in self._contents
        if going_on:
            _never_first(values["pre_tokenizer"])
        copy = Tokenizer.from_str(json.dumps(values))
        copy.no_truncation()
        copy.no_padding()
        copy.encode_special_tokens = True
        return copy


def _matched(token: Any) -> str:
    """A pattern, with one group, of what the tokenizer takes for this added token: its flags widen or narrow it."""
    spelling = re.escape(token.content)
    bounded = rf"(?<!\w){spelling}(?!\w)" if token.single_word else spelling
    before, after = r"\s*" if token.lstrip else "", r"\s*" if token.rstrip else ""
    return f"({before}{bounded}{after})"


def _never_first(value: Any) -> None:
    """Have every Metaspace within a pre-tokenizer's settings treat a text as the middle of one."""
    if isinstance(value, dict):
        if value.get("prepend_scheme") == "first":
            value["prepend_scheme"] = "never"
        for inner in value.values():
            _never_first(inner)
    elif isinstance(value, list):
        for inner in value:
            _never_first(inner)


def _cut(spellings: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Where pieces of `text` begin and end that hold none of the `spellings` whole: each is cut after its first
    character."""
    start = 0
    for found in spellings.finditer(text):
        yield start, found.start() + 1
        start = found.start() + 1
    yield start, len(text)
