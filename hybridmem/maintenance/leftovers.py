"""What else still says what was erased: whoever deletes a memory is told, and decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.tokens import is_unspaced, normalised, tokens, whole_words
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.composite import parts_of
from hybridmem.workspace import Workspace

PINNED = ("block:", "question:")
"""How the id of a block or a standing question begins."""
FEWEST_WORDS = 3
"""A text of fewer words ("ok", "in Porto") is looked for by itself, and not within longer ones, unless it has a number
or an address."""
FEWEST_SIGNS = 5
"""The same for a text in a script without spaces between its words."""
_RUN = re.compile(r"\w+")
_ENDS = "。、「」『』“”«»¡¿؟،؛।॥ "
"""Punctuation of other scripts than the Latin one that stands at the ends of a sentence."""
_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]{0,200}>")
_ESCAPES = re.compile(r'(?:\\u[0-9A-Fa-f]{4})+|\\[nrtbf"/]')
"""Signs as JSON writes them within a text."""
_BROKEN_WORD = re.compile(r"(?<=\w)-[ \t]*\r?\n[ \t]*(?=\w)")
"""A hyphen at the end of a line, as in text that was set in columns."""
_PICTURE = re.compile(r"emoji[0-9a-f]+")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
"""Signs as URLs write them."""
_ONLY_ONE = re.compile(r"(?<!\S)(?!(?:19|20)\d\d(?!\S))(?=\S*(?:\d|\S@\S))\S{4,}")
"""A number, an address or a key, by which a short text is told from others; a year is not."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Ids of the memories that still say something erased, and ``block:LABEL`` or ``question:ID`` for a block or a
    standing question that does."""

    copies: tuple[str, ...] = ()
    """In the same words, whatever their case and punctuation; now, or in their history."""
    mentions: tuple[str, ...] = ()
    """Among other things, or in part."""


def words_of(workspace: Workspace, id: str) -> tuple[str, ...]:
    """Every text that goes when memory `id` is erased, those of its history, of its parts and of the facts that stand
    on it alone among them; and what each of these facts states, in its bare words."""
    ledger, namespace = workspace.ledger, workspace.namespace
    memory = ledger.get(namespace, id)
    parts = ledger.get_many(namespace, parts_of(memory)).values()
    facts = [fact for fact in ledger.facts(namespace, include_retired=True, source=id) if fact.sources == (id,)]
    found: list[str] = []
    for going in (memory, *parts, *facts):
        found += [event.text for event in ledger.history(namespace, going.id) if event.text is not None]
        found.append(going.quoted if isinstance(going, Episode) else going.bare)
    return tuple(dict.fromkeys(found))


def standing_texts(ledger: Ledger, namespace: Namespace) -> Iterator[tuple[str, str]]:
    """(``block:LABEL``, text) of what every block says, and has said before, and (``question:ID``, text) of every
    standing question."""
    for block in ledger.blocks(namespace):
        id = f"block:{block.label}"
        yield id, block.value
        yield from ((id, event.text) for event in ledger.block_history(namespace, block.label) if event.text)
    for question in ledger.standing_questions(namespace):
        yield f"question:{question.id}", question.question


def find(
    erased: Iterable[str],
    texts: Iterable[tuple[str, str]],
    sources: Iterable[str] = (),
    details: Iterable[tuple[str, str]] = (),
) -> Leftovers:
    """Which of `texts` (id and text) still say one of the `erased` ones, or have it in their metadata, the `details`
    (id and text); `sources` are episodes that do in any case.

    >>> find(["Ana lives in Porto."], [("e1", "ana lives in porto"), ("e2", "I know: Ana lives in Porto, on a hill.")])
    Leftovers(copies=('e1',), mentions=('e2',))
    """
    erased = list(erased)
    words = {folded for text in erased if (folded := _folded(text))}
    phrases = _Phrases(each for each in words if _is_long(each))
    # The same words with other signs between them ("PIN: the ferret", "**PIN** the ferret") are no copy: a sign may
    # be what tells two memories from each other.
    spelt = _Phrases(each for text in erased if _is_long(_folded(text)) for each in _spellings(text) if each)
    copies: dict[str, None] = {}
    mentions: dict[str, None] = dict.fromkeys(sources)
    for id, text in texts:
        folded = _folded(text)
        if folded in words:
            copies[id] = None
        elif phrases.touch(folded, _is_long(folded)) or any(
            spelt.touch(each, _is_long(folded)) for each in _spellings(text)
        ):
            mentions[id] = None
    # A word in a tag says nothing, and a memory is no copy for what its metadata quotes.
    mentions |= {
        id: None
        for id, text in details
        if _is_long(text) and (phrases.are_in(_folded(text)) or any(map(spelt.are_in, _spellings(text))))
    }
    return Leftovers(tuple(copies), tuple(id for id in mentions if id not in copies))


class _Phrases:
    """Texts that are looked for within others, by their first words: a deletion may look for thousands in thousands."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._every = sorted(phrases)
        self._beginning: dict[tuple[str, ...], list[str]] = {}
        self._others: list[str] = []
        for phrase in self._every:
            first = tuple(_RUN.findall(phrase)[:FEWEST_WORDS])
            if len(first) == FEWEST_WORDS and not is_unspaced(phrase):
                self._beginning.setdefault(first, []).append(phrase)
            else:
                self._others.append(phrase)

    def are_in(self, text: str) -> bool:
        """Whether one of them is within the normalised `text`."""
        runs = _RUN.findall(text) if self._beginning else []
        begun = (
            phrase
            for first in set(zip(*(runs[start:] for start in range(FEWEST_WORDS)), strict=False))
            for phrase in self._beginning.get(first, ())
        )
        return any(_is_within(phrase, text) for phrase in begun) or any(_is_within(each, text) for each in self._others)

    def touch(self, text: str, is_long: bool) -> bool:
        """Whether one of them is within the `text`, or a text that `is_long` within one of them."""
        return self.are_in(text) or (is_long and any(_is_within(text, phrase) for phrase in self._every))


