"""What every page shows, and that words of a memory stay words."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from starlette.testclient import TestClient

from hybridmem.adapters.registry import AdapterDiff
from hybridmem.dreaming import bounds
from hybridmem.inspector.adapters import _scores
from hybridmem.inspector.ask import trust
from hybridmem.memory import HybridMemory
from hybridmem.router import signals
from hybridmem.router.calibration import Calibration
from hybridmem.router.policy import TrackRecord
from tests.inspector.conftest import visitor
from tests.inspector.worlds import SCRIPT


def words(html: str) -> str:
    """What a reader sees, roughly: without tags, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def shown(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, words(answer.text)
    return words(answer.text)


def test_the_overview_counts_and_says_who_answers(look: TestClient) -> None:
    text = shown(look, "/")
    assert "6 episodes from 1 Mar 2024 to 2 Mar 2024." in text
    assert "v0003 holds 3 facts, 1 of them no longer trusted." in text
    assert "Night 3 promoted" in text


def test_the_opening_page_shows_what_is_known_with_its_sources(look: TestClient) -> None:
    page = look.get("/").text
    text = words(page)
    assert "What your agent knows" in text
    user, lately = text.split("What last night changed")[0].split("About the user")[1].split("Lately, and at work")
    assert "Ana lives in Lisbon." in user and "Ben Okafor keeps a ferret." in lately
    assert "Ana lives in Porto." not in user
    assert 'href="/memory?id=ep_0"' in page and 'href="/memory?id=fa_1"' in page
    assert "in the weights" in lately
    assert "What waits 5 episodes for the next night to read" in text


def test_the_opening_page_shows_what_last_night_changed(own: HybridMemory) -> None:
    own.add("Zoe lives in Riga.")
    own.dream()
    own.add("Zoe lives in Oslo.")
    own.dream()
    text = shown(visitor(own), "/")
    changed = text.split("What last night changed")[1].split("What the weights hold")[0]
    assert "new: Zoe lives in Oslo." in changed
    assert "gone: Zoe lives in Riga. → Zoe lives in Oslo." in changed
    assert "Ben Okafor" not in changed


def test_the_opening_page_shows_blocks_and_standing_answers(own: HybridMemory) -> None:
    own.blocks.set("persona", SCRIPT, description="who you are", read_only=True)
    own.add("Zoe lives in Riga.")
    own.standing_questions.add("Where does Zoe live?")
    own.standing_questions.add("Who repairs the oven?")
    assert "Not answered yet: the next night does it." in shown(visitor(own), "/")
    own.standing_questions.answers()
    page = visitor(own).get("/").text
    assert "<script>window" not in page
    text = words(page)
    assert SCRIPT in unescape(page)
    assert "persona read-only" in text
    assert "Where does Zoe live? Riga" in text
    assert "Who repairs the oven? The memories do not say." in text


def test_secrets_are_counted_and_marked(own: HybridMemory) -> None:
    (episode,) = own.add("The wifi password is Tr0ub4dor&3.")
    look = visitor(own)
    assert "1 memory with a password" in shown(look, "/")
    assert "Tr0ub4dor" not in look.get("/").text.split("Said last")[0]
    assert "holds a password" in shown(look, f"/memory?id={episode.id}")
    assert "holds a password" not in shown(look, "/memory?id=ep_2")


def test_a_search_says_why_each_hit_is_there(look: TestClient, seen: HybridMemory) -> None:
    before = seen.ledger.uses(seen.namespace, ["ep_2", "fa_1"])
    page = look.get("/search?q=Where does Ana live in Lisbon?").text
    assert "Ana lives in Lisbon." in words(page)
    assert "Ana lives in Porto." not in words(page)
    hits = page.split("<li data-row>")[1:]
    assert all("meaning" in hit and "words" in hit and "<rect" in hit for hit in hits)
    assert seen.ledger.uses(seen.namespace, ["ep_2", "fa_1"]) == before
    assert "Ana lives in Porto." in shown(look, "/search?q=Where does Ana live?&as_of=2024-02-25&kind=fact")
    assert "Nothing found" in shown(look, "/search?q=Ana&as_of=1999-01-01")


def test_what_is_quarantined_is_not_found_and_still_has_its_page(look: TestClient) -> None:
    assert "My bank is in Oslo." not in shown(look, "/search?q=bank in Oslo")
    assert "quarantined" in shown(look, "/memory?id=ep_4")


@pytest.mark.parametrize("path", ["/memory?id=ep_3", "/search?q=somebody wrote", "/timeline", "/", "/memory?id=ep_2"])
def test_a_script_in_a_memory_is_shown_as_words(look: TestClient, path: str) -> None:
    page = look.get(path).text
    assert SCRIPT not in page
    assert "<img" not in page
    assert SCRIPT in unescape(page)


@pytest.mark.parametrize("path", ["/search?q={}", "/ask?q={}", "/graph?q={}", "/namespaces?q={}"])
def test_a_script_in_the_address_is_shown_as_words(look: TestClient, path: str) -> None:
    page = look.get(path.format("%22%3E%3Cscript%3Ealert(1)%3C/script%3E")).text
    assert "<script>" not in page
    assert "<script>alert(1)</script>" in unescape(page)


def test_a_memory_shows_its_past_its_sources_and_its_adapters(look: TestClient) -> None:
    text = shown(look, "/memory?id=fa_0")
    assert "superseded by Ana lives in Lisbon." in text
    assert "superseded 1" not in text
    assert "added" in text
    episode = shown(look, "/memory?id=ep_0")
    assert "Ana lives in Lisbon." in episode
    assert "v0003 active" in episode
    assert "4 of 4" not in episode
    assert "channel chat" in episode
    assert "Ben Okafor keeps a ferret" in episode.split("The turns around it")[1]
    fact = shown(look, "/memory?id=fa_1")
    assert "I moved from Porto to Lisbon" in fact.split("Episodes")[1]


def test_the_timeline_is_by_day_and_jumps(look: TestClient) -> None:
    text = shown(look, "/timeline")
    assert text.index("2 Mar 2024 Saturday, 3 episodes") < text.index("1 Mar 2024 Friday, 3 episodes")
    assert "2 Mar 2024" not in shown(look, "/timeline?day=2024-03-01").split("Jump to")[1].replace("2 Mar 2024: 3", "")
    assert "Nothing was said on that day" in shown(look, "/timeline?day=2024-02-01")
    assert "Nothing was said here yet" in shown(look, "/timeline?ns=users/nobody")


def test_the_timeline_pages_through_everything_once(own: HybridMemory) -> None:
    for number in range(120):
        own.add(f"Number {number}.", at="2024-05-01T10:00:00Z")
    client, path, found = visitor(own), "/timeline", []
    while path:
        page = client.get(path).text
        found += re.findall(r"Number (\d+)\.", words(page))
        older = re.search(r'href="([^"]+)" rel="next">Older', page)
        path = unescape(older[1]) if older else ""
    assert found == [str(number) for number in reversed(range(120))]


def test_the_graph_shows_what_stands_together_as_a_drawing_and_as_a_list(look: TestClient) -> None:
    page = look.get("/graph?entity=Lisbon").text
    assert page.count("<circle") == 3 + 1 + 4, "the brand, the button, and lisbon, ana, ben okafor and porto"
    beside = words(page.split('class="beside"')[1])
    assert "ana lives in · 3" in beside
    assert "Ana lives in Lisbon</title>" in page and ">lives in</text>" in page
    assert "ben okafor 1" in beside
    assert "I keep bees in Lisbon." in words(page)
    assert "ben okafor" in shown(look, "/graph?q=Okaf")
    assert "No memory mentions it." in shown(look, "/graph?entity=nobody")
    assert "No entity has that in its name." in shown(look, "/graph?q=nobody")


def test_the_dreams_show_what_was_kept_and_each_verdict(look: TestClient) -> None:
    page = look.get("/dreams").text
    assert page.count("<tr>") == 1 + 3 + 1
    assert re.findall(r"(\d) \d+ \w{3} 20\d\d promoted", words(page)) == ["3", "2", "1"]
    night = shown(look, "/dream?id=dream-2")
    assert "forgetting 0.020 0.100 passed" in night
    assert "train steps: 150 50.1 s 91,000" in night
    assert "Ana lives in Lisbon." in night, "left to retrieval"
    assert "Night 1" in night
    assert "Night 3" in night


def test_a_night_of_an_earlier_release_is_shown_under_the_names_of_today(look: TestClient) -> None:
    page = look.get("/dream?id=dream-2").text
    assert "learning accuracy 0.930 0.700 passed" in words(page)
    assert "drift nats 0.030 0.100 passed" in words(page)
    assert "retention 0.940" in words(page), "a figure that no table names"
    for bound in (bounds.bound_of("learned"), bounds.bound_of("drift")):
        assert bound is not None
        assert f'title="{bound.text}"' in page
        assert f'title="{bound.direction}"' in page
    assert "drift nats" in shown(look, "/adapter?version=v0002")
    assert "drift nats" in shown(look, "/adapters")
    assert "drift nats" in shown(look, "/adapters/diff?before=v0001&after=v0003")


def test_the_scores_of_two_releases_stand_in_one_line() -> None:
    difference = AdapterDiff("v1", "v2", (), (), {"new_facts": (0.8, None), "learning_accuracy": (None, 0.9)})
    assert _scores(difference) == {"learning_accuracy": (0.8, 0.9)}


def test_a_new_bound_and_a_new_signal_are_explained_without_a_change_here(
    look: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    recall = bounds.Bound("recall", "How much stuck.", lambda night: 0.0, "at least")
    monkeypatch.setattr(bounds, "BOUNDS", (*bounds.BOUNDS, recall))
    assert 'title="How much stuck."' in look.get("/dream?id=dream-2").text
    brevity = signals.Signal("brevity", "How short it is.", lambda *_: 0.5, {"weights": 0.0, "retrieval": 0.0})
    monkeypatch.setattr(signals, "SIGNALS", (*signals.SIGNALS, brevity))
    page = look.get("/ask?q=Where does Ana live?").text
    assert 'title="How short it is."' in page
    assert "brevity 0.500" in words(page)


def test_the_adapters_show_lineage_files_and_what_changed(look: TestClient) -> None:
    text = shown(look, "/adapters")
    assert text.index("v0003 active") < text.index("v0002 retired") < text.index("v0001 retired")
    assert "Promote" not in text
    assert "Roll back" not in text
    one = shown(look, "/adapter?version=v0002&verify=yes")
    assert "Every file is what it was when it was trained." in one
    assert "Ana lives in Porto. not trusted" in one
    diff = shown(look, "/adapters/diff?before=v0001&after=v0003")
    assert "Gained 2 Ana lives in Lisbon. Ben Okafor keeps a ferret. Lost 0" in diff


def test_a_damaged_adapter_is_named(own: HybridMemory) -> None:
    (own.adapters.path("v0002") / "answers.json").write_text("{}")
    assert "answers.json of v0002 has sha256" in shown(visitor(own), "/adapter?version=v0002&verify=yes")


def test_an_answer_comes_with_its_grounds(look: TestClient) -> None:
    page = look.get("/ask?q=Where does Ana live?").text
    text = words(page)
    assert "Lisbon" in text.split("What each route says")[0]
    rows = text.split("What each route says")[1].split("Forced")[0]
    assert rows.count("Lisbon") == 3, rows
    prompt = text.split("The prompt")[1]
    assert "Question: Where does Ana live?" in prompt
    assert "- Ana lives in Lisbon." in prompt
    assert "names subject" in prompt
    assert "What retrieval found" in text


def test_an_answer_says_why_and_how_far_it_may_be_believed(own: HybridMemory) -> None:
    path = "/ask?q=Where does Ana live?"
    page = visitor(own).get(path).text
    assert own.explain("Where does Ana live?").why in words(page)
    assert "How far it may be believed" not in page
    own.feedback("Where does Ana live?", "Lisbon")
    own.feedback("Where does Ben live?", None)
    page = visitor(own).get(path).text
    said = words(page)
    assert "2 questions whose answer is known (0 audits, 2 with feedback)" in said
    assert "10 % of all questions" in said.replace("10%", "10 %") and "not promised" in said
    assert 'class="line" points="' in page and 'role="img" aria-label="Reliability: at ' in page


def test_the_drawings_are_of_what_was_answered() -> None:
    sure = tuple((0.9, True) for _ in range(8))
    record = TrackRecord(20, 0, 0, (*sure, (0.6, False), (0.4, False)), replace(Calibration(), threshold=0.5))
    drawn = trust(record)
    assert drawn
    assert drawn.at == (9 / 20, 1 / 9)
    assert [(each.confidence, each.accuracy, each.of) for each in drawn.bins][-1] == (pytest.approx(0.9), 1.0, 8)
    assert trust(replace(record, answers=())) is None


def test_a_question_that_nothing_answers_abstains(look: TestClient) -> None:
    text = shown(look, "/ask?q=Which port does Mira Sodo use?")
    assert "I don't know. abstain" in text


def test_every_link_of_a_namespace_stays_in_it(look: TestClient) -> None:
    page = look.get("/?ns=users/ben").text
    assert "Ben whispers xylophone." in words(page)
    links = [unescape(each) for each in re.findall(r'href="(/[^"]*)"', page.split("<nav")[1]) if "static" not in each]
    assert links
    assert all("ns=users%2Fben" in each for each in links)
    for path in ("/", "/search?q=xylophone", "/timeline", "/graph", "/namespaces"):
        assert "whispers" not in shown(look, path)
    assert look.get("/memory?id=ep_0&ns=users/ben").status_code == 404
    assert "users/ben" in shown(look, "/namespaces?q=BEN")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/nowhere", 404, "no such page"),
        ("/memory?id=none", 404, "no memory 'none' in users/ana"),
        ("/memory", 404, "no memory ''"),
        ("/dream?id=none", 404, "no dream 'none'"),
        ("/adapter?version=v9", 404, "no adapter 'v9'"),
        ("/adapters/diff?before=v0001&after=v9", 404, "no adapter 'v9'"),
        ("/timeline?day=yesterday", 400, "'yesterday' is not a date"),
        ("/timeline?day=0001-01-01", 400, "no year 1"),
        ("/timeline?day=9999-12-31", 400, "no year 9999"),
        ("/timeline?before=x", 400, "no place 'x'"),
        ("/timeline?year=99999", 400, "year is 99999"),
        ("/search?q=a&limit=0", 400, "limit is 0"),
        ("/search?q=a&limit=ten", 400, "write a whole number"),
        ("/search?q=a&kind=x", 400, "no kind 'x'"),
        ("/search?q=a&as_of=x", 400, "'x' is not a date"),
        ("/?ns=..", 400, "path step"),
        ("/ask?q=%00", 400, "NUL"),
    ],
)
def test_what_cannot_be_shown_says_so_in_one_line(look: TestClient, path: str, status: int, said: str) -> None:
    answer = look.get(path)
    assert answer.status_code == status
    assert said in words(answer.text)
    assert "Traceback" not in answer.text


def test_an_empty_memory_has_all_its_pages(look: TestClient) -> None:
    for path in ("/", "/search?q=a", "/ask?q=Who?", "/timeline", "/graph", "/dreams", "/adapters"):
        assert look.get(path, params={"ns": "users/nobody"} if "?" not in path else None).status_code == 200
    assert "No night yet" in shown(look, "/dreams?ns=users/nobody")
    assert "Nothing yet: the bare base answers" in shown(look, "/?ns=users/nobody")
