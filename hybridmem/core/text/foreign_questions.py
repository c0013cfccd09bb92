"""Questions in other languages than English, as people type them: without a mark.

Where a question word may also begin a clause ("wo ich wohne"), mean "any" beside a negation ("没什么"), or cry out
("qué calor"), the text is taken for a statement: a statement that passes for a question would be no evidence.

>>> asks_unmarked("wo wohne ich"), asks_unmarked("Wo ich wohne, ist es kalt."), asks_unmarked("名前ははるか")
(True, False, False)
"""

from __future__ import annotations

import re

LONGEST = 200
"""Characters of the longest text, or of the end of one, that is looked at: nobody types a longer question bare."""

_GERMANIC = (
    # German and Dutch: no pronoun comes before the verb, as in "was ich mag, ist Jazz"
    r"(?:wer|wen|wem|wessen|wo|wohin|woher|wann|warum|wieso|weshalb|was|welche[rsnm]?)\s+"
    r"(?!(?:ich|du|er|sie|es|wir|ihr|man|mir|dir|mich|dich|uns|euch|ihn|ihm|soll'?s|mein\w*|dein\w*|gesagt|gestern|heute"
    r"|immer|gewohnt|üblich|auch|ein|eine|der|die|das|in|at|on|to|from|with|out|back|not|so|very|born|there|going|told)"
    r"\b)\w+.*",
    # "wie" also compares ("wie gestern gesagt"); in Dutch it asks for people
    r"wie\s+(?:alt|viele?|lange?|oft|gro[sß]+|weit|teuer|spät|hoch|schwer|schnell|gut|hei(?:ß|ss)\w*|hie(?:ß|ss)\w*|nenn\w*"
    r"|lautet|schmeckt|sieht|geht|war\w*|ist|sind|wird|wurde\w*|bin|ha(?:be|st|t|ben)|komm\w*|mach\w*|kann|soll"
    r"|is|zijn|heeft|woont|kent|wil|zal)\b.*",
    r"(?:waar|wanneer|waarom|hoeveel|welke)\s+(?!(?:ik|jij|je|hij|zij|ze|het|we|wij|er|ook)\b)\w+.*",
    r"(?:hoe\s+(?:heet|oud|lang|laat|gaat|vaak|ver)\b.*)",
    r"var\s+(?!(?:i|på|hos|til|till)\b)\S+(?:\s+\S+){0,2}",
    r"(?:när|når)\s+(?!(?:jag|jeg|vi|du|han|hon|hun|det|de|dom|man)\b)\S+(?:\s+\S+){0,2}",
    r"(?:vem|vad|hur|hvor|hvem|hvad|hva|hvornår|hvorfor|varför)(?:\s+\S+){1,3}",
)
_ROMANCE = (
    # Spanish writes an accent where it asks, and where it cries out
    r"(?:(?:a|de|en|con|por|para|desde)\s+)?(?:dónde|cuándo|quién(?:es)?|cuál(?:es)?|cuánt[oa]s?"
    r"|cómo(?!\s+(?:me|te|nos|le)\s+(?:gust|encant|alegr|duel))"
    r"|qué(?!\s+(?:bien|buen\w*|mal|pena|lástima|suerte|alegría|calor|frío|ric[oa]|guay|maravilla|ilusión|ganas|asco|raro"
    r"|bonit\w*|lind\w*|gran|rabia|susto)\b))\s+(?!(?:me\s+alegro|lo\s+siento|te\s+echo)\b)\S.*",
    r"(?:como\s+se\s+(?:llama|chama)\w*|cual(?:es)?\s+(?:es|son|era)|quien\s+(?:es|era|fue)|qual\s+(?:é|era|foi)"
    r"|quem\s+(?:é|era|foi)|come\s+si\s+chiama\w*)\b.*",
    # French has words that only ask, and turns verb and pronoun round
    r"(?:d'où|est-ce|qu'est-ce|qui est-ce|quand est-ce|comment est-ce|pourquoi(?!\s+pas\b)|combien(?!\s+(?:je|j')\b)"
    r"|quel(?:le)?s? (?:est|sont|était)|qui (?:est|sont|était|habite|vit)"
    r"|comment (?:s'appell\w+|t'appell\w+|va|vas|allez|est|sont|était))\b.*",
    r"où\s+(?!qu[e']|je\b|j'|tu\b|il\b|elle\b|on\b|nous\b|vous\b)\S.*",
    r"où\s+(?:je|tu|il|elle|on|nous|vous)\s+\S+|où\s+j'\S+",
    r"(?!(?:peut-être|sans doute|aussi|ainsi|dit|répond)\b)"
    r"(?:\S+\s+){0,3}\w+-(?:t-(?:il|elle|on|ils|elles)|je|tu|il|elle|ils|elles)\b.*",
    r"(?:dove|chi|quale|quanto|quanti|onde|quem|qual|quais|quantos|donde|cuantos|cuantas|unde|cine|câ[țt]i|câte)"
    r"(?:\s+\S+){1,3}",
)
_SLAVIC = (
    r"(?:gdzie|kto|kiedy|dlaczego|ile|kde|kdo|kdy|kedy|gdje|tko|zašto|koliko"
    r"|где|кто|когда|куда|откуда|сколько|почему|де|хто|коли|чому|скільки|къде|кой|кога|какво|защо|колко)(?:\s+\S+){1,3}",
    r"(?:jak\s+(?:się\s+)?nazyw\w+|jak\s+ma\s+na\s+imię|jak\s+se\s+jmenuj\w+|ako\s+sa\s+vol\w+"
    r"|как\s+(?:зовут|называется)|як\s+(?:звати|звуть|називається)|чи\s+\S+)\b.*",
)
_OTHERS = (
    # requests
    r"(?:sage? mir|erinner\w* mich|dime|dígame|recuérdame|dis-moi|dites-moi|rappelle-moi|diga-me|me diga|dimmi"
    r"|ricordami|zeg me|herinner me|powiedz mi|přip\w+ mi|скажи(?:те)?|напомни|söyle bana|ingatkan saya"
    r"|tolong beri tahu)\s+\S.*",
    # where the word comes last
    r"(?!.*\b(?:nicht|pas|no|non|não|niet|nie|sais|sé|weiß)\b)"
    r"(?:\S+\s+){1,5}(?:où|quand|combien|wo|wohin|wann|dónde|dove|onde|waar|wanneer)",
    # Turkish: the word may stand anywhere, and a particle ends a question for yes or no
    r"(?:\S+\s+){0,3}(?:nerede\w*|nereye|kim|ne zaman|kaç|neden|hangi)(?:\s+\S+)?",
    r"(?=.*[ğşöüç])(?:\S+\s+){1,6}m[ıiuü](?:y[ıiuü]m|s[ıiuü]n|y[ıiuü]z|s[ıiuü]n[ıiuü]z|yd[ıiuü]\w*)?",
    # Finnish, Hungarian
    r"(?:missä|milloin|kuka|mikä|mitä|miksi|kuinka|kenen|mihin|mistä|hol|mikor|miért|melyik|hogy\s+hív\w+)(?:\s+\S+){1,3}",
    r"(?:on|oli|olen|asun|asuu)k[oö]\s+\S.*",
    # Greek
    r"(?:πού|πότε|ποιος|ποιοι|ποια|τι|πόσ\w+|πώς)(?:\s+\S+){1,3}",
    # Indonesian and Malay
    r"(?:apakah|di\s?mana|ke\s?mana|kapan|siapa|mengapa|kenapa|bagaimana|berapa|apa\s+(?:nama|itu|pekerjaan|warna))\b"
    r"(?!.*\badalah\b).*",
    # Vietnamese: "không ... gì" is nothing
    r"(?!.*\b(?:không|chưa|chẳng)\b.*\b(?:gì|ai|đâu)\s*$)"
    r".*\b(?:ở đâu|khi nào|bao giờ|là gì|tên gì|là ai|bao nhiêu(?:\s+\S+)?|thế nào|mấy giờ)\s*",
    r"(?:tại sao|vì sao|khi nào|bao giờ)\s+\S.*|.*\bcó\b.*\bkhông\s*",
    # Arabic, Hebrew, Persian, Urdu, Hindi
    r"(?:هل|أين|اين|وين|فين|متى(?!\s+ما)|ماذا|لماذا|كيف|كم)\s+\S.*|(?:من|ما)\s+(?:هو|هي|هم|اسم|الذي)\s+\S.*",
    r"(?:איפה|היכן|מתי|למה|מדוע|האם|לאן|מאיפה|איך|כמה)\s+\S.*|(?:מי|מה)(?:\s+\S+){1,3}",
    r"آیا\s+\S.*|(?:\S+\s+){0,5}(?<!هر )(?<!هیچ )(?:کجا\w*|چیست|چیه|کیست|کیه|چگونه|چطور|چرا)(?:\s+\S+){0,3}",
    r"کیا\s+\S.*|(?:\S+\s+){1,6}کیا(?:\s+\S+){0,2}|(?!.*نہیں)(?:\S+\s+){0,5}(?:کہاں|کون|کیوں|کیسے|کتن\w+)(?:\s+\S+){0,3}",
    r"क्या\s+\S.*|(?:\S+\s+){1,6}क्या(?:\s+\S+){0,2}|(?!.*नहीं)(?:\S+\s+){0,6}(?:कहाँ|कहां|कब|कौन|क्यों|कैसे|कैसा|कितन\S+|किस\S*)(?:\s+\S+){0,3}",
)
_WORDED = re.compile("|".join((*_GERMANIC, *_ROMANCE, *_SLAVIC, *_OTHERS)), re.IGNORECASE | re.DOTALL)
"""Whole texts. Where the word may also begin a clause, of four words at most."""