def _folded(text: str) -> str:
    """`text` for comparison, without the punctuation of other scripts at its ends, either."""
    return normalised(text).strip(_ENDS)


def _spellings(text: str) -> set[str]:
    """The words of `text` alone, whatever stands between them: punctuation, pictures, markup, or JSON's escapes. Of a
    word that is broken at the end of a line, as one and as two.

    >>> sorted(_spellings("<b>PIN</b>&nbsp;hint: the fer-\\nret"))
    ['pin hint the fer ret', 'pin hint the ferret']
    """
    if "\\" in text:
        text = _ESCAPES.sub(_unescaped, text)
    if "%" in text:
        text = _PERCENT.sub(lambda found: unquote(found.group()), text)
    if "<" in text or "&" in text:
        text = unescape(_TAG.sub(" ", text))
    return {_words(text), _words(_BROKEN_WORD.sub("", text))} if _BROKEN_WORD.search(text) else {_words(text)}


def _words(text: str) -> str:
    found = tokens(text)
    return " ".join([word for word in found if not _PICTURE.fullmatch(word)] or found)


def _unescaped(found: re.Match[str]) -> str:
    written = found.group()
    if not written.startswith("\\u"):
        return " "
    units = b"".join(int(each, 16).to_bytes(2, "big") for each in written.split("\\u")[1:])
    return units.decode("utf-16-be", "replace")


def _is_long(text: str) -> bool:
    if text.count(" ") >= FEWEST_WORDS - 1 or _ONLY_ONE.search(text):
        return True
    return len(text) >= FEWEST_SIGNS and is_unspaced(text)


def _is_within(phrase: str, text: str) -> bool:
    # The plain test first: each pattern has to be compiled.
    return phrase in text and (is_unspaced(phrase) or whole_words(phrase).search(text) is not None)


def sources_of(memory: Episode | Fact) -> tuple[str, ...]:
    """Ids of the episodes in which a fact was read; an episode has none."""
    return memory.sources if isinstance(memory, Fact) else ()
