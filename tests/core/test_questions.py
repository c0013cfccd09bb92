"""Whether a text asks something: asked of a turn of chat, of a recalled memory, and of the turn before an answer."""

from __future__ import annotations

import time

import pytest

from hybridmem.core.text.questions import asks, ends_as_question, only_asks


@pytest.mark.parametrize(
    ("text", "question", "ends"),
    [
        ("Where does Ana live?", True, True),
        ("where does Ana live", True, False),
        ("Tell me about Ana.", True, False),
        ("Ana lives where?", True, True),
        ('She asked: "where to?"', True, True),
        ("Ana住在哪里？", True, True),
        ("Is it this one? [photo: a red boat]", True, True),
        ("You like it (don't you?) ", True, True),
        ("Whatever Ana says.", False, False),
        ("Ana lives in Porto.", False, False),
        ("Why? I left.", True, False),
        ("", False, False),
        ("安娜住在哪里？", True, True),
        ("アナはどこに住んでいますか", True, False),
        ("أين تعيش آنا؟", True, True),
        ("Πού μένει η Άννα;", True, True),
        ("I came; I saw;", False, False),
        ("Ո՞րտեղ է ապրում Աննան։", True, True),
        ("¿Dónde vive Ana", True, False),
        ("คุณอยู่ที่ไหน", True, False),
        ("what city was I born in", True, False),
        ("remind me where Ana lives", True, False),
        ("Will Ferris lives in Porto.", False, False),
        ("Can Yilmaz is my neighbour", False, False),
        ("will you come", True, False),
        ("When Ana turned 30 she moved to Lisbon.", False, False),
        ("What I like most is jazz", False, False),
        ("Remind me to water the plants on Sunday.", False, False),
        ("Could you note that I sold the car?", False, True),
        ("Can you remind me to call Bob tomorrow?", False, True),
        ("Could you remember where Ana lives?", True, True),
        ("Can you note it and tell me where Ana lives?", True, True),
        ("whats my dogs name", True, False),
        ("Have a nice day", False, False),
        ("Do not forget the milk", False, False),
        ("Was in Rome last week", False, False),
        ("was Ana in Rome last week", True, False),
        ("I wonder where I live.", True, False),
        ("any idea where I live", True, False),
        ("No idea, I moved to Riga.", False, False),
        ("My favourite song is 'Where Is My Mind?'", False, True),
        ("I read “Who Moved My Cheese?”.", False, False),
        ('Do you like "Who Is It?"', True, True),
        ("She asked 'Where Is It?'", True, True),
        ("wo wohne ich", True, False),
        ("Was ich mag, ist Jazz", False, False),
        ("Wo ich wohne, ist es kalt.", False, False),
        ("waar woon ik", True, False),
        ("dónde vivo", True, False),
        ("Cuando vivía en Oslo esquiaba", False, False),
        ("où est-ce que j'habite", True, False),
        ("combien de frères ai-je", True, False),
        ("Quand j'habitais à Oslo je skiais", False, False),
        ("dove abito", True, False),
        ("onde moro", True, False),
        ("Onde moro faz muito frio no inverno", False, False),
        ("gdzie mieszkam", True, False),
        ("var bor jag", True, False),
        ("где я живу", True, False),
        ("nerede yaşıyorum", True, False),
        ("我住在哪里", True, False),
        ("我不知道，但是我住在上海", False, False),
        ("Kim lives in Riga", False, False),
        ("Which is why I moved to Oslo", False, False),
        ("which is my room", True, False),
        ("What's more, I moved to Oslo", False, False),
        ("what is more expensive, tea or coffee", True, False),
        ("Who would have thought, I moved to Oslo", False, False),
        ("Who I really trust is Ana", False, False),
        ("What happened was that I moved to Oslo", False, False),
        ("How much I miss Oslo", False, False),
        ("how much do I earn", True, False),
        ("Was working from home on Monday", False, False),
        ("Has moved to Oslo", False, False),
        ("In which city does Ana live", True, False),
        ("At what time is the dentist", True, False),
        ("To whom did I lend the drill", True, False),
        ("Since when has Ana lived in Porto", True, False),
        ("At which point Ana had left the party", False, False),
        ("In which case I take the bus", False, False),
        ("In what seems to have been a mistake, I sold it", False, False),
    ],
)
def test_a_question_is_known_by_its_end_or_its_first_word(text: str, question: bool, ends: bool) -> None:
    assert asks(text) is question
    assert ends_as_question(text) is ends


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("Where does Ana live?", True),
        ("You live in Porto?", True),
        ("Ana, where do you live?", True),
        ("When I was in Rome, what did I eat?", True),
        ("My dog is called Rex, cute right?", False),
        ("Ana left, didn't she?", False),
        ("Did you know that I moved to Oslo?", False),
        ("Did I mention I have a dog?", False),
        ("Can you believe it is June?", False),
        ("Did I tell you where I live?", True),
        ("Do you know my dog's name?", True),
        ("Did you know that?", True),
        ("I moved to Porto. Do you like it?", False),
        ("Ana lives in Porto.", False),
        ("", False),
    ],
)
def test_a_statement_before_a_tag_or_beside_a_question_is_no_mere_question(text: str, only: bool) -> None:
    assert only_asks(text) is only


def test_a_text_of_ten_thousand_words_is_read_in_time_that_grows_with_it() -> None:
    """A search asks of every memory that it finds whether it only asks."""
    text = "The hall was full of wet coats and the radiators ticked. " * 1000
    started = time.process_time()
    assert not asks(text)
    assert time.process_time() - started < 1.0
    assert not asks(text + 'My favourite song is "Where Is My Mind?".')
