"""What every command prints and how it exits."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from hybridmem.cli.reference import commands
from hybridmem.core.errors import DreamBusy, StoreFull
from tests.cli.conftest import Command
from tests.cli.double import HybridMemory

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": (),
    "add": ("Ana moved to Lisbon.",),
    "search": ("ferret",),
    "ask": ("Where is the ferret?", "--route", "retrieval"),
    "feedback": ("Where is the ferret?", "at home"),
    "list": (),
    "show": ("ep_1",),
    "history": ("ep_1",),
    "why": ("ep_1",),
    "policy": ("--expire-after", "web=30"),
    "update": ("ep_1", "I adopted two ferrets."),
    "delete": ("ep_1",),
    "review": (),
    "profile": (),
    "reflect": ("What do you know of the ferret?",),
    "block list": (),
    "block show": ("persona",),
    "block set": ("user", "Ana keeps a ferret.", "--limit", "500"),
    "block append": ("persona", "Be kind."),
    "block replace": ("persona", "brief", "short"),
    "block delete": ("persona",),
    "block history": ("persona",),
    "question add": ("Where is the ferret?",),
    "question list": (),
    "question remove": ("sq_1",),
    "skill learn": ("session.jsonl",),
    "skill find": ("Find the ferret",),
    "skill list": (),
    "quarantine": ("ep_1",),
    "release": ("ep_1",),
    "dream": ("--dry-run",),
    "dreams": (),
    "adapters list": (),
    "adapters show": ("v0001",),
    "adapters promote": ("v0001",),
    "adapters rollback": (),
    "adapters diff": ("v0001", "v0002"),
    "adapters export": ("v0001", "exported"),
    "adapters verify": (),
    "bench retrieval": ("--data", "conversations"),
    "bench answers": ("--data", "conversations", "--suite", "beam"),
    "bench forgetting": ("--stream", "stream.jsonl", "--strategy", "noop"),
    "bench stream": ("new.jsonl",),
    "bench stream-from": ("reversal", "made.jsonl"),
    "bench router": (),
    "bench unlearning": (),
    "bench week": ("week.py",),
    "bench nothing-said": ("sentences.jsonl",),
    "bench speed": (),
    "bench dreaming": (),
    "bench training": (),
    "bench capacity": ("--rank", "1", "--rank", "2"),
    "bench serve": (),
    "bench skills": (),
    "bench rules": (),
    "bench session": (),
    "bench model": (),
    "stats": (),
    "export": ("memory.jsonl",),
    "import": ("before.jsonl",),
    "agents-md": (),
    "reindex": (),
    "doctor": (),
    "secrets": (),
    "models install": (),
    "completion": ("bash",),
    "schedule": ("--all", "--nightly", "03:00", "--print", "crontab"),
}
"""One call of every command that must succeed on a memory that holds the ferret."""

SERVERS = {"serve", "mcp", "inspect"}
"""These run until they are stopped; their own folders test them in processes."""
ELSEWHERE = {"install", "uninstall", "hook"}
"""These write into the user's home, or answer a coding agent: `test_coding_agents` has a scratch home for them."""
LEAVES = [path.removeprefix("hybridmem ") for path, command in commands() if not hasattr(command, "commands")]
RETURNING = sorted(set(LEAVES) - SERVERS - ELSEWHERE)


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Benchmarks and the demo return their figures at once; what they measure is tested where they are written. The
    default base's weights are here already."""
    monkeypatch.setattr("hybridmem.models.installing._sound", lambda: "weights.gguf")
    told = {
        "R": [[0.5]],
        "acc": 0.5,
        "nights": [],
        "strategy": "noop",
        "jobs": {},
        "plain_english": {"groups": {}, "all": None},
        "weeks": {},
        "total": {},
        "facts": [],
        "retired_facts": [],
        "loops": {},
        "ratios": {},
        "points": [],
        "conditions": {},
        "classes": {},
        "routes": {},
        "ahead": {},
        "kinds": {},
        "signals": [],
        "promises": [],
        "behaviours": [],
        "arms": [],
        "claims": [],
    }
    figures = type("Figures", (dict,), {"clean": True, "forgotten": True, "held": True})(told)
    for module, function in {
        "suites.retrieval": "bench_retrieval",
        "suites.answers": "run",
        "suites.forgetting": "run",
        "suites.unlearning": "run",
        "suites.router": "run",
        "suites.week": "run",
        "suites.nothing_said": "run",
        "suites.speed": "run",
        "suites.beside_a_dream": "run",
        "suites.training": "run",
        "suites.capacity": "run",
        "suites.serve": "run",
        "suites.skills": "run",
        "suites.rules": "run",
        "suites.session": "run",
        "suites.model.card": "run",
        "demo.run": "run",
    }.items():
        made = ModuleType(f"hybridmem.evaluation.{module}")
        setattr(made, function, lambda *given, **named: figures)
        made.read = lambda file: []  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, made.__name__, made)
        monkeypatch.setattr(made.__name__, made, raising=False)
    fact = {"night": 1, "id": "f1", "text": "Zane is in Riga.", "answer": "Riga", "test_questions": ["Where is Zane?"]}
    (tmp_path / "stream.jsonl").write_text(json.dumps(fact) + "\n")
    (tmp_path / "before.jsonl").write_text("I adopted a ferret.\n")
    (tmp_path / "week.py").write_text("# (speaker Ana)\nT = []\nQ = []\n")


