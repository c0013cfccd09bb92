"""Names and values of every kind that a relation may name, drawn from vocabularies too large to memorise.

    >>> from random import Random
    >>> sample("weekday", Random(1)) in vocabulary.WEEKDAYS
    True

Every word list is split by a hash of the word, and invented words likewise: what `sample` draws with
`held_out=True` it never draws without. The kinds in `CLOSED` are too small to split and are shared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from zlib import crc32

from hybridmem.pretraining import vocabulary

CLOSED = frozenset({"weekday", "month", "size", "status", "colour", "cloud", "os", "game", "role"})
"""Kinds whose values are shared by training and evaluation."""

_Sampler = Callable[[Random, bool], str]

_HELD_OUT_SHARE = 8
_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "qu",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "th",
    "tr",
    "v",
    "w",
    "y",
    "z",
]
_VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ea", "ia", "io", "ou"]
_CODAS = ["", "", "", "n", "r", "l", "s", "m", "th", "k", "x", "nd", "rt"]


def kinds() -> frozenset[str]:
    """Every kind that `sample` and `sample_subject` know."""
    return frozenset(_samplers())


def sample(kind: str, rng: Random, held_out: bool = False) -> str:
    """Draw a value of `kind`; raise `ValueError` for a kind that has no sampler."""
    try:
        sampler = _samplers()[kind]
    except KeyError:
        raise ValueError(f"no sampler for the kind {kind!r}; add one to {__name__}") from None
    return sampler(rng, held_out)


def sample_subject(kind: str, rng: Random, held_out: bool = False) -> str:
    """Draw a noun phrase for the subject of a sentence: as `sample`, and "my sister", "our staging server"."""
    phrase = _SUBJECTS.get(kind)
    if phrase is not None and (kind in _NEEDS_ARTICLE or rng.random() < 0.15):
        return phrase(rng, held_out)
    return sample(kind, rng, held_out)


def person(rng: Random, held_out: bool = False) -> str:
    """Draw a person's name: a full name or a first name, never a phrase such as "my sister"."""
    first = first_name(rng, held_out)
    return first if rng.random() < 0.4 else f"{first} {last_name(rng, held_out)}"


def first_name(rng: Random, held_out: bool = False) -> str:
    """Draw a first name, a quarter of them invented."""
    return coin(rng, held_out) if rng.random() < 0.25 else _pick(rng, vocabulary.FIRST_NAMES, held_out)


def last_name(rng: Random, held_out: bool = False) -> str:
    """Draw a last name, a quarter of them invented."""
    return coin(rng, held_out) if rng.random() < 0.25 else _pick(rng, vocabulary.LAST_NAMES, held_out)


def coin(rng: Random, held_out: bool = False) -> str:
    """Invent a pronounceable capitalised word of two or three syllables."""
    while True:
        syllables = 2 if rng.random() < 0.7 else 3
        word = "".join(_any(rng, _ONSETS) + _any(rng, _VOWELS) for _ in range(syllables)) + _any(rng, _CODAS)
        if is_held_out(word):
            if held_out:
                return word.capitalize()
        elif not held_out:
            return word.capitalize()


def is_held_out(word: str) -> bool:
    """Whether `word` is kept for evaluation: about one in eight is."""
    return crc32(word.lower().encode()) % _HELD_OUT_SHARE == 0


def _any(rng: Random, options: list[str] | tuple[str, ...]) -> str:
    return options[int(rng.random() * len(options))]