_HAN = re.compile(
    r"(?!.*[ぁ-ヿ])"  # Japanese, which has some of the words
    # beside a negation, or before 都 and 也, these words mean any
    r"(?![^。！，,.!]*[不没沒无無][^。！，,.!]*?(?:哪|什|谁|誰|多少|几|幾))"
    r"[^。！，,.!]{0,12}(?:哪里|哪裡|哪儿|哪兒|什么|什麼|谁|誰|多少|几点|幾點|为什么|為什麼|怎么|怎麼)(?!都|也|有[点點些])"
    r"[^。！，,.!]{0,6}"
)
_TOLD = re.compile(
    r"(?:告诉我|告訴我|提醒我)[^。！？.!?\n]*(?:哪|什么|什麼|谁|誰|几|幾|多少|怎)|か(?:どうか)?(?:を|、)?(?:教えて|おしえて|知りたい)[ぁ-ん]{0,6}[。.]?\s*$"
    r"|(?:는지|인지|을지|ㄹ지)\s*(?:알려|말해|가르쳐)\s?(?:줘|주세요|줄래)[요]?[.]?\s*$"
)
"""Requests to be told."""
_HAN_PARTICLE = re.compile(
    r"(?:[嗎吗]|(?<![什甚怎那这這多])[么麼]|^[^。！，,.!]{1,4}呢|(?:哪|什么|什麼|谁|誰|怎)[^。！？.!?\n]*呢)[。.]?\s*$"
)
_JAPANESE = re.compile(
    # A polite or a plain verb before か, or a word that asks: names and fruit end in か, too
    r"(?:です|ます|でした|ました|ません|ましょう|でしょう|だろう|[るたい]の)か[。.]?\s*$"
    r"|[一-龥](?:[うくすつぬぶむぐる]|った|んだ|いた|いだ|した|[べめれけせてえげきしちじび]る|[かがさたなまらわば]?ない)か"
    r"[。.]?\s*$"
    r"|(?:何|なに|どこ|どちら|どっち|どれ|どの|どう|どんな|いつ|だれ|誰|なぜ|いくら|いくつ)(?!か|も|でも)[^。！？.!?\n]*か[。.]?\s*$"
)

