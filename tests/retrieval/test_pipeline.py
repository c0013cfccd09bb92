"""What a search finds, shows, hides and explains; on the plainest stores, and once on the real ones."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridmem.core.errors import EmptyText, InvalidEncoding, InvalidInput
from hybridmem.core.filters.parse import parse
from hybridmem.core.records import Episode, Fact
from hybridmem.embedding.hashing import HashingEmbedder
from hybridmem.retrieval.pipeline import Found, Retrieval
from hybridmem.retrieval.settings import RetrievalSettings
from hybridmem.retrieval.shortlist import estimated_tokens
from hybridmem.stores.index.chroma import ChromaIndex
from hybridmem.stores.index.follower import Indexes
from hybridmem.stores.index.fulltext import FullTextIndex
from hybridmem.stores.index.graph import GraphIndex
from hybridmem.stores.index.inmemory import InMemoryGraphIndex, InMemoryLexicalIndex, InMemoryVectorIndex
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.sql.ledger import SqlLedger

ANA = ("users", "ana")
BEN = ("users", "ben")
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


class Store:
    """A ledger, its indexes and the search over them."""

    def __init__(self, ledger: Ledger, indexes: Indexes) -> None:
        self.ledger, self.indexes = ledger, indexes
        parts = (indexes.vectors, indexes.lexical, indexes.graph, indexes.embedder)
        self.retrieval = Retrieval(ledger, *parts)
        self.search = self.retrieval.search
        self._number = 0

    def say(self, text: str, **changes: object) -> Episode:
        self._number += 1
        given: dict[str, object] = {"at": MARCH + timedelta(minutes=self._number), **changes}
        namespace = given.pop("namespace", ANA)
        (episode,) = self.ledger.append([Episode(f"e{self._number:04}", namespace, text, **given)])  # type: ignore[arg-type]
        self.indexes.catch_up()
        return episode

    def tell(self, subject: str, relation: str, value: str, text: str, **changes: object) -> Fact:
        self._number += 1
        given: dict[str, object] = {"valid_from": MARCH, **changes}
        fact = Fact(f"f{self._number:04}", ANA, subject, relation, value, text, **given)  # type: ignore[arg-type]
        stored = self.ledger.put_fact(fact)
        self.indexes.catch_up()
        return stored

    def ids(self, query: str, **how: object) -> list[str]:
        return [hit.id for hit in self.search(ANA, query, **how)]  # type: ignore[arg-type]


def plain(folder: Path) -> Store:
    ledger = InMemoryLedger()
    indexes = (InMemoryVectorIndex(), InMemoryLexicalIndex(), InMemoryGraphIndex())
    return Store(ledger, Indexes(ledger, *indexes, HashingEmbedder(), folder))


def real(folder: Path) -> Store:
    ledger = SqlLedger(folder / "ledger.sqlite3")
    indexes = (ChromaIndex(folder / "chroma"), FullTextIndex(folder / "text.sqlite3"), GraphIndex(folder / "graph"))
    return Store(ledger, Indexes(ledger, *indexes, HashingEmbedder(), folder))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return plain(tmp_path)


@pytest.fixture(params=[plain, real])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = request.param(tmp_path)
    yield opened
    opened.indexes.close()
    opened.ledger.close()


def test_the_right_memory_comes_first_and_says_why(any_store: Store) -> None:
    any_store.say("The weather was fine.")
    moved = any_store.say("I moved to Lisbon in March.", speaker="Ana", session="s1", metadata={"channel": "chat"})
    any_store.say("Ben likes tea.", speaker="Ben")
    hits = any_store.search(ANA, "When did Ana move to Lisbon?")
    assert hits[0].id == moved.id
    assert (hits[0].speaker, hits[0].session, hits[0].at, hits[0].metadata) == (
        "Ana",
        "s1",
        moved.at,
        {"channel": "chat"},
    )
    assert hits[0].raw["dense"] <= 1.0 + 1e-6 and hits[0].raw["lexical"] > 0
    assert {"dense", "lexical", "graph", "named"} <= set(hits[0].why)
    assert all(hit.score == pytest.approx(math.fsum(hit.why.values())) for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_nothing_is_found_in_an_empty_memory(any_store: Store) -> None:
    assert any_store.search(ANA, "Where does Ana live?") == []


def test_nothing_crosses_a_namespace(any_store: Store) -> None:
    any_store.say("Ben's secret port is Trieste.", namespace=BEN)
    assert any_store.ids("Which port is Ben's secret?") == []


@pytest.mark.parametrize(
    ("query", "how", "error"),
    [
        ("  ", {}, EmptyText),
        ("a\x00b", {}, InvalidEncoding),
        ("a", {"limit": 0}, InvalidInput),
        ("a", {"token_budget": -1}, InvalidInput),
        ("a", {"kinds": ("dream",)}, InvalidInput),
    ],
)
def test_bad_input_is_refused(store: Store, query: str, how: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        store.ids(query, **how)


@pytest.mark.parametrize("query", ['"', "NEAR(a b)", "a* OR -b", "?!", "日本", "x" * 5000])
def test_any_words_are_a_safe_query(any_store: Store, query: str) -> None:
    any_store.say("Ana lives in Lisbon.")
    assert len(any_store.ids(query)) == 1


class TestWhatHolds:
    @pytest.fixture
    def moved(self, any_store: Store) -> Store:
        old = any_store.say("Ana lives in Porto.")
        any_store.tell("Ana", "lives in", "Porto", "Ana's home is Porto.", sources=(old.id,))
        april = MARCH + timedelta(days=31)
        new = any_store.say("Ana moved to Lisbon, she lives there.", at=april)
        any_store.tell("Ana", "lives in", "Lisbon", "Ana's home is Lisbon.", sources=(new.id,), valid_from=april)
        return any_store

    def test_now(self, moved: Store) -> None:
        """What was extracted may be wrong: it ranks what it replaced lower, and hides none of it."""
        first, *others = moved.ids("Where does Ana live?")
        assert first in {"e0003", "f0004"} and "e0001" in others

    def test_replaced_words_are_still_the_first_hit_for_themselves(self, moved: Store) -> None:
        assert moved.ids("Ana lives in Porto.", kinds=("episode",))[0] == "e0001"

    def test_then(self, moved: Store) -> None:
        assert set(moved.ids("Where does Ana live?", as_of=MARCH + timedelta(days=2))) == {"e0001", "f0002"}

    def test_before_anything(self, moved: Store) -> None:
        assert moved.ids("Where does Ana live?", as_of=MARCH - timedelta(days=2)) == []

    def test_afterwards(self, moved: Store) -> None:
        first, *others = moved.ids("Where does Ana live?", as_of=MARCH + timedelta(days=90))
        assert first in {"e0003", "f0004"} and "e0001" in others

    def test_kinds(self, moved: Store) -> None:
        assert moved.ids("Where does Ana live?", kinds=("fact",)) == ["f0004"]
        assert set(moved.ids("Where does Ana live?", kinds=("episode",))) == {"e0003", "e0001"}

    def test_quarantined_and_erased(self, moved: Store) -> None:
        moved.ledger.set_quarantine(ANA, "f0004", True, MARCH)
        assert "f0004" not in moved.ids("Where does Ana live?"), "the ledger decides, before the index follows"
        moved.ledger.erase(ANA, "e0003", MARCH)
        assert "e0003" not in moved.ids("Where does Ana live?")


class TestAfterANight:
    """A search over messages is the same after a night as before it, but for what was learned."""

    MESSAGES = (
        "The ferret Zora sleeps in the hall, and Ana lives in Porto.",
        "The vet saw the ferret on Monday.",
        "The dentist moved to Friday morning.",
        *(f"The {thing} was paid on day {day} of the month." for day, thing in enumerate(["rent", "gas", "water"])),
        *(f"Ben read chapter {number} of a novel about whales and boats." for number in range(8)),
    )

    @pytest.fixture
    def lived(self, any_store: Store) -> Store:
        for text in self.MESSAGES:
            any_store.say(text)
        return any_store

    def test_a_replaced_message_is_ranked_lower_only_where_what_replaced_it_bears_on_the_question(
        self, lived: Store
    ) -> None:
        april = MARCH + timedelta(days=31)
        lived.tell("Ana", "lives in", "Porto", "Ana lives in Porto.", sources=("e0001",))
        new = lived.say("Ana moved to Lisbon.", at=april)
        lived.tell("Ana", "lives in", "Lisbon", "Ana lives in Lisbon.", sources=(new.id,), valid_from=april)
        asleep = {hit.id: hit for hit in lived.search(ANA, "Where does the ferret Zora sleep?")}
        assert next(iter(asleep)) == "e0001" and "superseded" not in asleep["e0001"].why
        for kinds in (("episode",), ("episode", "fact")):
            home = {hit.id: hit for hit in lived.search(ANA, "Where does Ana live?", kinds=kinds)}
            assert home["e0001"].why["superseded"] < 0

    def test_short_facts_on_other_things_move_no_message(self, lived: Store) -> None:
        question = "Which day was the water paid, and the gas?"
        before = [(hit.id, round(hit.why["dense"], 9)) for hit in lived.search(ANA, question, limit=6)]
        for number in range(7, 13):
            lived.tell("Ben", "read", f"chapter {number}", f"Ben read {number}.", sources=(f"e{number:04}",))
        after = lived.search(ANA, question, limit=6)
        assert [(hit.id, round(hit.why["dense"], 9)) for hit in after] == before

    def test_facts_that_are_nearer_than_any_message_keep_their_order(self, lived: Store) -> None:
        told = lived.say("On Sunday Ana told everybody at length of her boat Nim, which she painted blue in spring.")
        near = lived.tell("Ana", "boat", "Nim", "Ana's boat Nim is blue.", sources=(told.id,))
        far = lived.tell("Ana", "told", "everybody", "Ana's boat.", sources=(told.id,))
        found = lived.ids("Is Ana's boat Nim blue?", kinds=("fact",))
        assert found == [near.id, far.id]

    def test_facts_without_messages_to_measure_them_by_are_ranked_by_themselves(self, any_store: Store) -> None:
        told = any_store.say("So much to tell.")
        for number, thing in enumerate(("ferret", "boat", "house", "novel")):
            any_store.tell("Ana", f"has {number}", thing, f"Ana has a {thing}.", sources=(told.id,))
        assert any_store.search(ANA, "What boat does Ana have?")[0].text == "Ana has a boat."


def test_what_a_person_replaced_is_hidden(store: Store) -> None:
    old = store.say("Ana lives in Porto.")
    store.tell("Ana", "lives in", "Porto", "Ana's home is Porto.", sources=(old.id,))
    stated = store.tell("Ana", "lives in", "Lisbon", "Ana's home is Lisbon.", valid_from=MARCH + timedelta(days=31))
    assert store.ids("Where does Ana live?") == [stated.id]
    assert old.id in store.ids("Where does Ana live?", as_of=MARCH + timedelta(days=2))


def test_one_session_with_the_facts_from_it(store: Store) -> None:
    first = store.say("Ana keeps a ferret.", session="s1")
    store.say("Ana keeps a parrot.", session="s2")
    fact = store.tell("Ana", "keeps", "a ferret", "Ana's pet is a ferret.", sources=(first.id,))
    assert set(store.ids("Which pet does Ana keep?", filter=parse({"session": "s1"}))) == {first.id, fact.id}


class TestDates:
    """A period in the question, and a question that asks when."""

    @pytest.fixture
    def told(self, any_store: Store) -> Store:
        for day, text in ((3, "I had soup with Ben."), (10, "I had a cake with Ben."), (17, "I had rice with Ben.")):
            any_store.say(text, at=MARCH + timedelta(days=day))
        return any_store

    def test_what_was_said_in_the_period_comes_first(self, told: Store) -> None:
        for reference, first in (
            (datetime(2026, 3, 17, tzinfo=UTC), "e0002"),
            (datetime(2026, 3, 10, tzinfo=UTC), "e0001"),
        ):
            hits = told.search(ANA, "What did I have with Ben last week?", reference_date=reference)
            assert hits[0].id == first
            assert "period" in hits[0].why
            assert len(hits) == 3, "the others rank lower, and are not cut"

    def test_a_period_alone_finds_its_memories(self, told: Store) -> None:
        reference = datetime(2026, 3, 17, tzinfo=UTC)
        assert told.ids("What happened last week?", reference_date=reference)[0] == "e0002"
        assert told.ids("What happened on 4 March 2026?")[0] == "e0001"
        assert told.ids("上周发生了什么？", reference_date=reference)

    def test_a_memory_that_names_the_period_counts_as_of_it(self, any_store: Store) -> None:
        any_store.say("My exam is next Friday.", at=datetime(2026, 5, 4, tzinfo=UTC))
        any_store.say("My exam went fine.", at=datetime(2026, 7, 4, tzinfo=UTC))
        assert any_store.ids("Which exam did I have on 8 May 2026?")[0] == "e0001"

    def test_as_of_is_the_reference_where_none_is_given(self, told: Store) -> None:
        assert told.ids("What did I have with Ben last week?", as_of="2026-03-17")[0] == "e0002"

    def test_who_asks_when_gets_what_tells_it(self, any_store: Store) -> None:
        any_store.say("The concert of Zane was loud and long, a concert of drums.")
        any_store.say("Yesterday Zane gave a concert.")
        hits = any_store.search(ANA, "When was the concert of Zane?")
        assert hits[0].id == "e0002"
        assert "tells_when" in hits[0].why

    def test_without_dates_nothing_of_it_counts(self, told: Store) -> None:
        off = RetrievalSettings(period=0.0, tells_when=0.0)
        hits = dataclasses.replace(told.retrieval, settings=off).search(ANA, "When did I have cake last week?")
        assert all({"period", "tells_when"}.isdisjoint(hit.why) for hit in hits)


def test_what_is_hidden_does_not_leave_an_empty_page(store: Store) -> None:
    for number in range(300):
        store.say(f"Ana lives in Lisbon, she said it again, number {number}.", session="loud")
    quiet = store.say("By the way, a house.", session="quiet")
    assert store.ids("Where does Ana live in Lisbon?", filter=parse({"session": "quiet"})) == [quiet.id]
    assert len(store.ids("Where does Ana live in Lisbon?", limit=250)) == 250


class TestNeighbourhood:
    def test_the_reply_comes_with_its_question(self, any_store: Store) -> None:
        question = any_store.say("Which pet did you adopt?", speaker="Ben", session="s1")
        reply = any_store.say("A ferret!", speaker="Ana", session="s1")
        for number in range(20):
            any_store.say(f"Unrelated words, number {number}.", session="s2")
        hits = any_store.search(ANA, "Which pet was adopted?", limit=2)
        assert [hit.id for hit in hits] == [question.id, reply.id]
        assert hits[1].why["neighbour"] > 0

    def test_it_stays_within_the_session(self, any_store: Store) -> None:
        any_store.say("Which pet did you adopt?", session="s1")
        elsewhere = any_store.say("A ferret!", session="s2")
        nowhere = any_store.say("A parrot!")
        hits = {hit.id: hit for hit in any_store.search(ANA, "Which pet was adopted?")}
        assert "neighbour" not in hits[elsewhere.id].why and "neighbour" not in hits[nowhere.id].why

    def test_hidden_turns_are_not_drawn_in(self, store: Store) -> None:
        store.say("Which pet did you adopt?", session="s1")
        reply = store.say("A ferret!", session="s1")
        store.ledger.set_quarantine(ANA, reply.id, True, MARCH)
        assert reply.id not in store.ids("Which pet was adopted?")

    def test_one_read_agrees_with_one_look_at_each(self, any_store: Store) -> None:
        episodes = [any_store.say(f"Turn {number}.", session=f"s{number % 3}") for number in range(12)]
        fact = any_store.tell("Ana", "has", "turns", "Ana has turns.")
        alone, other = any_store.say("No session."), any_store.say("Elsewhere.", namespace=BEN)
        ids = [*(episode.id for episode in episodes), fact.id, alone.id]
        for distance in (1, 2, 5):
            found = any_store.ledger.around(ANA, [*ids, other.id, "missing"], distance=distance)
            assert found == {id: any_store.ledger.neighbours(ANA, id, distance=distance) for id in ids}
        assert found[fact.id] == found[alone.id] == []


class TestShortlist:
    def test_equal_words_come_once_and_the_fact_stands_for_them(self, store: Store) -> None:
        said = store.say("Ana lives in Lisbon.")
        store.say("ana lives in Lisbon")
        fact = store.tell("Ana", "lives in", "Lisbon", "Ana lives in Lisbon.", sources=(said.id,))
        other = store.say("Lisbon is sunny.")
        hits = store.search(ANA, "Where does Ana live?")
        assert [hit.id for hit in hits] == [fact.id, other.id]
        assert (hits[0].kind, hits[0].text) == ("fact", "Ana lives in Lisbon.")

    def test_a_fact_and_its_message_take_one_place_of_the_first(self, store: Store) -> None:
        told = store.say("The ferret Zora sleeps in the hall, and Ana has a ferret.")
        fact = store.tell("Ana", "has", "a ferret", "Ana has a ferret.", sources=(told.id,))
        other = store.say("The vet saw the ferret Zora on Monday.")
        hits = {hit.id: hit for hit in store.search(ANA, "Where does the ferret Zora sleep?")}
        assert list(hits) == [told.id, other.id, fact.id]
        assert hits[fact.id].why["repeated"] < 0 and hits[fact.id].score_alone > hits[fact.id].score
        first, *others = store.search(ANA, "What does Ana have?")
        assert (first.id, first.score) == (fact.id, first.score_alone)
        assert next(hit for hit in others if hit.id == told.id).why["behind_its_fact"] < 0
        quoted = store.search(ANA, f"Ana has a ferret. {told.text}")
        assert all("behind_its_fact" not in hit.why for hit in quoted)

    def test_the_same_words_of_two_speakers_are_two_memories(self, store: Store) -> None:
        store.say("I love ferrets.", speaker="Ana")
        store.say("I love ferrets.", speaker="Ben")
        assert len(store.ids("Who loves ferrets?")) == 2

    @pytest.mark.parametrize("budget", [0, 5, 11, 12, 40, 1000])
    def test_the_budget_is_never_passed(self, store: Store, budget: int) -> None:
        for number in range(10):
            store.say(f"Ferret number {number} sleeps " + "a lot " * number)
        whole = store.search(ANA, "ferret sleeps")
        hits = store.search(ANA, "ferret sleeps", token_budget=budget)
        assert sum(estimated_tokens(hit.quoted) for hit in hits) <= budget
        if budget == 1000:
            assert hits == whole

    def test_a_memory_above_the_budget_does_not_hide_the_others(self, store: Store) -> None:
        store.say("ferret sleeps " * 100)
        short = store.say("My ferret is called Nim and it sleeps.")
        assert store.ids("ferret sleeps", token_budget=20) == [short.id]


def test_the_speaker_that_is_named_wins_between_equals(store: Store) -> None:
    store.say("I adopted a ferret.", speaker="Ben")
    store.say("I adopted a ferret.", speaker="Ana")
    assert store.search(ANA, "What did Ana adopt?")[0].speaker == "Ana"
    assert store.search(ANA, "What did Ben adopt?")[0].speaker == "Ben"


def test_what_somebody_says_tells_more_of_them_than_what_they_are_told(store: Store) -> None:
    told = store.say("Ana, a ferret is a lovely pet.", speaker="Ben", session="s1")
    said = store.say("My pet is a ferret, and it is lovely.", speaker="Ana", session="s2")
    hits = store.search(ANA, "Is Ana's lovely pet a ferret?")
    assert [hit.id for hit in hits] == [said.id, told.id]
    assert hits[0].why["spoken"] == store.retrieval.settings.spoken and "spoken" not in hits[1].why
    fact = store.tell("Ana", "keeps", "a ferret", "Ana keeps a ferret.")
    (about_her,) = (hit for hit in store.search(ANA, "What does Ana keep?") if hit.id == fact.id)
    assert "named" in about_her.why and "spoken" not in about_her.why


def test_what_ends_in_a_question_waits_for_its_answer(store: Store) -> None:
    asked = store.say("The ferret is called Nim, you say?", session="s1")
    told = store.say("You say the ferret is called Nim.", session="s2")
    store.say("Tea is nice.", session="s3")
    hits = {hit.id: hit for hit in store.search(ANA, "What is the ferret called?", limit=2)}
    assert list(hits) == [told.id, asked.id]
    assert hits[asked.id].why["asks"] == -store.retrieval.settings.asks and "asks" not in hits[told.id].why
    stated = store.search(ANA, "The name of the ferret, please.")
    assert all("asks" not in hit.why for hit in stated), "the query is no question"
    assert store.ids(asked.text)[0] == asked.id, "a question is found by its own words"


def test_a_searcher_can_be_turned_off(store: Store) -> None:
    store.say("Ana lives in Lisbon.")
    store.say("Tea is nice.")
    off = RetrievalSettings(lexical=0.0, graph=0.0, named=0.0, anchors=0)
    hits = dataclasses.replace(store.retrieval, settings=off).search(ANA, "Where does Ana live?")
    assert len(hits) == 2 and all(hit.score == pytest.approx(hit.why["dense"]) for hit in hits)


def test_what_is_found_comes_with_its_records(store: Store) -> None:
    store.say("Ana keeps bees.")
    store.say("Ana keeps bees.", session="s2")
    store.say("Ana keeps a ferret.")
    fact = store.tell("Ana", "keeps", "bees", "Ana keeps bees.")
    found = store.retrieval.find(ANA, "What does Ana keep?", limit=2)
    assert list(found.hits) == store.search(ANA, "What does Ana keep?", limit=2)
    assert list(found.records) == [hit.id for hit in found.hits]
    assert found.records == store.ledger.get_many(ANA, [hit.id for hit in found.hits])
    assert found.facts == (fact,)
    assert store.retrieval.find(ANA, "What does Ana keep?", token_budget=0) == Found()


def test_a_filter_finds_what_is_far_down_the_ranking(any_store: Store) -> None:
    for number in range(130):
        any_store.say(f"Ana lives in Lisbon, she said it {number} times.", metadata={"n": number})
    far = any_store.say("Something else.", metadata={"n": -1, "tags": ["rare"]})
    assert any_store.ids("Where does Ana live?", filter=parse({"tags": "rare"})) == [far.id]
    assert any_store.ids("Where does Ana live?", filter=parse({"tags": "none"})) == []
    assert len(any_store.ids("Where does Ana live?", limit=200, filter=parse({"metadata.n": {"gte": 100}}))) == 30


def test_a_threshold_cuts_what_does_not_bear_on_the_query(any_store: Store) -> None:
    any_store.say("Buy oat milk.")
    leads = any_store.say("The Heron project is led by Zane Kolu.")
    assert len(any_store.ids("ZXQ_UNRELATED_QUERY_20260503")) == 2
    assert any_store.ids("ZXQ_UNRELATED_QUERY_20260503", min_score=0.3) == []
    (hit,) = any_store.search(ANA, "Who leads the Heron project?", min_score=0.5)
    assert hit.id == leads.id and 0.5 <= hit.relevance <= 1
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInput, match="between 0 and 1"):
            any_store.search(ANA, "Heron", min_score=wrong)


def test_what_has_expired_is_not_found_whatever_the_moment(store: Store) -> None:
    gone = store.say("Ana lives in Oslo.", expires_at=MARCH + timedelta(days=1))
    stays = store.say("Ana lives in Rome.", expires_at=datetime(9000, 1, 1, tzinfo=UTC))
    assert store.ids("Where does Ana live?") == [stays.id]
    assert store.ids("Where does Ana live?", as_of=MARCH + timedelta(hours=12)) == [stays.id]
    assert set(store.ids("Where does Ana live?", include_expired=True)) == {gone.id, stays.id}


def test_a_half_life_lowers_the_rank_of_old_memories_and_hides_none(store: Store) -> None:
    old = store.say("Ana lives in Oslo now.", at=datetime(2020, 1, 1, tzinfo=UTC))
    new = store.say("Ana lives in Rome now.", at=datetime(2026, 1, 1, tzinfo=UTC))
    as_of = datetime(2026, 1, 2, tzinfo=UTC)
    found = store.search(ANA, "Where does Ana live?", as_of=as_of, half_life=timedelta(days=30))
    assert [hit.id for hit in found] == [new.id, old.id]
    assert -2 <= found[1].why["decay"] < -1.9 < found[0].why["decay"] < 0
    same = {hit.id: hit.relevance for hit in store.search(ANA, "Where does Ana live?", as_of=as_of)}
    assert same == {hit.id: hit.relevance for hit in found}
