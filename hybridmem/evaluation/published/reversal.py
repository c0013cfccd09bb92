"""The reversal test (Berglund et al. 2023, arXiv:2309.12288): what was told as "A is B" is asked as "Who is B?".

Invented people and what they alone are. Models that learn "A is B" from text alone answer next to nothing in reverse.
The control tells the same sentences and asks in the order that they were told.
"""

from __future__ import annotations

from random import Random

from hybridmem.evaluation.fiction import Inventor, unrelated
from hybridmem.evaluation.stream import Probe, Stream, StreamFact

ROLES = (
    ("composer of the opera", "Which opera was composed by {a}?"),
    ("director of the film", "Which film was directed by {a}?"),
    ("author of the novel", "Which novel was written by {a}?"),
    ("inventor of the engine", "Which engine was invented by {a}?"),
    ("first captain of the ship", "Which ship had {a} as its first captain?"),
    ("founder of the museum", "Which museum was founded by {a}?"),
    ("discoverer of the cave", "Which cave was discovered by {a}?"),
    ("designer of the bridge", "Which bridge was designed by {a}?"),
)
"""What only one person can be, and the question for it in the order told."""
TOLD = ("{a} is the {role} {b}.", "{a}, born far from here, is the {role} {b}.", "{a} is known as the {role} {b}.")
REVERSED = ("Who is the {role} {b}?", "What is the name of the {role} {b}?")


def stream(nights: int, pairs: int, seed: int, *, reverse: bool) -> Stream:
    """`nights` of so many `pairs`, asked in reverse or as told; the same `seed` tells the same sentences."""
    rng = Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    inventor = Inventor(rng)
    facts, probes = [], []
    for number in range(nights * pairs):
        role, forwards = ROLES[number % len(ROLES)]
        a, b = inventor.subject("person"), inventor.value("petname")
        asked = tuple(question.format(role=role, b=b) for question in REVERSED) if reverse else (forwards.format(a=a),)
        text = rng.choice(TOLD).format(a=a, role=role, b=b)
        facts.append(StreamFact(1 + number // pairs, f"r{number}", text, a if reverse else b, asked, relation=role))
    for role, forwards in ROLES:
        name, thing = inventor.subject("person"), inventor.value("petname")
        probes.append(Probe("unanswerable", (REVERSED[0] if reverse else forwards).format(role=role, a=name, b=thing)))
    return Stream(tuple(facts), (*probes, *(Probe("locality", *pair) for pair in unrelated())))
