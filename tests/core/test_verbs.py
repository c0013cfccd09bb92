from __future__ import annotations

import pytest

from hybridmem.core.text.verbs import first_form, is_past

FORMS = """
    play plays played; work works worked; move moves moved; stop stops stopped; call calls called
    cancel cancels cancelled; pass passes passed; watch watches watched; carry carries carried
    tie ties tied; share shares shared
    treat treats treated; create creates created; avoid avoids avoided; decide decides decided; change changes changed
    belong belongs belonged; offer offers offered; sell sells sold; take takes took taken; have has had; do does did
    add adds added; agree agrees agreed; fix fixes fixed; store stores stored
    install installs installed; promote promotes promoted; postpone postpones postponed; owe owes owed
    blow blows blew blown; sink sinks sank sunk; understand understands understood; withdraw withdraws withdrew
    free frees freed; repair repairs repaired; redo redoes redid redone; rehome rehomes rehomed
"""


@pytest.mark.parametrize("forms", [verb.split() for verb in FORMS.replace("\n", ";").split(";") if verb.strip()])
def test_a_verb_is_one_word_in_all_its_forms(forms: list[str]) -> None:
    assert {first_form(form) for form in forms} == {forms[0]}
    assert all(map(is_past, forms[2:]))
    assert not is_past(forms[0])


@pytest.mark.parametrize("noun", ["colleagues", "hundred", "news", "always", "address", "bed"])
def test_a_word_that_is_no_verb_stays_as_it_is(noun: str) -> None:
    assert first_form(noun) == noun
    assert not is_past(noun)
