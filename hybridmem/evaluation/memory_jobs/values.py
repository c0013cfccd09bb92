"""Names and values of every kind that a relation may name, drawn from vocabularies too large to memorise.

    >>> from random import Random
    >>> sample("weekday", Random(1)) in vocabulary.WEEKDAYS
    True

Every word list is split by a hash of the word, and invented words likewise: what `sample` draws with
`held_out=True` it never draws without. The kinds in `CLOSED` are too small to split and are shared.
"""

from __future__ import annotations

from functools import cache
from random import Random

from hybridmem.evaluation.memory_jobs import figures, vocabulary
from hybridmem.evaluation.memory_jobs.drawing import Sampler, any_of, coin, hashed, is_held_out, pick, shared, words_of

CLOSED = frozenset({"weekday", "month", "size", "status", "colour", "cloud", "os", "game", "role"})
"""Kinds whose values are shared by training and evaluation."""


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
    return coin(rng, held_out) if rng.random() < 0.25 else pick(rng, vocabulary.FIRST_NAMES, held_out)


def last_name(rng: Random, held_out: bool = False) -> str:
    """Draw a last name, a quarter of them invented."""
    return coin(rng, held_out) if rng.random() < 0.25 else pick(rng, vocabulary.LAST_NAMES, held_out)


def _code_name(rng: Random, held_out: bool) -> str:
    return coin(rng, held_out) if rng.random() < 0.4 else pick(rng, vocabulary.CODE_NAMES, held_out)


