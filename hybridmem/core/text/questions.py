"""Whether a text asks something, in whatever script, and whether that is all that it does."""

from __future__ import annotations

import re

from hybridmem.core.text.courtesies import is_courtesy
from hybridmem.core.text.foreign_questions import asks_unmarked, ends_in_particle
from hybridmem.core.text.note_requests import asks_to_note
from hybridmem.core.text.sentences import sentences

_END = 500
"""Characters from which the end of a text is judged: looking back from it costs the square of what is looked at."""
_MARKS = "?？؟⁇⁈⁉‽⸮꘏፧՞"
_CLOSING = r"[\s\"'”’»）)\]]*(\[photo: [^\]]*\])?\s*$"
_QUESTION_MARK = re.compile(rf"[{_MARKS}][{_MARKS}!]*{_CLOSING}")
"""At the end of a turn; LoCoMo's importer writes a shared photo behind the words."""
_GREEK = re.compile(rf"[\u0370-\u03ff\u1f00-\u1fff][^.!]*[;\u037e]{_CLOSING}")
"""Greek asks with a semicolon."""
_ARMENIAN = re.compile(r"[\u0531-\u0587]՞[^։.!]*[։.]?\s*$")
"""Armenian sets its mark on the word that asks."""
_INVERTED = re.compile(r"^\s*¿")
_IN_QUOTES = re.compile(
    r"\w.*\s[\"'“‘«](?:[A-Z0-9][\w'’-]*|of|the|an?|and|in|on|to|for|or|my|is|with)"
    r"(?:[ ,:]+(?:[A-Z0-9][\w'’-]*|of|the|an?|and|in|on|to|for|or|my|is|with))*\?[\"'”’»][.!]?\s*$",
    re.DOTALL,
)
"""A title that asks, at the end of a statement: My favourite song is "Where Is My Mind?"."""
_STATES = re.compile(r"[.!…。！][\s\"'”’)]*$")
_REQUEST = re.compile(
    r"(?:please |kindly |can you |could you )*(?:(?:tell|remind|show) me|let me know|i wonder|any (?:idea|clue)|no idea"
    r"|i(?:['’]d like| would like| want| need) to know|(?:look up|find out|check|say|recall|remember|repeat))"
    r"(?: again| please)? (?:about|who|whom|whose|what|when|where|which|why|how|if|whether)\b"
    # an order of what the memory has: tell me Ana's address
    r"|(?:please |kindly )*(?:(?:tell|show|give|send|remind) me|look up|find|list|recall) (?:again )?"
    r"(?:(?:my|our|his|her|their|\w+['’]s)\s+(?:\S+\s+){0,3}\S+$|(?:all|everything|anything|what)\b)",
    re.IGNORECASE,
)
_AUXILIARY = (
    "(?:is|isn't|are|aren't|was|wasn't|were|weren't|am|do|don't|does|doesn't|did|didn't|can|can't|could|couldn't|will"
    "|won't|would|wouldn't|should|shouldn't|has|hasn't|have|haven't|had|hadn't|may|might|must|shall)"
)
_PRONOUN = "(?:i|you|he|she|it|we|they|one|there|this|that|these|those|my|your|his|her|its|our|their|the|an?|any\\w*)"
_BEFORE = "(?:in|at|on|from|to|for|with|by|since|until|till|under|about|of|into|after|before|through|during|around)"
_GOES_ON = (
    "(?:which\\s+(?:point|case|time|reason)|what\\s+(?:seem|appear|look|turn|bec[ao]me|felt|used|happen|follow)\\w*)"
)
"""A clause behind a preposition that asks nothing: at which point Ana had left, in what seems to have been fun."""
_ASKING = re.compile(
    rf"(?:"
    # Where does Ana live, what is it, who told her
    rf"(?:where|when|why|how|who|whom|what|which)(?: else)?(?:['’]s|['’]re|['’]d|['’]ll|\s+{_AUXILIARY})\b"
    # the same as people type them: whats my dog called
    rf"|(?:whats|wheres|whens|whos|hows|whys)\b"
    # what city was it, how many dogs do I have: no pronoun comes before the verb, as in "what I like most is"
    rf"|(?:what|which|whose|how)(?:\s+(?!{_PRONOUN}\b)[\w'’-]+){{1,4}}?\s+{_AUXILIARY}\b"
    # the same behind a preposition: in which city does she live, since when has he, to whom did I lend it
    rf"|{_BEFORE}\s+(?!{_GOES_ON}\b)"
    rf"(?:(?:what|which|whose|how)(?:\s+(?!{_PRONOUN}\b)[\w'’-]+){{1,4}}?\s+{_AUXILIARY}\b"
    rf"|(?:whom|what)\s+(?:do|does|did|has|have|had|can|could|should|must|will|would)\b"
    rf"|when\s+{_AUXILIARY}\b)"
    # who lives in Porto, what happened, which of them left; not "who I trust is", "what happened is", "how much I miss"
    rf"|who\s+(?!{_PRONOUN}\b)\w+|what\s+(?:happened|happens)\b(?! (?:is|was)\b)"
    r"|what\s+(?:about|if|became|made|kind|time)\b"
    rf"|which\s+of\b|how\s+(?:about|come)\b|how\s+(?:much|many)\b(?!\s+(?:i|we|he|she|they|it)\b)"
    rf"|(?:where|why|how)\s+to\b"
    # does Ana live here; "Will" and "Can" are names too
    # ... and a person who writes "Was in Rome" leaves the subject out
    r"|(?:is|are|was|were|does|did|has|isn't|aren't|wasn't|weren't|doesn't|didn't|hasn't)\s+"
    r"(?!(?:in|at|on|to|from|with|out|back|off|up|born|told|been|just|already|supposed|going|thinking|ich|du|er|wir|mich|mir|uns|euch|soll)\b)\w+"
    # "Don't forget" and "do remember" ask nothing
    rf"|(?:do|don't)\s+(?:{_PRONOUN}|people|others)\b(?! (?:know|remember) that)"
    r"|do\s+(?:(?-i:[A-Z])\w+|\w+s)\b(?! (?:know|remember) that)"
    rf"|(?:can|can't|could|couldn't|will|won't|would|wouldn't|should|shouldn't|have|haven't|may|shall|am)\s+{_PRONOUN}\b"
    rf")",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"(?:have (?:a|an|the|some|my|your|fun)|do (?:not|the|a|your|it|this|that)\b(?! you))\b", re.IGNORECASE
)
_ASIDE = re.compile(
    # a clause that goes on from what was said before, and a cry
    r"which(?:['’]s|\s+(?:is|was|are|were))\s+(?:why|how|where|when|what|because|to say|not|also|still|just|really|so"
    r"|very|fine|ok(?:ay)?|great|nice|good|bad|sad|funny|odd|weird|lucky|perfect)\b"
    r"|what(?:['’]s|\s+is|\s+was)\s+(?:more|worse|better)\s*(?:[,:]|(?:is|that|i|we|my|our|the|he|she|they)\b)"
    r"|what\s+happened\s+(?:is|was)\b"
    r"|should\s+(?:i|you|he|she|we|they|it|any\w+)\b[^,?]*,"
    r"|who\s+(?:knew|cares|would(?:['’]ve|\s+have)\s+(?:thought|guessed))\b"
    # a line of a diary, which leaves the subject out
    r"|(?:is|was|has|have|had)\s+(?:(?:now|moved|gone|left|sick|ill|tired|busy|married|late|away|feeling)\b"
    r"|(?!\w*thing\b)\w{3,}ing\s+(?:in|to|at|from|on|with|for|home|my|the|a)\b)",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"(?!.*\b(?:not|no|never|know|knew|matter|guess|remember|forgot|forget|idea|care|sure|wonder|say|said|tell|told|so|else"
    r"|some|any|every|\w+n['’]t)\b)(?:\S+\s+){2,6}(?:where|when|who|whom|what|which|how (?:many|much|old|often|long))",
    re.IGNORECASE,
)
"""The word that asks may come last: ana lives where."""
_TELLING = re.compile(
    r"(?:(?:did|do) you (?:know|hear)|did i (?:ever )?(?:mention|tell you|say)|have i (?:mentioned|told you)"
    r"|(?:can|could|would) you believe)"
    r"\s+(?:that\s+(?!\w+\W*$)|(?:i|we|he|she|they)(?:['’]\w+|\s+\w+)|it(?:['’]s|\s+(?:is|was|has|will)))",
    re.IGNORECASE,
)
"""A question that tells what it asks about: did you know that I moved?"""
_OPENING = re.compile(
    r"^(?:(?:and|so|but|or|hey|hi|hello|ok|okay|well|um|also|please|sorry|oh|then)\b[\s,]*)+", re.IGNORECASE
)
_QUESTION_WORD = re.compile(
    r"(?:^|[,;:–—-]\s+|\b(?:in|at|on|from|to|for|with|by) )(?:who|whom|whose|what|where|which|why|how)\b", re.IGNORECASE
)
_CLAUSE = re.compile(r"\s*[,;:–—]\s+|\s+-\s+")
_TAG_WORDS = 4
"""Words of the longest clause that only asks for a nod: "right?", "isn't it?", "don't you think?"."""


