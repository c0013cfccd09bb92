"""A question of the router's benchmark: of which kind, when it is asked, and what is right and wrong to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hybridmem.metrics import is_correct

Moment = Literal["day", "night"]
"""``day``: after the day's events and before its dream; ``night``: after the dream."""
Part = Literal["fit", "dev", "test"]
"""What may be fitted on, what chooses among what was fitted, and what nothing was chosen on."""
PARTS: tuple[Part, ...] = ("fit", "dev", "test")

KINDS: Mapping[str, str] = {
    "consolidated": "A fact of this day or an earlier one, after the dream over it.",
    "paraphrase": "The same fact in the same night, in another wording.",
    "other wording": "A fact as someone asks who needs it for something, in no words of any exercise.",
    "told today": "A fact of this day, before any dream has read it.",
    "superseded before the dream": "A fact whose value changed today, before any dream has read the new one.",
    "superseded after the dream": "A fact whose value changed, after the dream over the new one.",
    "as of": "A fact whose value changed, asked for its value on a day before or after the change.",
    "two-hop": "A fact of today about what an earlier fact names, which a dream has read; neither alone answers it.",
    "long memory": "A fact that one sentence of a long text states, after the dream over it.",
    "deleted": "A fact that was told, dreamt over and deleted.",
    "quarantined": "A fact that was told and then quarantined, before or after the dream over it.",
    "near miss, subject": "What was never said of a subject of which other things were.",
    "near miss, relation": "What was said of others, asked of somebody of whom nothing was.",
    "never stored": "A relation that was never told of anybody, asked of a stranger.",
    "small talk": "Nothing that a memory has to answer.",
}
"""Every kind of question, and what it is. What the stream intends counts: whether the fact is in the weights depends on
what the dreams made of it."""


@dataclass(frozen=True, slots=True)
class RouterQuestion:
    """One question at one moment of a stream."""

    id: str
    night: int
    moment: Moment
    kind: str
    """One of `KINDS`."""
    text: str
    answer: str | None
    """What is right to say; None where nothing answers the question and a refusal is right."""
    fact: str
    """The first fact of its line of values, or what stands for it where no fact is asked for. Questions of one fact are
    not independent of each other."""
    part: Part
    """All questions about one subject are in one part, and so are all about one fact."""
    stale: tuple[str, ...] = ()
    """Values that were replaced and that the question does not ask for."""
    deleted: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()

    def is_right(self, said: str, refused: bool) -> bool:
        """Whether what was `said` is the answer, or a refusal where there is none."""
        if refused or self.answer is None:
            return refused and self.answer is None
        return is_correct(said, self.answer)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> RouterQuestion:
        tuples = {name: tuple(raw[name]) for name in ("stale", "deleted", "quarantined")}
        return cls(**{**raw, **tuples})