def _city(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.65:
        return pick(rng, vocabulary.CITIES, held_out)
    ending = any_of(rng, ["", "", "", "ville", "ton", "burg", "stad", "field", " Bay", " Falls"])
    return coin(rng, held_out) + ending


def _country(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.85:
        return pick(rng, vocabulary.COUNTRIES, held_out)
    return coin(rng, held_out) + any_of(rng, ["ia", "land", "stan"])


def _company(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.4:
        stem = _compound(rng, held_out)
    elif shape < 0.7:
        stem = coin(rng, held_out)
    elif shape < 0.85:
        stem = pick(rng, vocabulary.CODE_NAMES, held_out)
    else:
        stem = pick(rng, vocabulary.LAST_NAMES, held_out)
        return f"{stem} {any_of(rng, vocabulary.COMPANY_SUFFIXES)}"
    return stem if rng.random() < 0.4 else f"{stem} {any_of(rng, vocabulary.COMPANY_SUFFIXES)}"


def _compound(rng: Random, held_out: bool) -> str:
    while True:
        word = any_of(rng, vocabulary.COMPANY_STEMS) + any_of(rng, vocabulary.COMPANY_TAILS)
        if is_held_out(word) == held_out:
            return word


def _project(rng: Random, held_out: bool) -> str:
    name = _code_name(rng, held_out)
    return any_of(rng, ["Project {}", "the {} project", "{}", "the {} migration", "the {} rewrite"]).format(name)


def _team(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.6:
        return f"the {pick(rng, vocabulary.AREAS, held_out)} team"
    return f"the {_code_name(rng, held_out)} team"


def _job(rng: Random, held_out: bool) -> str:
    job = pick(rng, vocabulary.JOBS, held_out)
    mark = any_of(rng, ("senior", "junior", "freelance", "part-time", "trainee"))
    return f"{mark} {job}" if rng.random() < 0.2 else job


def _food(rng: Random, held_out: bool) -> str:
    food = pick(rng, vocabulary.FOODS, held_out)
    return f"{any_of(rng, vocabulary.FOOD_STYLES)} {food}" if rng.random() < 0.25 else food


def _pet_name(rng: Random, held_out: bool) -> str:
    return coin(rng, held_out) if rng.random() < 0.3 else pick(rng, vocabulary.PET_NAMES, held_out)


def _email(rng: Random, held_out: bool) -> str:
    first, last = first_name(rng, held_out).lower(), last_name(rng, held_out).lower()
    user = any_of(rng, (first, f"{first}.{last}", f"{first[0]}{last}", f"{last}{rng.randint(1, 99)}"))
    return f"{user}@{_domain(rng, held_out)}"


def _domain(rng: Random, held_out: bool) -> str:
    stem = _compound(rng, held_out) if rng.random() < 0.5 else coin(rng, held_out)
    return f"{stem.lower()}.{any_of(rng, vocabulary.DOMAINS)}"


def _url(rng: Random, held_out: bool) -> str:
    scheme = any_of(rng, ("https://", "http://", "", "", "www."))
    tail = any_of(rng, ("", "", f"/{any_of(rng, vocabulary.FILE_STEMS)}", f"/{rng.randint(1, 999)}"))
    host = any_of(rng, ("", "", "", "wiki.", "docs.", "git.", "status.")) if scheme != "www." else ""
    return f"{scheme}{host}{_domain(rng, held_out)}{tail}"


def _path(rng: Random, held_out: bool) -> str:
    middle = _code_name(rng, held_out).lower()
    tail = any_of(rng, ("", f"/{any_of(rng, vocabulary.FILE_STEMS)}", f"/{any_of(rng, vocabulary.FOLDERS)}"))
    return f"/{any_of(rng, vocabulary.FOLDERS)}/{middle}{tail}"


def _branch(rng: Random, held_out: bool) -> str:
    name = _code_name(rng, held_out).lower()
    if rng.random() < 0.5:
        return f"{any_of(rng, vocabulary.BRANCH_KINDS)}/{name}"
    return f"{any_of(rng, vocabulary.BRANCH_KINDS)}/{any_of(rng, vocabulary.AREAS)}-{name}"


def _service(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.6:
        return f"the {pick(rng, vocabulary.SERVICES, held_out)}"
    part = any_of(rng, ("api", "worker", "auth", "sync", "mailer", "web", "proxy"))
    return f"{_code_name(rng, held_out).lower()}-{part}"


def _vehicle(rng: Random, held_out: bool) -> str:
    model = pick(rng, vocabulary.VEHICLE_MODELS, held_out)
    return f"{any_of(rng, vocabulary.COLOURS[:9])} {model}" if rng.random() < 0.25 else model


def _street(rng: Random, held_out: bool) -> str:
    stem = coin(rng, held_out) if rng.random() < 0.3 else pick(rng, vocabulary.STREET_STEMS, held_out)
    street = f"{stem} {any_of(rng, vocabulary.STREET_ENDS)}"
    return f"{rng.randint(1, 199)} {street}" if rng.random() < 0.3 else street


def _title(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    noun = pick(rng, vocabulary.TITLE_NOUNS, held_out)
    if shape < 0.4:
        return f"The {any_of(rng, vocabulary.TITLE_ADJECTIVES)} {noun}"
    if shape < 0.6:
        return f"{any_of(rng, vocabulary.TITLE_ADJECTIVES)} {noun}"
    if shape < 0.8:
        return f"The {noun} of {coin(rng, held_out)}"
    return f"{first_name(rng, held_out)} and the {noun}"


def _band(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.6:
        return f"The {coin(rng, held_out)} {any_of(rng, vocabulary.BAND_PLURALS)}"
    return f"{any_of(rng, vocabulary.TITLE_ADJECTIVES)} {pick(rng, vocabulary.TITLE_NOUNS, held_out)}"


def _school(rng: Random, held_out: bool) -> str:
    place = _city(rng, held_out) if rng.random() < 0.5 else pick(rng, vocabulary.STREET_STEMS, held_out)
    return f"{place} {any_of(rng, ('University', 'College', 'High School', 'Academy', 'Grammar School'))}"


def _shop(rng: Random, held_out: bool) -> str:
    if rng.random() < 0.5:
        return f"{first_name(rng, held_out)}'s {any_of(rng, vocabulary.SHOP_TYPES)}"
    return f"{_code_name(rng, held_out)} {any_of(rng, vocabulary.SHOP_TYPES)}"


def _restaurant(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.2:
        return f"{any_of(rng, ('La', 'Chez', 'Casa', 'Da'))} {coin(rng, held_out)}"
    if shape < 0.6:
        return f"{_code_name(rng, held_out)} {any_of(rng, vocabulary.RESTAURANT_TYPES)}"
    return f"{first_name(rng, held_out)}'s {any_of(rng, vocabulary.RESTAURANT_TYPES)}"


def _named(endings: tuple[str, ...]) -> Sampler:
    return lambda rng, held_out: f"{_code_name(rng, held_out)} {any_of(rng, endings)}"


def _event(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.6:
        return f"the {pick(rng, vocabulary.EVENTS, held_out)}"
    if shape < 0.8:
        return (
            f"the {_code_name(rng, held_out)} {any_of(rng, ('workshop', 'conference', 'launch', 'meetup', 'review'))}"
        )
    return f"{first_name(rng, held_out)}'s {any_of(rng, ('wedding', 'birthday party', 'farewell', 'concert', 'talk'))}"


def _trip(rng: Random, held_out: bool) -> str:
    city = _city(rng, held_out)
    return any_of(rng, ("the {} trip", "our trip to {}", "the trip to {}", "my {} holiday", "the {} tour")).format(city)


def _device(rng: Random, held_out: bool) -> str:
    device = pick(rng, vocabulary.DEVICES, held_out)
    return f"{any_of(rng, vocabulary.THING_MARKS)} {device}" if rng.random() < 0.3 else device


def _thing(rng: Random, held_out: bool) -> str:
    thing = pick(rng, vocabulary.THINGS, held_out)
    return f"{any_of(rng, vocabulary.THING_MARKS)} {thing}" if rng.random() < 0.4 else thing


def _document(rng: Random, held_out: bool) -> str:
    document = pick(rng, vocabulary.DOCUMENTS, held_out)
    return f"the {_code_name(rng, held_out)} {document}" if rng.random() < 0.4 else f"the {document}"


def _course(rng: Random, held_out: bool) -> str:
    course = pick(rng, vocabulary.COURSES, held_out)
    return f"{first_name(rng, held_out)}'s {course}" if rng.random() < 0.25 else f"the {course}"


def _person_phrase(rng: Random, held_out: bool) -> str:
    """A family or role phrase; with a name where evaluation needs a fresh one."""
    family = any_of(rng, vocabulary.FAMILY)
    return f"{family} {first_name(rng, held_out)}" if held_out or rng.random() < 0.35 else family


def _pet_phrase(rng: Random, held_out: bool) -> str:
    return f"{any_of(rng, ('my', 'our', 'the'))} {pick(rng, vocabulary.ANIMALS, held_out)}"


def _server_phrase(rng: Random, held_out: bool) -> str:
    return f"{any_of(rng, ('our', 'the'))} {pick(rng, vocabulary.SERVER_USES, held_out)} server"


def _owned(sampler: Sampler) -> Sampler:
    """`sampler`'s bare noun with the owner or article that the subject of a sentence needs."""

    def owned(rng: Random, held_out: bool) -> str:
        owner = "the" if rng.random() < 0.4 else any_of(rng, ("my", "our", f"{first_name(rng, held_out)}'s"))
        return f"{owner} {sampler(rng, held_out)}"

    return owned


def _vehicle_phrase(rng: Random, held_out: bool) -> str:
    if held_out or rng.random() < 0.5:
        return _owned(_vehicle)(rng, held_out)
    return f"{any_of(rng, ('my', 'our', 'the'))} {any_of(rng, vocabulary.VEHICLES)}"


_NEEDS_ARTICLE = frozenset({"device", "thing", "vehicle"})

_SUBJECTS: dict[str, Sampler] = {
    "person": _person_phrase,
    "pet": _pet_phrase,
    "server": _server_phrase,
    "device": _owned(_device),
    "thing": _owned(_thing),
    "vehicle": _vehicle_phrase,
}


@cache
def _samplers() -> dict[str, Sampler]:
    v = vocabulary
    return {
        "airline": _named(v.AIRLINE_ENDS),
        "allergen": words_of(v.ALLERGENS),
        "animal": words_of(v.ANIMALS),
        "band": _band,
        "birthday": hashed(figures.birthday),
        "book": _title,
        "branch": _branch,
        "brand": _company,
        "city": _city,
        "cloud": shared(v.CLOUDS),
        "code": hashed(figures.code),
        "colour": shared(v.COLOURS),
        "company": _company,
        "country": _country,
        "course": _course,
        "database": words_of(v.DATABASES),
        "date": hashed(figures.date),
        "device": _device,
        "dish": _food,
        "distance": hashed(figures.distance),
        "document": _document,
        "drink": words_of(v.DRINKS),
        "duration": hashed(figures.duration),
        "email": _email,
        "event": _event,
        "filename": hashed(figures.filename),
        "film": _title,
        "food": _food,
        "game": shared(v.GAMES),
        "hobby": words_of(v.HOBBIES),
        "hotel": _named(v.HOTEL_ENDS),
        "illness": words_of(v.ILLNESSES),
        "instrument": words_of(v.INSTRUMENTS),
        "job": _job,
        "landmark": _named(v.LANDMARK_TYPES),
        "language": words_of(v.LANGUAGES),
        "material": words_of(v.MATERIALS),
        "medicine": words_of(v.MEDICINES),
        "month": shared(v.MONTHS),
        "number": hashed(figures.number),
        "os": lambda rng, held_out: figures.operating_system(rng),
        "path": _path,
        "percentage": hashed(figures.percentage),
        "person": person,
        "pet": _pet_name,
        "petname": _pet_name,
        "phone": hashed(figures.phone),
        "plant": words_of(v.PLANTS),
        "port": hashed(figures.port),
        "price": hashed(figures.price),
        "proglang": words_of(v.PROGRAMMING_LANGUAGES),
        "project": _project,
        "restaurant": _restaurant,
        "role": shared(v.ROLES),
        "room": hashed(figures.room),
        "school": _school,
        "server": hashed(figures.server),
        "service": _service,
        "shop": _shop,
        "size": shared(v.SIZES),
        "skill": words_of(v.SKILLS),
        "software": words_of(v.SOFTWARE),
        "sport": words_of(v.SPORTS),
        "status": shared(v.STATUSES),
        "street": _street,
        "study": words_of(v.STUDIES),
        "team": _team,
        "temperature": hashed(figures.temperature),
        "thing": _thing,
        "time": hashed(figures.time),
        "trip": _trip,
        "url": _url,
        "vehicle": _vehicle,
        "version": hashed(figures.version),
        "weekday": shared(v.WEEKDAYS),
        "year": hashed(lambda rng: str(rng.randint(1950, 2035))),
    }
