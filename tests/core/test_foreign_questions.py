"""Questions without a mark, and statements with a word that asks elsewhere, in other languages than English."""

from __future__ import annotations

from time import process_time

import pytest

from hybridmem.core.text.questions import asks

STATEMENTS = """
    私の名前はしずか
    娘の名前はほのか
    好きな果物はすいか
    いつかポルトに行きたい
    没什么特别的
    我什么都吃
    我不知道他住在哪里
    谁都知道我住在里斯本
    我正在吃饭呢
    ไม่มีอะไร
    ฉันไม่รู้จักใคร
    우리 어머니
    피곤하니까
    왜냐하면 오슬로로 이사했거든
    얼마 전에 이사했어요
    Wie gestern gesagt bin ich nach Oslo gezogen
    Wie versprochen: ich bin jetzt in Oslo
    Was mich freut ist der Garten
    Où que j'aille je prends mon vélo
    Où je vis il pleut souvent
    Rendez-vous chez le dentiste lundi
    Hands-on experience at Acme
    Qué calor hace en Lisboa
    Cómo me gusta Lisboa
    Este regalo es para mi
    Var i Roma i går
    Apa yang saya suka adalah jazz
    Tôi không biết gì
    मुझे नहीं पता वह कहाँ रहता है
    من القاهرة إلى دبي
    誰も来なかった
    何よりも寿司が好き
    いつもの時間に起きる
    あいつは嫌い
    どこかに鍵を置いた
    どんなに忙しくても走る
    Kannst du dir merken, dass mein Hund Rex heißt?
    ¿Puedes apuntar que mi hijo se llama Leo?
    Tu peux retenir que je suis végétarien ?
    Puoi ricordarti che sono celiaca?
    Podes anotar que o meu gato se chama Miau?
    Kun je onthouden dat ik in Gent woon?
    Можешь запомнить, что я живу в Омске?
    Czy możesz zapamiętać, że mieszkam w Łodzi?
    Kan du komma ihåg att jag är vegan?
    你能记住我对花生过敏吗？
    ナッツアレルギーだと覚えておいてくれますか？
    아나가 베를린으로 이사했다고 기억해 줄래?
"""
QUESTIONS = """
    名前は何ですか
    明日行くか
    你叫什么名字
    他是谁呢
    你呢
    제가 어디에 사나요
    내 이름이 뭐야
    밥 먹었니
    언제 갈까
    คุณชื่ออะไร
    comment s'appelle mon chien
    où habite-t-il
    où j'habite
    como se llama mi perro
    cual es mi direccion
    qual é o meu endereço
    wie heißt mein Hund
    wie is mijn tandarts
    jak nazywa się mój pies
    как зовут мою собаку
    köpeğim büyük mü
    hol lakom én
    missä minä asun
    unde locuiesc eu
    siapa nama saya
    tôi sống ở đâu
    أين أسكن
    ما اسم كلبي
    איפה אני גר
    من کجا زندگی می‌کنم
    मैं कहाँ रहता हूँ
    アナはどこに住んでる
    いつ引っ越したの
    私の犬の名前は何だっけ
    誰がケーキを食べた
    Kannst du mir sagen, wo ich wohne?
    ¿Puedes recordar dónde vivo?
    Peux-tu me rappeler où j'habite ?
    你能记住我住在哪里吗？
"""


def each(listed: str) -> list[str]:
    return [line.strip() for line in listed.strip().splitlines()]


@pytest.mark.parametrize("text", each(STATEMENTS))
def test_a_statement(text: str) -> None:
    assert not asks(text)


@pytest.mark.parametrize("text", each(QUESTIONS))
def test_a_question(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize("word", ["không ", "何", "哪", "tell me my a", "wie alt ", "ไม่", "m-je ", "please "])
def test_a_very_long_text_takes_no_time(word: str) -> None:
    started = process_time()
    asks(word * (200_000 // len(word)))
    asks(word * (200_000 // len(word)) + " b c d e f g h i か")
    assert process_time() - started < 2