def test_every_command_has_an_example() -> None:
    assert set(LEAVES) == set(EXAMPLES) | SERVERS | ELSEWHERE


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("name", RETURNING)
def test_json_is_one_object_and_nothing_else(hybridmem: Command, name: str) -> None:
    assert hybridmem("add", "I adopted a ferret.").code == 0
    result = hybridmem(*name.split(), *EXAMPLES[name], "--json")
    assert result.code == 0, result.err
    assert isinstance(result.json, dict)
    assert result.out.count("\n") == 1
    assert result.err == ""


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("name", RETURNING)
def test_people_get_words(hybridmem: Command, name: str) -> None:
    assert hybridmem("add", "I adopted a ferret.").code == 0
    result = hybridmem(*name.split(), *EXAMPLES[name])
    assert result.code == 0, result.err
    assert name == "demo" or result.out.strip()
    assert not result.out.startswith("{")


def test_one_night_is_shown_whole_and_one_that_was_not_is_refused(hybridmem: Command) -> None:
    hybridmem("add", "I adopted a ferret.")
    shown = hybridmem("dreams", "1")
    assert "learned" in shown.out and "night 1" in shown.out
    refused = hybridmem("dreams", "7")
    assert refused.code == 2
    assert refused.err == "error: there is no night 7: choose of 1\n"


def test_word_of_a_dream_that_does_not_arrive_changes_nothing(
    hybridmem: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        "hybridmem.jobs.webhook.announce", lambda *given: told.append(given[2].status) or "nobody heard"
    )
    hybridmem("add", "I adopted a ferret.")
    result = hybridmem("dream")
    assert (result.code, told) == (0, ["promoted"])
    assert result.err.endswith("note: nobody heard\n")
    hybridmem("dream", "--dry-run")
    assert told == ["promoted"]


# ---- writing


def test_add_passes_everything_on(hybridmem: Command, double: type[HybridMemory]) -> None:
    result = hybridmem(
        *("add", "Hi", "--session", "s1", "--at", "2026-03-01T09:00:00Z", "--role", "assistant", "--speaker", "Bo"),
        *("--trust", "tool", "--metadata", "channel=chat", "--metadata", "n=3", "--namespace", "users/ana", "--json"),
    )
    (episode,) = result.json["added"]
    assert episode["namespace"] == ["users", "ana"]
    assert episode["at"] == "2026-03-01T09:00:00+00:00"
    assert (episode["session"], episode["role"], episode["speaker"], episode["trust"]) == (
        "s1",
        "assistant",
        "Bo",
        "tool",
    )
    assert episode["metadata"] == {"channel": "chat", "n": 3}


def test_add_reads_standard_input(hybridmem: Command) -> None:
    result = hybridmem("add", "-", "--json", stdin="Ana röstet Kaffee.\n".encode())
    assert result.json["added"][0]["text"] == "Ana röstet Kaffee."


