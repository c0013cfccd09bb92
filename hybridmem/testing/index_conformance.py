"""What every index must do. Subclass a suite in a test module and give it an `index`:

class TestMyVectorIndex(VectorIndexConformance):
    @pytest.fixture
    def index(self, tmp_path): return MyVectorIndex(tmp_path)

Each suite also compares the index with the plainest one of `hybridmem.stores.index.inmemory` on random data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hybridmem.core.clock import utc_now
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.stores.index.base import GraphIndex, LexicalIndex, Neighbourhood, VectorIndex
from hybridmem.stores.index.inmemory import InMemoryGraphIndex, InMemoryLexicalIndex, InMemoryVectorIndex

ANA: Namespace = ("users", "ana")
BEN: Namespace = ("users", "ben")
DIMENSION = 16

_FEW_EXAMPLES = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
_ids = st.integers(0, 30).map(lambda number: f"ep_{number:02}")
_words = st.sampled_from("garden violin Kumquat Oslo café plinth QX-4821 Zane Mira Kolu umbra ferret zinc".split())  # noqa: SIM905
_texts = st.lists(_words, min_size=1, max_size=8).map(" ".join)


def unit_vectors(count: int, *, seed: int = 0, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """float32 of shape (count, dimension): random directions."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def episode(id: str, text: str, *, namespace: Namespace = ANA, speaker: str | None = None) -> Episode:
    return Episode(id, namespace, text, speaker=speaker)


def fact(id: str, subject: str, relation: str, object: str) -> Fact:
    return Fact(id, ANA, subject, relation, object, f"{subject} {relation} {object}.", valid_from=utc_now())


def assert_same_hits(found: Sequence[tuple[str, float]], expected: Sequence[tuple[str, float]], limit: int) -> None:
    """The same scores in the same order, and the same ids wherever the score is not shared.

    `expected` has every hit: ties at the limit may be cut differently.
    """
    wanted = expected[:limit]
    assert [score for _, score in found] == pytest.approx([score for _, score in wanted], abs=1e-5)
    scores = dict(expected)
    assert len({id for id, _ in found}) == len(found)
    for id, score in found:
        assert scores[id] == pytest.approx(score, abs=1e-5)


