"""A small reader's propositions are about whom the message speaks of."""

from __future__ import annotations

import pytest

from hybridmem.dreaming.reading.whose import is_anothers
from tests.dreaming.reading.test_support import source


@pytest.mark.parametrize(
    ("text", "proposition"),
    [
        ("Marcus told me his wife is expecting, due in April.", "The user's wife is due in April."),
        ("Jules loved the crane. There were eleven kids, I need a nap.", "Jules needs a nap."),
        ("Hanne's train takes 50 minutes; she used to drive.", "The user used to drive."),
        ("Ana's car is in the garage.", "The user's car is in the garage."),
        ("Slept badly, the neighbours had a party until 3.", "The user had a party until 3."),
        ("We promised the customer that it would be out in May.", "The customer promised it in May."),
        ("I finally told Priya about the flat.", "Priya told the user about the flat."),
        ("bay 3 was chaos. pts daughter cried a bit", "The user's daughter cried a bit."),
        (
            "My mentor is Ola, not Jens like the email said, Jens got moved to A&E.",
            "The user's mentor got moved to A&E.",
        ),
        ("Met Dana. They sold their flat in Porto.", "The user sold a flat in Porto."),
    ],
)
def test_what_is_somebody_elses_is_not_given_away(text: str, proposition: str) -> None:
    assert is_anothers(proposition, source(text))


@pytest.mark.parametrize(
    ("text", "proposition"),
    [
        ("My wife's car is in the garage.", "The user's wife's car is in the garage."),
        ("Dentist moved my appointment to Friday.", "The user's appointment is on Friday."),
        ("I met Hanne at noon, and Hanne met Tom.", "Hanne met Tom."),
        ("We tied the ferry up in the harbour of Riga.", "The ferry was tied up in the harbour of Riga."),
        ("We promised the customer a boat.", "The user promised the customer a boat."),
        ("The party went on, I had a nap.", "The user had a nap."),
        ("Cooked mum's waterzooi.", "The user cooked waterzooi."),
        ("Signed the lease, we move to Ghent, me and Tomas.", "Tomas moves to Ghent."),
        ("Hanne got the job, she starts in January.", "Hanne starts in January."),
        ("Marcus moves to infra.", "Marcus moves to infra."),
        ("I told Priya, and she owes me a beer.", "Priya owes the user a beer."),
        ("His boss and my boss met.", "The user's boss met."),
        ("The lease starts in May.", "The user's lease starts in May."),
        ("My big brother cried a bit.", "The user's brother cried a bit."),
        ("my brother sipho got it! hes gonna drive gogo to church", "The user's brother will drive gogo to church."),
        ("locker code 0358. thats the 3rd floor one", "The user's locker is at the 3rd floor."),
        ("yes daughter cried", "The user's daughter cried."),
        ("My brother Sipho got it! Sipho passed the test.", "The user's brother passed the test."),
        ("New mentor: Ola. She got moved to A&E.", "The user's mentor got moved to A&E."),
        ("The car is back, Ana repaired it in Porto.", "The user's car was repaired in Porto."),
        ("It's the lease, it starts in May.", "The user's lease starts in May."),
    ],
)
def test_what_is_theirs_stays_theirs(text: str, proposition: str) -> None:
    assert not is_anothers(proposition, source(text))


def test_what_others_say_is_left_to_the_other_checks() -> None:
    assert not is_anothers("The user's wife is due.", source("his wife is due", trust="other", speaker="Ana"))
    assert not is_anothers("Ben lives in Porto.", source("I live in Porto.", speaker="Ben"))