def test_an_import_names_its_broken_lines_and_keeps_the_rest(hybridmem: Command, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text('{"role": "user", "content": "one"}\nnot json\n{"role": "user", "content": "two"}\n')
    result = hybridmem("add", "--from", str(file), "--json")
    assert result.code == 0
    assert len(result.json["added"]) == 2
    assert [line["number"] for line in result.json["broken"]] == [2]
    shown = hybridmem("add", "--from", str(file))
    assert "line 2:" in shown.out
    assert "1 broken line left out" in shown.out


def test_an_import_of_nothing_is_an_error(hybridmem: Command, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text("not json\n")
    result = hybridmem("add", "--from", str(file))
    assert result.code == 2
    assert "line 1" in result.err


# ---- reading


def test_list_pages_to_the_end(hybridmem: Command) -> None:
    for number in range(5):
        hybridmem("add", f"memory {number}")
    seen, after = [], None
    while True:
        page = hybridmem("list", "--limit", "2", *([] if after is None else ["--after", str(after)]), "--json").json
        seen += [memory["text"] for memory in page["memories"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [f"memory {number}" for number in range(5)]
    assert "hybridmem list --after 2" in hybridmem("list", "--limit", "2").out


def test_options_may_stand_before_the_command(hybridmem: Command, double: type[HybridMemory], tmp_path: Path) -> None:
    result = hybridmem("--memory", "elsewhere", "--namespace", "users/ana", "--json", "add", "Hi")
    assert result.json["added"][0]["namespace"] == ["users", "ana"]
    assert (tmp_path / "elsewhere").is_dir()
    after = ("add", "Hi", "--memory", "here", "--model", "some/model", "--embedder", "hashing")
    assert hybridmem("--memory", "elsewhere", "--embedder", "other", *after).code == 0
    memory = double.kept[(tmp_path / "here").resolve(), ("default",)]
    assert (memory.model_name, memory.embedder_name) == ("some/model", "hashing")


def test_the_environment_names_the_memory(hybridmem: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRIDMEM_DIR", "from-environment")
    assert hybridmem("add", "Hi").code == 0
    assert (tmp_path / "from-environment").is_dir()


def test_the_indexes_and_the_reader_are_named_by_option_or_environment(
    hybridmem: Command, monkeypatch: pytest.MonkeyPatch, double: type[HybridMemory], tmp_path: Path
) -> None:
    monkeypatch.setenv("HYBRIDMEM_VECTORS", "http://127.0.0.1:8000")
    monkeypatch.setenv("HYBRIDMEM_READER", "openai:tiny@http://127.0.0.1:9/v1")
    assert hybridmem("add", "Hi", "--reader", "model:fake").code == 0
    memory = double.kept[(tmp_path / "memory").resolve(), ("default",)]
    assert memory.backends == {"vectors": "http://127.0.0.1:8000", "reader": "model:fake", "redact": "train"}


def test_texts_cannot_speak_to_the_terminal(hybridmem: Command) -> None:
    hybridmem("add", "ferret \x1b[31mred\x07 [bold]not markup[/bold] :smile:")
    for command in (("list",), ("show", "ep_1"), ("search", "ferret"), ("why", "ep_1")):
        shown = hybridmem(*command).out
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[bold]not markup[/bold] :smile:" in shown


# ---- the command's own "no"


def test_a_refused_night_exits_1(hybridmem: Command, double: type[HybridMemory]) -> None:
    hybridmem("add", "Hi")
    double.status = "rejected"
    result = hybridmem("dream", "--json")
    assert (result.code, result.json["status"]) == (1, "rejected")
    assert "REFUSED" in hybridmem("dream").out


def test_a_night_with_nothing_to_do_exits_0(hybridmem: Command, double: type[HybridMemory]) -> None:
    hybridmem("add", "Hi")
    double.status = "nothing"
    assert hybridmem("dream").code == 0


def test_a_rejected_adapter_is_promoted_only_by_force(hybridmem: Command) -> None:
    hybridmem("add", "Hi")
    result = hybridmem("adapters", "promote", "v0003", "--json")
    assert (result.code, result.json["refused"]) == (1, "v0003")
    forced = hybridmem("adapters", "promote", "v0003", "--force", "--json")
    assert (forced.code, forced.json["active"]) == (0, "v0003")
    assert hybridmem("adapters", "promote", "none", "--json").json == {"active": None}


def test_a_damaged_adapter_exits_1(hybridmem: Command, double: type[HybridMemory], tmp_path: Path) -> None:
    hybridmem("add", "Hi")
    double.kept[(tmp_path / "memory").resolve(), ("default",)].adapters.damaged.add("v0001")
    result = hybridmem("adapters", "verify", "--json")
    assert result.code == 1
    assert [(each["version"], each["reason"] is None) for each in result.json["adapters"]] == [
        ("v0001", False),
        ("v0002", True),
        ("v0003", True),
    ]
    assert hybridmem("adapters", "verify", "v0002").code == 0


def test_the_doctor_exits_1_until_nothing_is_left(hybridmem: Command, double: type[HybridMemory]) -> None:
    hybridmem("add", "Hi")
    double.findings, double.unrepairable = ("one vector is missing",), ("the ledger is damaged",)
    assert hybridmem("doctor").code == 1
    repaired = hybridmem("doctor", "--repair", "--json")
    assert (repaired.code, repaired.json["left"]) == (1, ["the ledger is damaged"])
    double.findings, double.unrepairable = ("one vector is missing",), ()
    assert hybridmem("doctor", "--repair").code == 0
    assert hybridmem("doctor").code == 0


def test_the_doctor_counts_secrets_and_finds_no_fault_in_them(hybridmem: Command) -> None:
    hybridmem("add", "Hi")
    assert "secret" not in hybridmem("doctor").out
    hybridmem("add", "The wifi password is Tr0ub4dor&3.")
    told = hybridmem("doctor")
    assert (told.code, "1 memory holds a secret" in told.out) == (0, True)
    assert hybridmem("doctor", "--json").json["secrets"] == 1


def test_the_doctor_tells_where_the_model_would_run_and_what_stops_it(hybridmem: Command) -> None:
    hybridmem("add", "Hi")
    told = hybridmem("doctor", "--model", "bundled,device=cpu,memory=2", "--json")
    assert told.code == 0
    assert (told.json["model"]["device"], told.json["model"]["dtype"]) == ("cpu", "float32")
    assert told.json["model"]["training_gb"] == 2
    assert told.json["model"]["free_gb"] > 0
    assert "memory free now (GB)" in hybridmem("doctor", "--model", "bundled").out
    missing = hybridmem("doctor", "--model", "./nowhere", "--json")
    assert (missing.code, missing.json["model"]) == (1, None)
    assert "no model folder './nowhere'" in missing.json["found"][0]
    assert hybridmem("doctor", "--model", "bundled,dtyp=float32").code == 2


# ---- errors: exit code 2, one line, the next thing to do


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "ep_9"), "no memory 'ep_9' in default: see `hybridmem list`"),
        (("adapters", "show", "v9"), "it has v0001, v0002, v0003"),
        (("add",), "pass one TEXT, or - for stdin, or --from FILE"),
        (("add", "x", "--from", "y"), "pass one TEXT, or - for stdin, or --from FILE"),
        (("add", "-"), "standard input is empty"),
        (("add", "x", "--at", "tomorrow"), "write it as 2026-03-01"),
        (("add", "x", "--metadata", "colour"), "write it as channel=chat"),
        (("add", "--from", "missing.txt"), "no file missing.txt"),
        (("add", "x", "--namespace", "a//b"), "write users/ana"),
        (("search", "x", "--as-of", "2026-13-01"), "write it as 2026-03-01"),
        (("list", "--memory", "missing"), "no memory at missing: make one with `hybridmem add TEXT`"),
        (("import", "missing.jsonl"), "name one that `hybridmem export` wrote"),
        (("export", "memory"), "is there already: name a new file"),
        (("demo", "--folder", "memory"), "is there already and the demo starts afresh"),
        (("nonsense",), "No such command 'nonsense': see `hybridmem --help`"),
        (("search",), "Missing argument 'QUERY': see `hybridmem search --help`"),
        (("ask", "x", "--route", "luck"), "see `hybridmem ask --help`"),
        (("adapters", "lst"), "see `hybridmem adapters --help`"),
        (("bench", "forgetting"), "Missing option '--stream'"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_errors_are_one_line(hybridmem: Command, arguments: tuple[str, ...], told: str, as_json: bool) -> None:
    hybridmem("add", "Hi")
    result = hybridmem(*arguments, *(["--json"] if as_json else []))
    assert result.code == 2
    assert told in result.err
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    if as_json:
        assert result.json["error"] == result.err.removeprefix("error: ").strip()
    else:
        assert result.out == ""


def test_input_that_is_no_text_is_refused(hybridmem: Command) -> None:
    result = hybridmem("add", "-", stdin=b"caf\xe9")
    assert result.code == 2
    assert "not UTF-8 at byte 4" in result.err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            StoreFull("the disk is full: free some space and add again"),
            "the disk is full: free some space and add again",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "memory/ledger.db"), "the disk is full at memory/ledger.db"),
        (PermissionError(errno.EACCES, "Permission denied", "memory"), "Permission denied at memory: check the path"),
        (KeyboardInterrupt(), "interrupted: what was acknowledged is stored"),
    ],
)
def test_what_stands_in_the_way(
    hybridmem: Command, double: type[HybridMemory], error: BaseException, told: str
) -> None:
    double.raises = error
    result = hybridmem("add", "Hi")
    assert (result.code, result.out) == (2, "")
    assert told in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DreamBusy("process 7 dreams default now: wait for it")])