class VectorIndexConformance:
    @pytest.fixture
    def index(self) -> Iterator[VectorIndex]:
        raise NotImplementedError("override the fixture `index`")

    def test_the_nearest_comes_first_with_its_cosine(self, index: VectorIndex) -> None:
        vectors = unit_vectors(40)
        index.upsert(ANA, [f"ep_{row}" for row in range(40)], vectors)
        hits = index.query(ANA, vectors[7], 40)
        assert hits[0][0] == "ep_7"
        assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
        assert dict(hits) == pytest.approx(
            {f"ep_{row}": float(vectors[row] @ vectors[7]) for row in range(40)}, abs=1e-5
        )

    def test_namespaces_do_not_meet(self, index: VectorIndex) -> None:
        vectors = unit_vectors(2)
        index.upsert(ANA, ["ep_0"], vectors[:1])
        index.upsert(BEN, ["ep_1"], vectors[1:])
        assert [id for id, _ in index.query(ANA, vectors[1], 10)] == ["ep_0"]
        assert (list(index.ids(BEN)), index.count(BEN)) == (["ep_1"], 1)

    def test_an_unknown_namespace_is_empty(self, index: VectorIndex) -> None:
        assert index.query(ANA, unit_vectors(1)[0], 5) == []
        assert (index.count(ANA), list(index.ids(ANA))) == (0, [])
        assert index.delete(ANA, ["ep_0"]) == 0

    def test_upserting_again_replaces(self, index: VectorIndex) -> None:
        vectors = unit_vectors(3)
        index.upsert(ANA, ["ep_0", "ep_1"], vectors[:2])
        index.upsert(ANA, ["ep_0"], vectors[2:])
        assert index.count(ANA) == 2
        assert dict(index.query(ANA, vectors[2], 1)) == pytest.approx({"ep_0": 1.0}, abs=1e-5)

    def test_a_memory_of_many_vectors_is_one_hit_by_the_nearest_of_them(self, index: VectorIndex) -> None:
        vectors = unit_vectors(60)
        index.upsert(ANA, ["ep_long"] * 50 + [f"ep_{row}" for row in range(10)], vectors)
        assert (index.count(ANA), len(list(index.ids(ANA)))) == (11, 11)
        for row in (0, 25, 49):
            hits = index.query(ANA, vectors[row], 5)
            assert (hits[0][0], len({id for id, _ in hits})) == ("ep_long", 5)
            assert hits[0][1] == pytest.approx(1.0, abs=1e-5)
        index.upsert(ANA, ["ep_long", "ep_long", "ep_0"], vectors[:3])
        assert max(score for id, score in index.query(ANA, vectors[40], 20) if id == "ep_long") < 0.99
        index.upsert(ANA, ["ep_long"], vectors[:1])
        assert dict(index.query(ANA, vectors[1], 20))["ep_long"] == pytest.approx(
            float(vectors[0] @ vectors[1]), abs=1e-5
        )
        index.upsert(ANA, ["ep_long"] * 3, vectors[:3])
        assert index.delete(ANA, ["ep_long"]) == 1
        assert "ep_long" not in {id for id, _ in index.query(ANA, vectors[2], 20)}
        assert index.count(ANA) == 10

    def test_what_is_deleted_is_not_found(self, index: VectorIndex) -> None:
        vectors = unit_vectors(5)
        index.upsert(ANA, [f"ep_{row}" for row in range(5)], vectors)
        assert index.delete(ANA, ["ep_2", "ep_3", "ep_2", "nowhere"]) == 2
        assert {id for id, _ in index.query(ANA, vectors[2], 10)} == {"ep_0", "ep_1", "ep_4"}
        assert sorted(index.ids(ANA)) == ["ep_0", "ep_1", "ep_4"]

    def test_nothing_in_nothing_out(self, index: VectorIndex) -> None:
        index.upsert(ANA, [], unit_vectors(0))
        assert index.delete(ANA, []) == 0
        index.upsert(ANA, ["ep_0"], unit_vectors(1))
        assert index.query(ANA, unit_vectors(1)[0], 0) == []

    def test_clear_empties_every_namespace(self, index: VectorIndex) -> None:
        index.upsert(ANA, ["ep_0"], unit_vectors(1))
        index.upsert(BEN, ["ep_0"], unit_vectors(1))
        index.clear()
        assert (index.count(ANA), index.count(BEN)) == (0, 0)
        index.upsert(ANA, ["ep_1"], unit_vectors(1, dimension=DIMENSION * 2))
        assert list(index.ids(ANA)) == ["ep_1"]

    @_FEW_EXAMPLES
    @given(
        kept=st.lists(_ids, unique=True, min_size=1),
        gone=st.lists(_ids, unique=True),
        limit=st.integers(1, 40),
        seed=st.integers(0, 1000),
    )
    def test_it_agrees_with_the_plainest(
        self, index: VectorIndex, kept: list[str], gone: list[str], limit: int, seed: int
    ) -> None:
        plain = InMemoryVectorIndex()
        vectors = unit_vectors(len(kept), seed=seed)
        index.delete(ANA, list(index.ids(ANA)))
        for each in (index, plain):
            each.upsert(ANA, kept, vectors)
            each.delete(ANA, gone)
        question = unit_vectors(1, seed=seed + 1)[0]
        assert sorted(index.ids(ANA)) == sorted(plain.ids(ANA))
        assert_same_hits(index.query(ANA, question, limit), plain.query(ANA, question, 100), limit)