@cache
def _split(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words to train and the words kept: those that `is_held_out`, and more where they are under a fifth or 8."""
    least = min(8, max(1, len(words) // 5))
    by_hash = sorted(words, key=lambda word: (not is_held_out(word), crc32(word.encode())))
    held_out = tuple(by_hash[: max(least, sum(map(is_held_out, words)))])
    return tuple(word for word in words if word not in held_out), held_out


def _pick(rng: Random, words: tuple[str, ...], held_out: bool) -> str:
    return _any(rng, _split(words)[held_out])


def _of(words: tuple[str, ...]) -> _Sampler:
    return lambda rng, held_out: _pick(rng, words, held_out)


def _shared(words: tuple[str, ...]) -> _Sampler:
    return lambda rng, held_out: _any(rng, words)


def _hashed(make: Callable[[Random], str]) -> _Sampler:
    """Split what `make` draws by the hash of the whole value."""

    def sampler(rng: Random, held_out: bool) -> str:
        while is_held_out(value := make(rng)) != held_out:
            pass
        return value

    return sampler


def _code_name(rng: Random, held_out: bool) -> str:
    return coin(rng, held_out) if rng.random() < 0.4 else _pick(rng, vocabulary.CODE_NAMES, held_out)


def _city(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.65:
        return _pick(rng, vocabulary.CITIES, held_out)
    ending = _any(rng, ["", "", "", "ville", "ton", "burg", "stad", "field", " Bay", " Falls"])
    return coin(rng, held_out) + ending


def _country(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.85:
        return _pick(rng, vocabulary.COUNTRIES, held_out)
    return coin(rng, held_out) + _any(rng, ["ia", "land", "stan"])


def _company(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.4:
        stem = _compound(rng, held_out)
    elif shape < 0.7:
        stem = coin(rng, held_out)
    elif shape < 0.85:
        stem = _pick(rng, vocabulary.CODE_NAMES, held_out)
    else:
        stem = _pick(rng, vocabulary.LAST_NAMES, held_out)
        return f"{stem} {_any(rng, vocabulary.COMPANY_SUFFIXES)}"
    return stem if rng.random() < 0.4 else f"{stem} {_any(rng, vocabulary.COMPANY_SUFFIXES)}"


def _compound(rng: Random, held_out: bool) -> str:
    while True:
        word = _any(rng, vocabulary.COMPANY_STEMS) + _any(rng, vocabulary.COMPANY_TAILS)
        if is_held_out(word) == held_out:
            return word


def _project(rng: Random, held_out: bool) -> str:
    name = _code_name(rng, held_out)
    return _any(rng, ["Project {}", "the {} project", "{}", "the {} migration", "the {} rewrite"]).format(name)


def _team(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.6:
        return f"the {_pick(rng, vocabulary.AREAS, held_out)} team"
    return f"the {_code_name(rng, held_out)} team"


def _job(rng: Random, held_out: bool) -> str:
    job = _pick(rng, vocabulary.JOBS, held_out)
    mark = _any(rng, ("senior", "junior", "freelance", "part-time", "trainee"))
    return f"{mark} {job}" if rng.random() < 0.2 else job


def _food(rng: Random, held_out: bool) -> str:
    food = _pick(rng, vocabulary.FOODS, held_out)
    return f"{_any(rng, vocabulary.FOOD_STYLES)} {food}" if rng.random() < 0.25 else food


def _pet_name(rng: Random, held_out: bool) -> str:
    return coin(rng, held_out) if rng.random() < 0.3 else _pick(rng, vocabulary.PET_NAMES, held_out)


def _month_day(rng: Random) -> str:
    day, month = rng.randint(1, 28), _any(rng, vocabulary.MONTHS)
    shape = rng.random()
    if shape < 0.4:
        return f"{day} {month}"
    if shape < 0.8:
        return f"{month} {day}"
    suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    return f"{month} {day}{suffix}" if shape < 0.9 else f"{month[:3]} {day}"


def _date(rng: Random) -> str:
    shape = rng.random()
    if shape < 0.5:
        return _month_day(rng)
    if shape < 0.7:
        return f"{rng.randint(2015, 2031)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if shape < 0.85:
        return f"{rng.randint(1, 28)} {_any(rng, vocabulary.MONTHS)} {rng.randint(2015, 2031)}"
    if shape < 0.93:
        return f"next {_any(rng, vocabulary.WEEKDAYS)}"
    return f"{rng.randint(1, 28)}.{rng.randint(1, 12)}.{rng.randint(2015, 2031)}"


def _birthday(rng: Random) -> str:
    return _month_day(rng) if rng.random() < 0.6 else f"{_month_day(rng)}, {rng.randint(1935, 2022)}"


def _time(rng: Random) -> str:
    minute = 5 * rng.randint(0, 11)
    shape = rng.random()
    if shape < 0.5:
        return f"{rng.randint(0, 23):02}:{minute:02}"
    half = _any(rng, ("am", "pm"))
    return f"{rng.randint(1, 12)}:{minute:02} {half}" if shape < 0.75 else f"{rng.randint(1, 12)} {half}"


def _number(rng: Random) -> str:
    return str(rng.randint(2, _any_int(rng, (20, 100, 1000, 9999))))


def _any_int(rng: Random, options: tuple[int, ...]) -> int:
    return options[int(rng.random() * len(options))]


def _price(rng: Random) -> str:
    amount = rng.randint(2, _any_int(rng, (50, 400, 3000)))
    cents = f".{rng.randint(1, 99):02}" if rng.random() < 0.3 else ""
    return _any(rng, ("${}", "€{}", "£{}", "{} euros", "{} dollars", "{} kr")).format(f"{amount}{cents}")


def _duration(rng: Random) -> str:
    return f"{rng.randint(2, 90)} {_any(rng, ('minutes', 'hours', 'days', 'weeks', 'months', 'years'))}"


def _phone(rng: Random) -> str:
    shape = _any(rng, ("555-####", "+## ## ### ####", "0### ######", "(###) 555-####", "07### ### ###"))
    return "".join(str(rng.randint(1, 9)) if c == "#" else c for c in shape)


def _email(rng: Random, held_out: bool) -> str:
    first, last = first_name(rng, held_out).lower(), last_name(rng, held_out).lower()
    user = _any(rng, (first, f"{first}.{last}", f"{first[0]}{last}", f"{last}{rng.randint(1, 99)}"))
    return f"{user}@{_domain(rng, held_out)}"


def _domain(rng: Random, held_out: bool) -> str:
    stem = _compound(rng, held_out) if rng.random() < 0.5 else coin(rng, held_out)
    return f"{stem.lower()}.{_any(rng, vocabulary.DOMAINS)}"


def _url(rng: Random, held_out: bool) -> str:
    scheme = _any(rng, ("https://", "http://", "", "", "www."))
    tail = _any(rng, ("", "", f"/{_any(rng, vocabulary.FILE_STEMS)}", f"/{rng.randint(1, 999)}"))
    host = _any(rng, ("", "", "", "wiki.", "docs.", "git.", "status.")) if scheme != "www." else ""
    return f"{scheme}{host}{_domain(rng, held_out)}{tail}"


def _code(rng: Random) -> str:
    shape = rng.random()
    if shape < 0.5:
        return f"{_any(rng, vocabulary.CODED_PREFIXES)}-{rng.randint(10, 99999)}"
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(letters[int(rng.random() * len(letters))] for _ in range(rng.randint(4, 7)))


def _version(rng: Random) -> str:
    number = f"{rng.randint(0, 24)}.{rng.randint(0, 20)}"
    return f"{_any(rng, ('', '', 'v'))}{number}" + (f".{rng.randint(0, 30)}" if rng.random() < 0.6 else "")


def _port(rng: Random) -> str:
    return str(rng.randint(1024, 65535)) if rng.random() < 0.7 else str(rng.randint(20, 9999))


def _path(rng: Random, held_out: bool) -> str:
    middle = _code_name(rng, held_out).lower()
    tail = _any(rng, ("", f"/{_any(rng, vocabulary.FILE_STEMS)}", f"/{_any(rng, vocabulary.FOLDERS)}"))
    return f"/{_any(rng, vocabulary.FOLDERS)}/{middle}{tail}"


def _filename(rng: Random) -> str:
    stem, ending = _any(rng, vocabulary.FILE_STEMS), _any(rng, vocabulary.FILE_ENDINGS)
    mark = _any(rng, ("", f"-{rng.randint(2015, 2031)}", f"_v{rng.randint(2, 19)}", "_final", f"-{_number(rng)}"))
    return f"{stem}{mark}.{ending}"


def _branch(rng: Random, held_out: bool) -> str:
    name = _code_name(rng, held_out).lower()
    if rng.random() < 0.5:
        return f"{_any(rng, vocabulary.BRANCH_KINDS)}/{name}"
    return f"{_any(rng, vocabulary.BRANCH_KINDS)}/{_any(rng, vocabulary.AREAS)}-{name}"


def _os(rng: Random) -> str:
    system = _any(rng, vocabulary.OPERATING_SYSTEMS)
    return f"{system} {rng.randint(7, 42)}" if rng.random() < 0.5 else system


def _server(rng: Random) -> str:
    shape = rng.random()
    number = rng.randint(1, 99)
    if shape < 0.4:
        return f"{_any(rng, ('node', 'db', 'web', 'app', 'cache', 'gpu', 'mail', 'edge', 'build', 'vm'))}-{number:02}"
    if shape < 0.7:
        return f"{_any(rng, vocabulary.CODE_NAMES).lower()}-{number}"
    return f"{_any(rng, vocabulary.CODE_NAMES).lower()}.{_any(rng, ('internal', 'local', 'lan', 'example.com'))}"


def _service(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.6:
        return f"the {_pick(rng, vocabulary.SERVICES, held_out)}"
    part = _any(rng, ("api", "worker", "auth", "sync", "mailer", "web", "proxy"))
    return f"{_code_name(rng, held_out).lower()}-{part}"


def _room(rng: Random) -> str:
    shape = rng.random()
    if shape < 0.4:
        return f"Room {rng.randint(1, 999)}"
    if shape < 0.6:
        return f"Room {_any(rng, tuple('ABCDEFGH'))}{rng.randint(1, 40)}"
    if shape < 0.85:
        return f"Room {_any(rng, vocabulary.CODE_NAMES)}"
    return f"{_any(rng, ('Studio', 'Lab', 'Hall', 'Office'))} {rng.randint(1, 60)}"


def _vehicle(rng: Random, held_out: bool) -> str:
    model = _pick(rng, vocabulary.VEHICLE_MODELS, held_out)
    return f"{_any(rng, vocabulary.COLOURS[:9])} {model}" if rng.random() < 0.25 else model


def _street(rng: Random, held_out: bool) -> str:
    stem = coin(rng, held_out) if rng.random() < 0.3 else _pick(rng, vocabulary.STREET_STEMS, held_out)
    street = f"{stem} {_any(rng, vocabulary.STREET_ENDS)}"
    return f"{rng.randint(1, 199)} {street}" if rng.random() < 0.3 else street


def _title(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    noun = _pick(rng, vocabulary.TITLE_NOUNS, held_out)
    if shape < 0.4:
        return f"The {_any(rng, vocabulary.TITLE_ADJECTIVES)} {noun}"
    if shape < 0.6:
        return f"{_any(rng, vocabulary.TITLE_ADJECTIVES)} {noun}"
    if shape < 0.8:
        return f"The {noun} of {coin(rng, held_out)}"
    return f"{first_name(rng, held_out)} and the {noun}"


def _band(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.6:
        return f"The {coin(rng, held_out)} {_any(rng, vocabulary.BAND_PLURALS)}"
    return f"{_any(rng, vocabulary.TITLE_ADJECTIVES)} {_pick(rng, vocabulary.TITLE_NOUNS, held_out)}"


def _school(rng: Random, held_out: bool) -> str:
    place = _city(rng, held_out) if rng.random() < 0.5 else _pick(rng, vocabulary.STREET_STEMS, held_out)
    return f"{place} {_any(rng, ('University', 'College', 'High School', 'Academy', 'Grammar School'))}"


def _shop(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.5:
        return f"{first_name(rng, held_out)}'s {_any(rng, vocabulary.SHOP_TYPES)}"
    return f"{_code_name(rng, held_out)} {_any(rng, vocabulary.SHOP_TYPES)}"


def _restaurant(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.2:
        return f"{_any(rng, ('La', 'Chez', 'Casa', 'Da'))} {coin(rng, held_out)}"
    if shape < 0.6:
        return f"{_code_name(rng, held_out)} {_any(rng, vocabulary.RESTAURANT_TYPES)}"
    return f"{first_name(rng, held_out)}'s {_any(rng, vocabulary.RESTAURANT_TYPES)}"


def _named(endings: tuple[str, ...]) -> _Sampler:
    return lambda rng, held_out: f"{_code_name(rng, held_out)} {_any(rng, endings)}"


def _event(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.6:
        return f"the {_pick(rng, vocabulary.EVENTS, held_out)}"
    if shape < 0.8:
        return f"the {_code_name(rng, held_out)} {_any(rng, ('workshop', 'conference', 'launch', 'meetup', 'review'))}"
    return f"{first_name(rng, held_out)}'s {_any(rng, ('wedding', 'birthday party', 'farewell', 'concert', 'talk'))}"


def _trip(rng: Random, held_out: bool) -> str:
    city = _city(rng, held_out)
    return _any(rng, ("the {} trip", "our trip to {}", "the trip to {}", "my {} holiday", "the {} tour")).format(city)


def _device(rng: Random, held_out: bool) -> str:
    device = _pick(rng, vocabulary.DEVICES, held_out)
    return f"{_any(rng, vocabulary.THING_MARKS)} {device}" if rng.random() < 0.3 else device


def _thing(rng: Random, held_out: bool) -> str:
    thing = _pick(rng, vocabulary.THINGS, held_out)
    return f"{_any(rng, vocabulary.THING_MARKS)} {thing}" if rng.random() < 0.4 else thing


def _document(rng: Random, held_out: bool) -> str:
    document = _pick(rng, vocabulary.DOCUMENTS, held_out)
    return f"the {_code_name(rng, held_out)} {document}" if rng.random() < 0.4 else f"the {document}"


def _course(rng: Random, held_out: bool) -> str:
    course = _pick(rng, vocabulary.COURSES, held_out)
    return f"{first_name(rng, held_out)}'s {course}" if rng.random() < 0.25 else f"the {course}"


def _distance(rng: Random) -> str:
    return f"{rng.randint(2, 900)} {_any(rng, ('km', 'miles', 'metres', 'kilometres', 'm'))}"


def _temperature(rng: Random) -> str:
    return f"{rng.randint(-30, 240)} {_any(rng, ('degrees', 'degrees Celsius', '°C', '°F'))}"


def _percentage(rng: Random) -> str:
    return f"{rng.randint(1, 99)}{_any(rng, ('%', '%', ' percent'))}"


def _person_phrase(rng: Random, held_out: bool) -> str:
    """A family or role phrase; with a name where evaluation needs a fresh one."""
    family = _any(rng, vocabulary.FAMILY)
    return f"{family} {first_name(rng, held_out)}" if held_out or rng.random() < 0.35 else family


def _pet_phrase(rng: Random, held_out: bool) -> str:
    return f"{_any(rng, ('my', 'our', 'the'))} {_pick(rng, vocabulary.ANIMALS, held_out)}"


def _server_phrase(rng: Random, held_out: bool) -> str:
    return f"{_any(rng, ('our', 'the'))} {_pick(rng, vocabulary.SERVER_USES, held_out)} server"


def _owned(sampler: _Sampler) -> _Sampler:
    """`sampler`'s bare noun with the owner or article that the subject of a sentence needs."""

    def owned(rng: Random, held_out: bool) -> str:
        owner = "the" if rng.random() < 0.4 else _any(rng, ("my", "our", f"{first_name(rng, held_out)}'s"))
        return f"{owner} {sampler(rng, held_out)}"

    return owned


def _vehicle_phrase(rng: Random, held_out: bool) -> str:
    if held_out or rng.random() < 0.5:
        return _owned(_vehicle)(rng, held_out)
    return f"{_any(rng, ('my', 'our', 'the'))} {_any(rng, vocabulary.VEHICLES)}"


_NEEDS_ARTICLE = frozenset({"device", "thing", "vehicle"})

_SUBJECTS: dict[str, _Sampler] = {
    "person": _person_phrase,
    "pet": _pet_phrase,
    "server": _server_phrase,
    "device": _owned(_device),
    "thing": _owned(_thing),
    "vehicle": _vehicle_phrase,
}


@cache
def _samplers() -> dict[str, _Sampler]:
    v = vocabulary
    return {
        "airline": _named(v.AIRLINE_ENDS),
        "allergen": _of(v.ALLERGENS),
        "animal": _of(v.ANIMALS),
        "band": _band,
        "birthday": _hashed(_birthday),
        "book": _title,
        "branch": _branch,
        "brand": _company,
        "city": _city,
        "cloud": _shared(v.CLOUDS),
        "code": _hashed(_code),
        "colour": _shared(v.COLOURS),
        "company": _company,
        "country": _country,
        "course": _course,
        "database": _of(v.DATABASES),
        "date": _hashed(_date),
        "device": _device,
        "dish": _food,
        "distance": _hashed(_distance),
        "document": _document,
        "drink": _of(v.DRINKS),
        "duration": _hashed(_duration),
        "email": _email,
        "event": _event,
        "filename": _hashed(_filename),
        "film": _title,
        "food": _food,
        "game": _shared(v.GAMES),
        "hobby": _of(v.HOBBIES),
        "hotel": _named(v.HOTEL_ENDS),
        "illness": _of(v.ILLNESSES),
        "instrument": _of(v.INSTRUMENTS),
        "job": _job,
        "landmark": _named(v.LANDMARK_TYPES),
        "language": _of(v.LANGUAGES),
        "material": _of(v.MATERIALS),
        "medicine": _of(v.MEDICINES),
        "month": _shared(v.MONTHS),
        "number": _hashed(_number),
        "os": lambda rng, held_out: _os(rng),
        "path": _path,
        "percentage": _hashed(_percentage),
        "person": person,
        "pet": _pet_name,
        "petname": _pet_name,
        "phone": _hashed(_phone),
        "plant": _of(v.PLANTS),
        "port": _hashed(_port),
        "price": _hashed(_price),
        "proglang": _of(v.PROGRAMMING_LANGUAGES),
        "project": _project,
        "restaurant": _restaurant,
        "role": _shared(v.ROLES),
        "room": _hashed(_room),
        "school": _school,
        "server": _hashed(_server),
        "service": _service,
        "shop": _shop,
        "size": _shared(v.SIZES),
        "skill": _of(v.SKILLS),
        "software": _of(v.SOFTWARE),
        "sport": _of(v.SPORTS),
        "status": _shared(v.STATUSES),
        "street": _street,
        "study": _of(v.STUDIES),
        "team": _team,
        "temperature": _hashed(_temperature),
        "thing": _thing,
        "time": _hashed(_time),
        "trip": _trip,
        "url": _url,
        "vehicle": _vehicle,
        "version": _hashed(_version),
        "weekday": _shared(v.WEEKDAYS),
        "year": _hashed(lambda rng: str(rng.randint(1950, 2035))),
    }
