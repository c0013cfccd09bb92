"""What is said beside a question and tells nothing, and what looks like it and tells something."""

from __future__ import annotations

import pytest

from hybridmem.core.text.questions import only_asks

ASKING = """
    Where does Ana live? Thanks!
    Where does Ana live? I keep forgetting.
    Hi! Where does Ana live?
    Where does Ana live? One word only.
    Where does Ana live? Answer in German please.
    Where does Ana live? You always know.
    Where does Ana live? 🙏
    Be concise. Where does Ana live?
    Where does Ana live? Don't guess.
    I'd like to know where Ana lives.
    Show me Ana's address.
    Find Ana's phone number
    Wo wohnt Ana? Danke!
    ¿Dónde vive Ana? Gracias.
    安娜住在哪里？谢谢！
    アナはどこに住んでいますか？お願いします。
    Где живёт Анна? Спасибо!
    안나는 어디 살아요? 감사합니다.
    أين تسكن آنا؟ شكرا
"""
TELLING = """
    Where does Ana live? She moved to Riga last week.
    I moved to Riga. Thanks!
    Hi! I'm Ana and I live in Riga.
    Thanks for the ferret, her name is Pip.
    Please remember that I'm vegan.
    Be careful: my dog bites.
    Sorry, I meant Riga.
    Just the three of us live in Riga.
    I forgot my keys at Ana's.
    Use uv, not pip.
    List of allergies: nuts, milk
    Danke, ich wohne jetzt in Riga.
    I'd like to live in Riga.
    Show was great last night
    Find of the day: a ferret
"""


@pytest.mark.parametrize("text", [line.strip() for line in ASKING.strip().splitlines()])
def test_a_question_with_courtesies_asks_alone(text: str) -> None:
    assert only_asks(text)


@pytest.mark.parametrize("text", [line.strip() for line in TELLING.strip().splitlines()])
def test_a_courtesy_beside_a_statement_hides_none(text: str) -> None:
    assert not only_asks(text)
