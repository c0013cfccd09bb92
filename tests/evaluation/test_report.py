"""The report: complete in itself, escaped, and true to the numbers that it was given."""

from __future__ import annotations

import doctest
import re
import sys
from html.parser import HTMLParser

import pytest

from hybridmem.core.errors import InvalidInput, MissingExtra
from hybridmem.evaluation import plots, report
from hybridmem.evaluation.report import Block, Figure, Table, comparison, render, write_report
from hybridmem.evaluation.stream import make_stream
from hybridmem.evaluation.suites.forgetting import run
from tests.evaluation.double import DoubleMemory

pytest.importorskip("matplotlib", reason="the report's plots need the extra `report`")


@pytest.fixture(scope="module")
def results():
    stream = make_stream(1, 4, 5)
    traits = {"replay": {}, "naive": {"keeps": 1}, "retrieval": {}, "noop": {}}
    return {name: run(stream, name, DoubleMemory(stream, **kept).opened) for name, kept in traits.items()}


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    path = write_report(
        tmp_path_factory.mktemp("report") / "report.html",
        "Four nights & <counting>",
        [Block("Why", "First.\n\nSecond <script>alert(1)</script>.", Table(("recipe", "acc"), (("a<b", 0.5),)))],
        [
            Figure("forgetting", 0.02, 0.05, higher_is_better=False),
            Figure("acc", 0.5, 0.9, note="of all"),
            Figure("break-even", None, 100),
        ],
        results=results,
        routes=[{"weights": 3, "retrieval": 7}, {"weights": 6, "retrieval": 4}],
        prompt_tokens={"full context": 4000, "weights": 40},
        environment={"machine": "a small one", "seed": 1},
    )
    return path.read_text(encoding="utf-8")


class Structure(HTMLParser):
    """Which tags are open, and every id and attribute that names a resource."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_is_well_formed_and_names_nothing_outside(page):
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert len(structure.ids) == len(set(structure.ids))
    assert all(link.startswith("#") and link[1:] in structure.ids for link in structure.links)
    assert not {"script", "link", "img", "iframe"} & set(structure.tags)
    assert set(re.findall(r"https?://[^\s\"'<>)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in page and all(ref.startswith("#") for ref in re.findall(r"url\(([^)]+)\)", page))


def test_text_is_escaped(page):
    assert "<title>Four nights &amp; &lt;counting&gt;</title>" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "a&lt;b" in page


def test_shows_targets_met_and_missed(page):
    assert '1 of 2 targets met, <span class="missed">1 missed</span>' in page
    assert page.count("✓ met") == 1 and page.count("✗ missed") == 1 and page.count("not measured") == 1
    assert "≤ 0.050" in page and "≥ 0.900" in page


def test_shows_every_drawing_both_themes_and_the_environment(page):
    assert page.count("<svg") == 5
    for words in (
        "Retention matrix, replay",
        "Retention matrix, naive",
        "Forgetting curves",
        "Who answers",
        "Prompt tokens saved",
    ):
        assert words in page
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page
    assert "<dt>machine</dt><dd>a small one</dd>" in page
    assert not re.search(r"#0[1-5]0[1-5]0[1-6]\b", page), "a stand-in colour was left in a drawing"


def test_colours_of_the_drawings_are_variables_that_the_page_defines(page):
    used = set(re.findall(r"var\((--[\w-]+)\)", page))
    light, dark = page.split("prefers-color-scheme: dark")[:2]
    for variable in used:
        assert f"{variable}:" in light and f"{variable}:" in dark.split("box-sizing")[0]


def test_the_same_numbers_give_the_same_page(page, results, tmp_path):
    first, second = (
        write_report(tmp_path / name, "t", [], [], results=results).read_text(encoding="utf-8") for name in "ab"
    )
    assert first == second


def test_side_by_side(results):
    table = comparison(results)
    assert table.columns == ("figure", "replay", "naive", "retrieval", "noop")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["acc"][:2] == (1.0, results["naive"]["acc"])
    assert rows["half-life, nights"] == ("> 3", results["naive"]["half_life"], "> 3", None)
    assert rows["trained tokens a night"] == (250.0, 250.0, 0.0, 0.0)


def test_a_report_of_words_alone_needs_no_plots():
    assert "<svg" not in render("Only words", [Block("A", "b")], [])


def test_figures_without_targets_have_no_verdict():
    assert Figure("acc", 0.5).met is None and Figure("acc", None, 0.5).met is None
    assert Figure("acc", 0.5, 0.5).met and Figure("drift", 0.05, 0.05, higher_is_better=False).met


def test_documentation_examples():
    assert doctest.testmod(report).failed == 0


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InvalidInput, match="cannot write the report"):
        write_report(tmp_path / "no" / "report.html", "t", [], [])


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'hybridmem\[plots\]'"):
        plots.prompt_tokens({"weights": 3.0})


def test_plots_of_holes_and_of_one_night():
    holed = plots.heat_map([[None, None], [0.5, None]], "with a hole")
    assert "after the last night the nights stand at 0.50" in holed
    assert "<svg" in plots.heat_map([[1.0]], "one night")
    assert "<svg" in plots.forgetting_curves({"one": [1.0], "none": [None]})
    assert "<svg" in plots.route_share([{"weights": 0}])


def test_drawings_leave_the_settings_of_matplotlib_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.prompt_tokens({"weights": 3.0})
    assert dict(matplotlib.rcParams) == before