class LexicalIndexConformance:
    stems: ClassVar[bool] = True
    """Whether "living" finds "lives"."""

    @pytest.fixture
    def index(self) -> Iterator[LexicalIndex]:
        raise NotImplementedError("override the fixture `index`")

    def test_rare_words_count_for_more(self, index: LexicalIndex) -> None:
        texts = {f"ep_{row}": f"The garden has a bench, number {row} of them." for row in range(8)}
        index.upsert(ANA, {**texts, "ep_rare": "The garden has a ferret in it, one of them."})
        hits = index.query(ANA, "Which garden has the ferret?", 20)
        assert hits[0][0] == "ep_rare"
        assert len(hits) == 9
        assert hits[0][1] > hits[1][1]

    def test_words_of_every_script_are_found(self, index: LexicalIndex) -> None:
        texts = {
            "zh": "今天玩成语接龙游戏", "ja": "今日は成語しりとりをした", "ko": "오늘 끝말잇기 게임을 했다",
            "th": "วันนี้กินข้าวผัด", "hi": "मैं पोर्टो में रहता हूँ", "cpp": "I write C++ at work.",
            "cs": "I write C# at home.", "net": "I write .NET there.", "emoji": "Ana likes 🎉",
        }  # fmt: skip
        index.upsert(ANA, texts)
        asked = {
            "zh": "成语接龙", "ja": "しりとり", "ko": "끝말잇기", "th": "ข้าวผัด", "hi": "पोर्टो", "cpp": "C++",
            "cs": "C#", "net": ".NET", "emoji": "🎉",
        }  # fmt: skip
        for id, query in asked.items():
            assert index.query(ANA, query, 1)[0][0] == id
        for query in ('"', "*", "NEAR(", "a AND NOT b", "GB/s", "text:ana", "...", "^x", "{a b}"):
            index.query(ANA, query, 3)

    def test_namespaces_do_not_meet(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "a blue garden", "ep_1": "a red violin"})
        before = index.query(ANA, "garden", 5)
        index.upsert(BEN, {f"ep_{row}": "garden garden" for row in range(5)})
        assert index.query(ANA, "garden", 5) == before
        assert (index.count(ANA), index.count(BEN)) == (2, 5)

    def test_an_unknown_namespace_is_empty(self, index: LexicalIndex) -> None:
        assert index.query(ANA, "garden", 5) == []
        assert (index.count(ANA), list(index.ids(ANA))) == (0, [])
        assert index.delete(ANA, ["ep_0"]) == 0

    def test_upserting_again_replaces(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "Oslo in March", "ep_1": "the violin"})
        index.upsert(ANA, {"ep_0": "Riga in April"})
        assert index.query(ANA, "Oslo", 5) == []
        assert [id for id, _ in index.query(ANA, "Riga", 5)] == ["ep_0"]
        assert index.count(ANA) == 2

    def test_what_is_deleted_is_not_found(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "Oslo in March", "ep_1": "Oslo in May"})
        assert index.delete(ANA, ["ep_0", "nowhere"]) == 1
        assert [id for id, _ in index.query(ANA, "Oslo March", 5)] == ["ep_1"]
        assert list(index.ids(ANA)) == ["ep_1"]

    def test_letters_case_and_accents_do_not_matter(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "Ana's Café at the Straße", "ep_1": "a violin", "ep_2": "a ferret"})
        for question in ("CAFE", "café?", "Cafe\u0301", "Ana", "ANA'S", "straße"):
            assert [id for id, _ in index.query(ANA, question, 5)] == ["ep_0"], question

    def test_an_id_is_found_in_one_piece(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "Parcel QX-4821 came.", "ep_1": "Parcel QX-17 and 4821 others.", "ep_2": "Nothing."})
        assert [id for id, _ in index.query(ANA, "where is qx-4821?", 5)] == ["ep_0"]

    def test_a_question_of_stopwords_alone_is_still_asked(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "To be or not to be", "ep_1": "a violin", "ep_2": "the ferret"})
        assert [id for id, _ in index.query(ANA, "to be", 5)] == ["ep_0"]

    def test_it_stems(self, index: LexicalIndex) -> None:
        if not self.stems:
            pytest.skip("this index does not stem")
        index.upsert(ANA, {"ep_0": "Mira lives by the lake", "ep_1": "a violin", "ep_2": "a ferret"})
        assert [id for id, _ in index.query(ANA, "living on lakes", 5)] == ["ep_0"]

    @pytest.mark.parametrize(
        "question",
        [
            "",
            "   ",
            "?!",
            '"',
            '" OR text:*',
            "NEAR(garden violin)",
            "garden AND NOT violin",
            "garden*",
            "^garden",
            "{garden} - (violin",
            "text : garden",
            "'; DROP TABLE memories; --",
            "\x00garden",
            "gar\ud800den",
            "नमस्ते 日本語 😀",
            "İstanbul ﬁn",
            "word" * 5000,
            " ".join(f"w{number}" for number in range(5000)),
        ],
    )
    def test_any_text_is_a_safe_question(self, index: LexicalIndex, question: str) -> None:
        index.upsert(ANA, {"ep_0": "garden", "ep_1": "violin", "ep_2": "ferret"})
        assert {id for id, _ in index.query(ANA, question, 5)} <= {"ep_0", "ep_1", "ep_2"}
        assert index.count(ANA) == 3

    def test_clear_empties_every_namespace(self, index: LexicalIndex) -> None:
        index.upsert(ANA, {"ep_0": "garden"})
        index.upsert(BEN, {"ep_0": "garden"})
        index.clear()
        assert (index.count(ANA), index.count(BEN), index.query(ANA, "garden", 5)) == (0, 0, [])
        index.upsert(ANA, {"ep_1": "violin"})
        assert list(index.ids(ANA)) == ["ep_1"]

    @_FEW_EXAMPLES
    @given(
        first=st.dictionaries(_ids, _texts, min_size=1),
        then=st.dictionaries(_ids, _texts),
        gone=st.lists(_ids),
        question=st.one_of(_texts, st.text(max_size=20)),
        limit=st.integers(1, 40),
    )
    def test_it_agrees_with_the_plainest(
        self,
        index: LexicalIndex,
        first: dict[str, str],
        then: dict[str, str],
        gone: list[str],
        question: str,
        limit: int,
    ) -> None:
        plain = InMemoryLexicalIndex()
        index.delete(ANA, list(index.ids(ANA)))
        for each in (index, plain):
            each.upsert(ANA, first)
            each.upsert(ANA, then)
            each.delete(ANA, gone)
        assert sorted(index.ids(ANA)) == sorted(plain.ids(ANA))
        assert index.count(ANA) == plain.count(ANA)
        assert_same_hits(index.query(ANA, question, limit), plain.query(ANA, question, 100), limit)