def ends_as_question(text: str) -> bool:
    """Whether `text` ends in a question mark of any script, behind which a quotation or a bracket may close.

    >>> ends_as_question('She asked: "where to?"'), ends_as_question("Why? I forgot."), ends_as_question("住在哪里？")
    (True, False, True)
    """
    end = text[-_END:]
    return any(mark.search(end) for mark in (_QUESTION_MARK, _GREEK, _ARMENIAN))


def asks(text: str) -> bool:
    """Whether `text` asks something: by its marks, or without one by how it begins. A statement that begins with a
    question word, or with a name such as Will, is none, and neither is a request to be reminded of a task.

    >>> asks("Where does Ana live?"), asks("remind me where Ana lives"), asks("Ana lives in Porto.")
    (True, True, False)
    >>> asks("What I like most is jazz."), asks("Will Ferris lives in Porto."), asks("Remind me to call Ana.")
    (False, False, False)
    """
    said = text.strip()
    opened = _OPENING.sub("", said)
    asked = _begins_as_question(opened) or re.search(r"\bask(?:s|ed|ing)?\b", said)
    if not asked and _IN_QUOTES.search(said[-_END:]):
        return False
    if asks_to_note(opened) and not _REQUEST.search(opened):
        return False
    if ends_as_question(said) or _INVERTED.match(said) or ends_in_particle(said):
        return True
    if any(ends_as_question(sentence) for sentence in sentences(said)):
        return True
    if _REQUEST.match(opened):
        return True
    if _STATES.search(said) or _ASIDE.match(opened):
        return False
    return _begins_as_question(opened) or _LAST.fullmatch(opened) is not None or asks_unmarked(opened)


