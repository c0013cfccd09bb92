"""Questions about what was said as such: who said it, when, and whether it is so."""

from __future__ import annotations

from collections.abc import Callable

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.fact_generator import Fact, FactGenerator
from hybridmem.evaluation.memory_jobs.scenes import LABELLED, Asked, Scene
from hybridmem.evaluation.memory_jobs.sentences import capitalised, fill, yes_no_form
from hybridmem.models import prompts

YES, NO = "Yes", "No"

WHO = (
    "Who said that {x}?", "Who told us that {x}?", "Who mentioned that {x}?", "Who says {x}?", "Who wrote that {x}?",
    "Who was it that said {x}?", "From whom do we know that {x}?", "Whose message says that {x}?",
    "Who claimed that {x}?",
    "According to whom {x}?", "Who brought up that {x}?", "Which of them told me that {x}?", "Who reported that {x}?",
    "{x}: who said so?",
    "Who let us know that {x}?", "Who came up with the news that {x}?",
)  # fmt: skip
WHEN = (
    "When did I note that {x}?", "When was it said that {x}?", "On what date did we hear that {x}?",
    "When did we learn that {x}?", "What is the date of the note that {x}?", "On which day was it noted that {x}?",
    "When did somebody mention that {x}?", "Since when do we know that {x}?", "{x}: when was that written?",
    "What date does the line carry that says {x}?", "When was I told that {x}?", "When did it come up that {x}?",
    "From which date is the message that {x}?", "When did they tell me that {x}?",
    "On what day did I find out that {x}?", "When exactly was it mentioned that {x}?",
)  # fmt: skip
WHETHER = (
    "Is it true that {x}?", "Is it right that {x}?", "{x}, right?", "{x}, is that correct?", "{x}?",
    "Is it so that {x}?", "Can you confirm that {x}?", "Do the notes say that {x}?", "Did somebody say that {x}?",
    "Do we know whether {x}?", "True or not: {x}?", "Yes or no: {x}?", "So {x}?", "Is it the case that {x}?",
    "Am I right that {x}?", "Would it be correct to say that {x}?",
)  # fmt: skip
_HELD_OUT = 2
"""How many forms at the end of each list are kept for evaluation."""


class AttributionQuestions:
    """Asks about the sentences of a scene, in the words of `generator`; None where a scene has none to ask about."""

    def __init__(self, generator: FactGenerator, new_forms: bool) -> None:
        self.generator, self.rng, self._new_forms = generator, generator.rng, new_forms

    def who(self, scene: Scene) -> Asked | None:
        """Who said what one line says of somebody else."""
        if not scene.speakers:
            return None
        return self._asked(scene, WHO, lambda line: line.partition("] ")[2 if scene.dates else 0].partition(": ")[0])

    def when(self, scene: Scene) -> Asked | None:
        """The date of the line that says something."""
        return self._asked(scene, WHEN, lambda line: line[1:11]) if scene.dates else None

    def whether(self, scene: Scene) -> Asked | None:
        """Whether something is so: it is, another value holds, or the memories do not say."""
        rng, generator = self.rng, self.generator
        facts = [fact for fact in scene.facts if fact.subject != SPEAKER]
        if not facts:
            return None
        fact, way, answer = any_of(rng, facts), rng.random(), YES
        if way > 0.8:
            relation = generator.relation_of(fact.relation.subject)
            if any(generator.alike(relation, near.relation) for near in facts if near.subject == fact.subject):
                return None
            fact, answer = generator.fact(relation, fact.subject), prompts.REFUSAL
        elif way > 0.42:
            if not fact.relation.single:
                return None
            near = [other.value for other in facts if other.relation == fact.relation and other.value != fact.value]
            wrong = fact.old or (any_of(rng, near) if near and rng.random() < 0.6 else "")
            fact, answer = Fact(fact.subject, fact.relation, wrong or generator.value(fact.relation, fact.value)), NO
        asked = self._turned(fact) if rng.random() < 0.55 else None
        if asked is None:
            said = self._reported(fact)
            asked = said and capitalised(any_of(rng, self._forms(WHETHER)).replace("{x}", said))
        return (asked, answer, "whether") if asked else None

    def _asked(self, scene: Scene, forms: tuple[str, ...], answer: Callable[[str], str]) -> Asked | None:
        able = [
            fact
            for fact in scene.facts
            if fact.old is None and fact.subject != SPEAKER and fact.subject not in scene.speakers
        ]
        if not able or (scene.voice == LABELLED and forms is WHO):
            return None
        fact = any_of(self.rng, able)
        said = self._reported(fact)
        line = scene.lines[scene.stated_in[fact]]
        if said is None:
            return None
        return capitalised(any_of(self.rng, self._forms(forms)).replace("{x}", said)), answer(line), "saying"

    def _reported(self, fact: Fact) -> str | None:
        """The fact as a clause, to stand behind "that"."""
        forms = self.generator.forms(fact.relation).statements
        plain = [form for form in forms if form.startswith("{s} ") and form.count(".") == 1 and form.endswith(".")]
        if not plain:
            return None
        return fact.subject + fill(any_of(self.rng, plain), fact.subject, fact.value)[len(fact.subject) : -1]

    def _turned(self, fact: Fact) -> str | None:
        """The fact's statement turned into a question."""
        forms = [turned for form in self.generator.forms(fact.relation).statements if (turned := yes_no_form(form))]
        return fill(any_of(self.rng, forms), fact.subject, fact.value) if forms else None

    def _forms(self, forms: tuple[str, ...]) -> tuple[str, ...]:
        return forms[-_HELD_OUT:] if self._new_forms else forms[:-_HELD_OUT]
