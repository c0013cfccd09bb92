"""The filter language: what each operator means, and what each mistake is told."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.evaluate import holds
from hybridmem.core.filters.options import asked_for
from hybridmem.core.filters.parse import parse
from hybridmem.core.filters.schema import filter_schema
from hybridmem.testing.filter_samples import TIMES, filters

VALUES: dict[str, Any] = {
    "kind": "episode",
    "role": "user",
    "session": "2026-03-01",
    "trust": "agent",
    "quarantined": False,
    "at": datetime(2026, 3, 1, 22, 30, tzinfo=UTC),
    "tags": ("travel", "Porto"),
    "metadata": {
        "stars": 4,
        "half": 2.5,
        "yes": True,
        "none": None,
        "word": "Straße",
        "digits": "10",
        "due": "2026-03-01T09:00:00+02:00",
        "day": "2026-03-01",
        "mixed": [1, "a", "2026-03-01"],
        "deep": {"inner": {"leaf": "x"}},
        "people": [{"name": "Ana", "tags": ["a"]}, {"name": "Ben"}],
        "a.b": "dotted",
    },
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, True),
        ({"role": "user"}, True),
        ({"role": ["user", "tool"]}, True),
        ({"role": {"ne": "user"}}, False),
        ({"speaker": {"ne": "Ana"}}, True),
        ({"speaker": None}, True),
        ({"speaker": {"exists": False}}, True),
        ({"session": "2026-03-01"}, True),
        ({"role": {"gt": "tool", "lt": "z"}}, True),
        ({"quarantined": False}, True),
        ({"trust": {"nin": ["user", "web"]}}, True),
        # times: a date is its whole day in UTC, a time is a moment whatever its offset
        ({"at": "2026-03-01"}, True),
        ({"at": date(2026, 3, 1)}, True),
        ({"at": "2026-03-01T22:30:00Z"}, True),
        ({"at": "2026-03-02T00:30:00+02:00"}, True),
        ({"at": {"lte": "2026-03-01"}}, True),
        ({"at": {"gte": "2026-03-01"}}, True),
        ({"at": {"lt": "2026-03-01"}}, False),
        ({"at": {"gt": "2026-03-01"}}, False),
        ({"at": {"gt": "2026-03-01T22:30:00Z"}}, False),
        ({"at": {"gte": "2026-03-01T17:30:00-05:00"}}, True),
        ({"at": {"gte": datetime(2026, 3, 1, 22, 30, 1, tzinfo=UTC)}}, False),
        ({"expires_at": {"gt": "2026-01-01"}}, False),
        ({"expires_at": None}, True),
        # tags and other lists: by element
        ({"tags": "travel"}, True),
        ({"tags": {"in": ["porto", "travel"]}}, True),
        ({"tags": {"in": {"travel"}}}, True),
        ({"tags": {"nin": ["travel"]}}, False),
        ({"tags": {"contains": "trav"}}, False),
        ({"tags": {"icontains": "porto"}}, True),
        ({"metadata.mixed": 1}, True),
        ({"metadata.mixed": {"ne": "a"}}, False),
        ({"metadata.mixed": {"gt": 0}}, True),
        ({"metadata.mixed": {"eq": [1, "a", "2026-03-01"]}}, True),
        ({"metadata.mixed": {"eq": [1, "a"]}}, False),
        ({"metadata.mixed": {"contains": 1.0}}, True),
        # metadata: types do not mix
        ({"metadata.stars": 4.0}, True),
        ({"metadata.stars": "4"}, False),
        ({"metadata.stars": {"gte": 3, "lt": 5}}, True),
        ({"metadata.stars": {"gt": "3"}}, False),
        ({"metadata.half": {"lte": 2.5}}, True),
        ({"metadata.yes": True}, True),
        ({"metadata.yes": 1}, False),
        ({"metadata.stars": {"ne": True}}, True),
        ({"metadata.none": None}, True),
        ({"metadata.none": {"exists": True}}, False),
        ({"metadata.missing": {"nin": [1]}}, True),
        ({"metadata.missing": {"lt": 1}}, False),
        ({"metadata.word": {"contains": "raß"}}, True),
        ({"metadata.word": {"icontains": "STRASSE"}}, True),
        ({"metadata.digits": {"gt": 9}}, False),
        ({"metadata.stars": {"lt": float("inf"), "gt": -(10**400)}}, True),
        ({"metadata.stars": {"lte": float("-inf")}}, False),
        ({"metadata.stars": float("inf")}, False),
        ({"metadata.due": "2026-03-01T07:00:00Z"}, True),
        ({"metadata.due": "2026-03-01"}, True),
        ({"metadata.due": {"lte": "2026-03-01", "gte": datetime(2026, 3, 1, 7, tzinfo=UTC)}}, True),
        ({"metadata.due": {"lt": "2026-03-01T07:00:00Z"}}, False),
        ({"metadata.day": {"gte": "2026-03-01T00:00:00Z"}}, True),
        # places: inner keys, keys with dots, objects in lists
        ({"metadata.deep.inner.leaf": "x"}, True),
        ({"metadata.deep.inner": {"exists": True}}, True),
        ({"metadata.deep.leaf": {"exists": True}}, False),
        ({"metadata.a.b": "dotted"}, True),
        ({"metadata.people.name": "Ben"}, True),
        ({"metadata.people.name": {"nin": ["Ana"]}}, False),
        ({"metadata.people.tags": {"contains": "a"}}, True),
        # joins
        ({"or": [{"role": "tool"}, {"metadata.stars": 4}]}, True),
        ({"and": [{"role": "user"}, {"not": {"tags": "travel"}}]}, False),
        ({"not": [{"role": "tool"}, {"role": "web"}]}, True),
        ({"not": [{"role": "tool"}, {"role": "user"}]}, False),
        ({"not": {"not": {"role": "user"}}}, True),
    ],
)
def test_what_a_filter_admits(written: dict[str, Any], expected: bool) -> None:
    assert holds(parse(written), VALUES) is expected
    assert holds(parse({"not": written}), VALUES) is not expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"rolle": "user"}, "no field 'rolle': did you mean 'role'?"),
        ({"channel": "chat"}, "no field 'channel': in the metadata, it is 'metadata.channel'"),
        ({"metadata": {"a": 1}}, "no field 'metadata'"),
        ({"AND": [{}]}, "did you mean 'and'?"),
        ({7: 1}, "no field '7'"),
        ({"a\nb": 1}, r"in the metadata, it is 'metadata.a\nb'"),
        ({"role": {"near": 1}}, "no known operator 'near': use eq, ne"),
        ({"role": {"$eq": "user"}}, "no known operator '$eq'"),
        ({"at": {"contains": "2026"}}, "on 'at' takes no 'contains'"),
        ({"trust": {"gt": "user"}}, "on 'trust' takes no 'gt'"),
        ({"role": {}}, "on 'role' is empty"),
        ({"role": 7}, "on 'role' takes a text, not 7"),
        ({"at": "soon"}, "'soon' is not a date"),
        ({"at": 7}, "on 'at' takes a time, not 7"),
        ({"evidence": "many"}, "takes a number, not 'many'"),
        ({"quarantined": "yes"}, "takes true or false, not 'yes'"),
        ({"trust": "friend"}, "no trust 'friend': choose among user, agent, tool, web"),
        ({"metadata.n": {"in": 1}}, "'in' on 'metadata.n' needs a list of values"),
        ({"metadata.n": {"gt": None}}, "takes a number, a text or a time, not None"),
        ({"metadata.n": {"gt": [1]}}, "takes a number, a text or a time"),
        ({"metadata.n": {"eq": {"a": 1}}}, "cannot compare with {'a': 1}"),
        ({"metadata.n": {"eq": float("nan")}}, "cannot compare with nan"),
        ({"metadata.n": {"exists": 1}}, "takes true or false, not 1"),
        ({"metadata.n": {"icontains": 1}}, "takes a text, not 1"),
        ({"and": []}, "'and' is no list of filters"),
        ({"or": {"role": "user"}}, "'or' is no list of filters"),
        ({"not": 1}, "'not' is no list of filters"),
        ({"and": ["x"]}, "'x' is no object"),
        ([], "no object"),
        ({"metadata.n": {"in": list(range(10_001))}}, "more than 10,000 values"),
    ],
)
def test_a_mistake_is_named_in_one_line(written: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(written)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    written: dict[str, Any] = {"role": "user"}
    for _ in range(10_000):
        written = {"not": written}
    with pytest.raises(InvalidInput, match="nested more than 32 deep"):
        parse(written)


def test_the_options_of_a_search_are_filters_too() -> None:
    assert holds(asked_for({"tags": "travel"}, since="2026-03-01", until="2026-03-01", role="user"), VALUES)
    assert not holds(asked_for(until="2026-02-28"), VALUES)
    assert holds(asked_for(trust=["user", "agent"], session="2026-03-01"), VALUES)
    assert holds(asked_for(), VALUES)
    with pytest.raises(InvalidInput, match="'soon' is not a date"):
        asked_for(since="soon")


def _checker() -> Any:
    """The schema of filters; a text that is no date here is none of `date` or `date-time`."""
    jsonschema = pytest.importorskip("jsonschema")
    dates = jsonschema.FormatChecker(formats=())
    dates.checks("date")(lambda value: not isinstance(value, str) or value in TIMES or value == "2026-01-01")
    dates.checks("date-time")(lambda value: not isinstance(value, str) or value in TIMES)
    schema = {"$ref": "#/$defs/filter", "$defs": {"filter": filter_schema("#/$defs/filter")}}
    return jsonschema.Draft202012Validator(schema, format_checker=dates)


CHECKER = _checker()


@given(written=filters())
def test_the_schema_admits_what_the_parser_reads(written: dict[str, Any]) -> None:
    parse(written)
    assert CHECKER.is_valid(_as_json(written)), written


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "user", "2026-01-01", "x"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["and", "or", "not", "role", "at", "tags", "metadata.k", "eq", "in", "gt", "nope"]),
                inner,
                max_size=2,
            )
        ),
    )
)
def test_the_schema_refuses_what_the_parser_refuses(written: Any) -> None:
    try:
        parse(written)
    except InvalidInput:
        assert not CHECKER.is_valid(written)
    else:
        assert written is None or CHECKER.is_valid(written)


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    return "2026-01-01" if isinstance(value, datetime) else value


@pytest.mark.parametrize(
    "written",
    [
        {"session": "Jose\u0301"},
        {"session": {"in": ["x", "Jos\u00e9"]}},
        {"metadata.who": "Jos\u00e9"},
        {"metadata.who": {"contains": "s\u00e9"}},
        {"tags": {"icontains": "JOS\u00c9"}},
    ],
)
def test_a_text_is_the_same_however_it_is_composed(written: dict[str, Any]) -> None:
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "José")
        values = {"session": name, "tags": (name,), "metadata": {"who": name}}
        assert holds(parse(written), values) and not holds(parse({"not": written}), values)


@pytest.mark.parametrize(
    ("spelt", "role"), [("User", "user"), ("human", "user"), ("AI", "assistant"), ("critic", "critic")]
)
def test_a_role_is_told_in_any_of_its_spellings(spelt: str, role: str) -> None:
    assert parse({"role": spelt}) == parse({"role": role})
    assert parse({"role": {"nin": [spelt]}}) == parse({"role": {"nin": [role]}})


def test_the_metadata_as_a_whole_are_no_field() -> None:
    with pytest.raises(InvalidInput, match=r"no field 'metadata': name a key in it, as in 'metadata\.channel'"):
        parse({"metadata": {"channel": "chat"}})


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [("2026-12-01", "2026-01-01", False), ("2026-03-01T12:00:00Z", "2026-03-01", True), ("2026-03", "2026", True)],
)
def test_a_period_that_ends_before_it_begins_is_refused(since: str, until: str, holds: bool) -> None:
    if holds:
        asked_for(since=since, until=until)
        return
    with pytest.raises(InvalidInput, match=r"since 2026-12-01 is after until 2026-01-01.*swap them"):
        asked_for(since=since, until=until)


def test_a_name_in_the_metadata_is_the_same_however_its_letters_are_composed() -> None:
    composed, apart = (unicodedata.normalize(form, "Größe") for form in ("NFC", "NFD"))
    values = {"metadata": {apart: {"café": 3}}}
    for written in (composed, apart):
        assert holds(parse({f"metadata.{written}.{unicodedata.normalize('NFD', 'café')}": 3}), values)