def only_asks(text: str) -> bool:
    """Whether `text` asks and states nothing: all of its sentences are questions or courtesies, and none has a
    statement in front of a tag such as "right?".

    >>> only_asks("Where does Ana live? Thanks!"), only_asks("My dog is Rex, cute right?"), only_asks("Why? I left.")
    (True, False, False)
    """
    said = sentences(text)
    return bool(said) and asks(text) and not any(map(_states, said))


def parted(text: str) -> tuple[str, str]:
    """The sentences of `text` that ask or are courtesies, and those that state something.

    >>> parted("Where does Ana live? She moved. Thanks!")
    ('Where does Ana live? Thanks!', 'She moved.')
    """
    said = sentences(text)
    stating = [sentence for sentence in said if _states(sentence)]
    return " ".join(sentence for sentence in said if sentence not in stating), " ".join(stating)


def _states(sentence: str) -> bool:
    """Whether a sentence says that something is so, if it is only before a tag or behind "did you know"."""
    if is_courtesy(sentence):
        return False
    if not asks(sentence) or _TELLING.match(_OPENING.sub("", sentence.strip())):
        return True
    if not ends_as_question(sentence):
        return False
    clauses = [part for part in _CLAUSE.split(_OPENING.sub("", sentence.strip())) if part.strip()]
    if len(clauses) < 2 or len(clauses[-1].split()) > _TAG_WORDS or _QUESTION_WORD.search(sentence):
        return False
    return not any(_begins_as_question(clause) for clause in clauses[:-1]) and len(clauses[0].split()) > 1


def _begins_as_question(text: str) -> bool:
    return _ASKING.match(text) is not None and _IMPERATIVE.match(text) is None