class GraphIndexConformance:
    @pytest.fixture
    def index(self) -> Iterator[GraphIndex]:
        raise NotImplementedError("override the fixture `index`")

    def test_a_memory_two_steps_away_is_reached(self, index: GraphIndex) -> None:
        index.upsert(
            ANA,
            [
                episode("ep_0", "I met Zane Kolu at the market."),
                episode("ep_1", "My friend Zane Kolu works for Plinth Optics."),
                episode("ep_2", "They say that Plinth Optics makes lenses."),
                episode("ep_3", "The weather in Oslo is fine."),
            ],
        )
        hits = index.query(ANA, "What does Zane Kolu's employer make?", 10)
        assert {id for id, _ in hits[:2]} == {"ep_0", "ep_1"}
        assert [id for id, _ in hits[2:]] == ["ep_2"]
        assert hits[1][1] > hits[2][1] > 0

    def test_facts_join_their_subject_and_object(self, index: GraphIndex) -> None:
        index.upsert(
            ANA, [fact("fa_0", "ana", "adopted", "a ferret"), fact("fa_1", "the ferret", "is called", "Biscuit")]
        )
        assert [id for id, _ in index.query(ANA, "who is ana's pet?", 10)] == ["fa_0", "fa_1"]

    def test_speakers_are_entities(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "i like tea", speaker="Caroline"), episode("ep_1", "me too", speaker="Mel")])
        assert [id for id, _ in index.query(ANA, "what does caroline drink?", 10)] == ["ep_0"]

    def test_the_neighbourhood_of_an_entity_is_what_shares_memories_with_it(self, index: GraphIndex) -> None:
        index.upsert(
            ANA,
            [
                episode("ep_0", "I met Zane Kolu and Mira Sodo in Oslo."),
                episode("ep_1", "I called Zane Kolu about Mira Sodo."),
                episode("ep_2", "I like Oslo."),
                episode("ep_3", "I know Ivo Lind."),
            ],
        )
        near = index.neighbourhood(ANA, "zane kolu", 3)
        assert near.entities == (("zane kolu", 2), ("mira sodo", 2), ("oslo", 2))
        assert near.links == (("zane kolu", "mira sodo", 2), ("zane kolu", "oslo", 1), ("mira sodo", "oslo", 1))
        assert index.neighbourhood(ANA, "zane kolu", 1).entities == (("zane kolu", 2),)
        assert [name for name, _ in index.neighbourhood(ANA, None, 2).entities] == ["mira sodo", "oslo"]
        assert index.neighbourhood(ANA, "nobody", 3) == index.neighbourhood(BEN, None, 3) == Neighbourhood()
        assert index.mentioning(ANA, "oslo", 5) == ["ep_2", "ep_0"]
        assert index.mentioning(ANA, "oslo", 1) == ["ep_2"]
        assert index.mentioning(BEN, "oslo", 5) == []
        assert index.matching(ANA, "The SO", 5) == [("mira sodo", 2)]
        assert index.matching(ANA, "", 2) == [("mira sodo", 2), ("oslo", 2)]

    def test_a_text_that_names_nothing_known_finds_nothing(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "I met Zane Kolu.")])
        for question in ("", "what is it?", "Where does Mira live?", "\x00 😀"):
            assert index.query(ANA, question, 10) == []
        assert index.query(BEN, "Zane Kolu", 10) == []
        assert index.query(ANA, "Zane Kolu", 0) == []

    def test_memories_without_names_are_counted(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "tea, please"), episode("ep_1", "I met Zane Kolu.")])
        assert (index.count(ANA), sorted(index.ids(ANA))) == (2, ["ep_0", "ep_1"])

    def test_a_word_at_the_start_of_a_sentence_is_a_name_once_another_text_says_so(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "Mira called. Biscuits were served.")])
        assert index.query(ANA, "Mira", 10) == []
        index.upsert(ANA, [episode("ep_1", "Then I called Mira back.")])
        assert {id for id, _ in index.query(ANA, "Mira", 10)} == {"ep_0", "ep_1"}
        assert index.query(ANA, "Biscuits", 10) == []
        index.delete(ANA, ["ep_1"])
        assert index.query(ANA, "Mira", 10) == []

    def test_what_is_deleted_takes_its_entities_along(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu in Oslo."), episode("ep_1", "It rains in Oslo.")])
        assert index.delete(ANA, ["ep_0", "nowhere"]) == 1
        assert index.query(ANA, "Zane Kolu", 10) == []
        assert [id for id, _ in index.query(ANA, "Oslo", 10)] == ["ep_1"]

    def test_upserting_again_replaces(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
        index.upsert(ANA, [episode("ep_0", "I saw Mira Sodo.")])
        assert index.query(ANA, "Zane Kolu", 10) == []
        assert [id for id, _ in index.query(ANA, "Sodo", 10)] == ["ep_0"]
        assert index.count(ANA) == 1

    def test_clear_empties_every_namespace(self, index: GraphIndex) -> None:
        index.upsert(ANA, [episode("ep_0", "I saw Zane Kolu.")])
        index.upsert(BEN, [episode("ep_1", "I saw Zane Kolu.", namespace=BEN)])
        index.clear()
        assert (index.count(ANA), index.count(BEN), index.query(ANA, "Zane Kolu", 10)) == (0, 0, [])

    @_FEW_EXAMPLES
    @given(
        first=st.dictionaries(_ids, _texts, min_size=1),
        then=st.dictionaries(_ids, _texts),
        gone=st.lists(_ids),
        question=_texts,
        limit=st.integers(1, 40),
    )
    def test_it_agrees_with_the_plainest(
        self, index: GraphIndex, first: dict[str, str], then: dict[str, str], gone: list[str], question: str, limit: int
    ) -> None:
        plain = InMemoryGraphIndex()
        index.delete(ANA, list(index.ids(ANA)))
        each: Any
        for each in (index, plain):
            each.upsert(ANA, [episode(id, f"so {text}", speaker=text.split()[0]) for id, text in first.items()])
            each.upsert(ANA, [episode(id, text) for id, text in then.items()])
            each.delete(ANA, gone)
        assert sorted(index.ids(ANA)) == sorted(plain.ids(ANA))
        assert_same_hits(index.query(ANA, question, limit), plain.query(ANA, question, 100), limit)
        assert index.matching(ANA, "", 100) == plain.matching(ANA, "", 100)
        for entity in (None, *(name for name, _ in plain.matching(ANA, "", 2))):
            ours, theirs = index.neighbourhood(ANA, entity, limit), plain.neighbourhood(ANA, entity, limit)
            assert (ours.entities, set(ours.links)) == (theirs.entities, set(theirs.links))
            if entity:
                assert index.mentioning(ANA, entity, limit) == plain.mentioning(ANA, entity, limit)