_JAPANESE_BARE = re.compile(
    # Among friends か is left out. With か or も, beside "I don't know" or in a longer sentence, these words mean any.
    r"(?!.*(?:[かも、]|知ら|分から|わから|忘れ|言え|って|だって))"
    r"[^。！!,.]{0,20}(?:(?<!幾)何(?!となく|より|卒|気)|(?<!も)どこ|どっち|どちら|どれ(?!ほど|だけ|くらい)|どんな(?!に)"
    r"|(?<![あこそど])いつ(?!の間|しょ|ぞ)|(?<![たみし])だれ|誰|なぜ(?!なら)|いくら|いくつ)[^。！!,.]{0,12}[。.]?"
)


def _syllables(last: int) -> str:
    """Hangul's syllables with that final consonant, by its number in Unicode's order."""
    return "".join(chr(0xAC00 + 28 * syllable + last) for syllable in range(399))


_KOREAN = re.compile(
    # 까 asks behind ㄹ and ㅂ니; elsewhere 니까 says because
    rf"(?:[{_syllables(17)}]니까|[{_syllables(8)}]까요?|나요|는가요?|는지요|느냐|[았었였했됐겠있없]니)[.]?\s*$"
    r"|(?:어디|언제|누가|누구|뭐|뭘|무엇|어떻게|왜(?!냐)|얼마(?!\s*전))(?!든|나|도|선가|젠가|한가|간)"
    r"[^.]*(?<!다)(?<!모르)(?<!몰라)(?<!몰라요)$"
)
_THAI = re.compile(
    # beside ไม่, not, these words mean any
    r"(?:ไหม|มั้ย|หรือไม่|หรือเปล่า|หรือยัง)\s*$"
    r"|^(?!.*(?<!หรือ)ไม่).*(?:ที่ไหน|เมื่อไหร่|เมื่อไร|อะไร|ใคร|อย่างไร|ยังไง|เท่าไหร่|เท่าไร)\s*$"
)
_UNSPACED = (_TOLD, _HAN_PARTICLE, _JAPANESE, _KOREAN, _THAI)


def ends_in_particle(text: str) -> bool:
    """Whether `text` is a question by its end in Chinese, Japanese, Korean or Thai, which often leave its mark out.

    >>> ends_in_particle("アナはどこに住んでいますか"), ends_in_particle("好きな果物はすいか")
    (True, False)
    """
    end = text[-LONGEST:]
    return any(ending.search(end) for ending in _UNSPACED)


def asks_unmarked(text: str) -> bool:
    """Whether `text`, which has no mark at its end, asks by its words.

    >>> asks_unmarked("我住在哪里"), asks_unmarked("我什么都吃"), asks_unmarked("où est-ce que j'habite")
    (True, False, True)
    """
    if ends_in_particle(text):
        return True
    return len(text) <= LONGEST and any(each.fullmatch(text) for each in (_WORDED, _HAN, _JAPANESE_BARE))