def test_a_dream_that_cannot_end(hybridmem: Command, double: type[HybridMemory], error: BaseException) -> None:
    hybridmem("add", "Hi")
    double.raises = error
    result = hybridmem("dream", "--json")
    assert result.code == 2
    assert result.json["type"] == ("DreamBusy" if isinstance(error, DreamBusy) else "DreamInterrupted")
    assert "run `hybridmem dream` again to resume" in result.err or "wait for it" in result.err


def test_a_bug_shows_its_trace(hybridmem: Command, double: type[HybridMemory]) -> None:
    double.raises = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        hybridmem("add", "Hi")


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    program = dedent(
        """
        import sys
        from pathlib import Path
        from types import ModuleType
        from tests.cli.double import HybridMemory
        module = sys.modules["hybridmem.memory"] = ModuleType("hybridmem.memory")
        module.HybridMemory = HybridMemory
        from hybridmem.cli.app import run
        folder = Path(sys.argv[1])
        memory = HybridMemory.open(folder, namespace=("default",), model=None, embedder=None)
        memory.add("ferret " * 100_000)
        sys.exit(run(["show", "ep_1", "--memory", str(folder)]))
        """
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# ---- benchmarks write files


@pytest.mark.usefixtures("benchmarks")
def test_bench_writes_its_figures(hybridmem: Command, tmp_path: Path) -> None:
    arguments = ("bench", "forgetting", "--strategy", "noop", "--stream", "stream.jsonl")
    result = hybridmem(*arguments, "--json", "runs/out.json")
    assert result.code == 0
    assert json.loads((tmp_path / "runs" / "out.json").read_text())["acc"] == 0.5
    assert "figures written to runs/out.json" in result.out
    assert hybridmem(*arguments, "--json", "-").json["acc"] == 0.5
    assert hybridmem("--json", *arguments).json["acc"] == 0.5
    assert hybridmem("bench", "speed", "--json", "--seed", "1").json["acc"] == 0.5


def test_an_answer_is_explained_in_a_sentence_and_never_a_forced_one(hybridmem: Command) -> None:
    hybridmem("add", "I adopted a ferret.")
    told = hybridmem("ask", "Where is the ferret?", "--explain")
    assert "The memories say so." in told.out
    assert "5.0% of all questions at most, not promised" in told.out
    refused = hybridmem("ask", "Where is the ferret?", "--explain", "--route", "retrieval")
    assert refused.code == 2
    assert "leave out --route" in refused.err


def test_feedback_says_what_it_changes(hybridmem: Command) -> None:
    hybridmem("add", "I adopted a ferret.")
    assert "would not have been answered wrongly" in hybridmem("feedback", "Where is the ferret?", "at home").out
    assert "it would have been answered wrongly" in hybridmem("feedback", "Where is the ferret?").out


def test_a_risk_is_named_beside_what_stands(hybridmem: Command) -> None:
    hybridmem("add", "I adopted a ferret.")
    assert hybridmem("policy", "--half-life-days", "30", "--risk", "0.05").code == 0
    told = hybridmem("policy", "--json").json
    assert (told["half_life_days"], told["risk"]) == (30, 0.05)


# ---- what a newcomer meets


def test_an_empty_namespace_names_those_that_are_not(hybridmem: Command) -> None:
    assert hybridmem("add", "I adopted a ferret.", "--namespace", "users/ana").code == 0
    for command in (("list",), ("search", "ferret"), ("ask", "Where is the ferret?")):
        told = hybridmem(*command, "--namespace", "users/anna")
        assert told.code == 0
        assert "users/anna is empty" in told.err and "users/ana:" in told.err
    assert hybridmem("list", "--namespace", "users/ana").err == ""


def test_a_text_with_a_dash_is_told_how_to_be_passed(hybridmem: Command) -> None:
    refused = hybridmem("add", "-5 degrees")
    assert refused.code == 2
    assert "put -- before a text" in refused.err
    assert hybridmem("add", "--", "-5 degrees").code == 0
    assert hybridmem("list", "--json=x").json["type"] == "UsageError"


@pytest.mark.parametrize("place", ["~/memory", "{home}/memory"])
def test_a_tilde_is_the_home_directory(
    hybridmem: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    assert hybridmem("add", "Hi", "--memory", place.format(home=home)).code == 0
    assert (home / "memory").is_dir()
    assert not (tmp_path / "~").exists()
