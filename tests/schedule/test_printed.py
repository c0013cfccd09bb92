"""What `--print` writes is read again by those it is for."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from apscheduler.triggers.cron import CronTrigger

from hybridmem.cli.app import root_command
from hybridmem.core.errors import InvalidInput
from hybridmem.jobs import Budget
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.crontab import line
from hybridmem.schedule.invocation import NightCommand, program
from hybridmem.schedule.kubernetes import manifest
from hybridmem.schedule.plan import SchedulePlan
from hybridmem.schedule.quiet import QuietHours
from hybridmem.schedule.retries import Retries
from hybridmem.schedule.systemd import calendar, quoted, units

ANALYZE = shutil.which("systemd-analyze")
EXPRESSIONS = ["0 3 * * *", "*/30 1-2 * * 1-5", "0 3 1,15 * 0", "15 22 */7 2,11 *", "0 0 * * 7"]


def command(text: str = "0 3 * * *", folder: str = "/srv/my 100% $mem\"ory's", **given: object) -> NightCommand:
    plan = SchedulePlan(
        Cron.parse(text, "Europe/Lisbon"),
        (("users", "ana"), ("users", "bob")),
        quiet=QuietHours.parse(["08:00-20:00"], "Europe/Lisbon"),
        catch_up=timedelta(hours=6),
        budget=Budget(600, 10_000_000, 2.5),
        retries=Retries(5),
    )
    return NightCommand(plan, Path(folder), model="some model", quiet=("08:00-20:00",), **given)  # type: ignore[arg-type]


def test_the_command_is_one_that_hybridmem_takes() -> None:
    """Every option is there, and the values are the plan's."""
    arguments = command(log=Path("/var/log/dreams")).arguments()
    at = arguments.index("schedule")
    schedule = root_command().commands["schedule"]
    context = schedule.make_context("schedule", arguments[at + 1 :], resilient_parsing=False)
    assert context.params["cron"] == "0 3 * * *"
    assert context.params["zone"] == "Europe/Lisbon"
    assert context.params["namespaces"] == ["users/ana", "users/bob"]
    assert context.params["quiet"] == ["08:00-20:00"]
    assert (context.params["catch_up"], context.params["retries"]) == ("6h", 5)
    assert [context.params[f"max_{name}"] for name in ("seconds", "tokens", "memory")] == [600, 10_000_000, 2.5]
    assert context.params["once"] is True
    assert arguments[:4] == ["--memory", "/srv/my 100% $mem\"ory's", "--model", "some model"]
    named = command(vectors="http://127.0.0.1:8000", reader="model:fake").arguments()
    assert named[4 : named.index("schedule")] == ["--vectors", "http://127.0.0.1:8000", "--reader", "model:fake"]


def test_the_crontab_line() -> None:
    text = line(command(), here="UTC")
    comment, needs, zone, entry = text.splitlines()
    assert zone == "CRON_TZ=Europe/Lisbon"
    assert comment.startswith("#") and needs.startswith("#")
    *fields, rest = entry.split(maxsplit=5)
    assert CronTrigger.from_crontab(" ".join(fields), timezone="Europe/Lisbon")
    assert "%" not in rest.replace("\\%", "")
    assert shlex.split(rest.replace("\\%", "%")) == [*program(), *command().arguments()]
    assert len(line(command(), here="Europe/Lisbon").splitlines()) == 2
    with pytest.raises(InvalidInput, match="line break"):
        line(command(folder="/srv/a\nb"), here="UTC")


def test_the_kubernetes_manifest() -> None:
    found = yaml.safe_load(manifest(command("0 3 * * 7"), "registry.example/hybridmem:1", "dreams"))
    assert (found["apiVersion"], found["kind"]) == ("batch/v1", "CronJob")
    spec = found["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 3 * * 0", "Europe/Lisbon")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 6 * 3600
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["image"] == "registry.example/hybridmem:1"
    assert container["command"] + container["args"] == ["hybridmem", *command("0 3 * * 7").arguments(Path("/memory"))]
    assert container["volumeMounts"] == [{"name": pod["volumes"][0]["name"], "mountPath": "/memory"}]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "dreams"}
    assert container["resources"]["limits"]["memory"] == "3125M"


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    written = units(command("0 3 1,15 * 0"))
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [str(ANALYZE), "verify", *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_systemd_reads_the_same_moments(text: str) -> None:
    cron = Cron.parse(text, "Europe/Lisbon")
    start = datetime(2026, 6, 1, 12, tzinfo=UTC)
    found: set[datetime] = set()
    for event in calendar(cron):
        done = subprocess.run(
            [str(ANALYZE), "calendar", "--iterations=20", f"--base-time=@{int(start.timestamp())}", event],
            capture_output=True,
            text=True,
            env={"TZ": "UTC", "LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr
        told = [each.partition(": ")[2] for each in done.stdout.splitlines() if "Next elapse" in each or "Iter" in each]
        in_utc = [each.partition("(in UTC): ")[2] for each in done.stdout.splitlines() if "(in UTC)" in each]
        for moment in in_utc or told:
            _, day, time, _ = moment.split()
            found.add(datetime.fromisoformat(f"{day}T{time}+00:00"))
    expected = cron.between(start, start + timedelta(days=4000))
    assert sorted(found)[:20] == [moment for _, moment in zip(range(min(20, len(found))), expected, strict=False)]
    assert len(found) >= 20


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", "plain"),
        ("two words", '"two words"'),
        ("100%", '"100%%"'),
        ("$HOME", '"$$HOME"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("", '""'),
        ("it's", '"it\'s"'),
    ],
)
def test_systemd_quoting(word: str, written: str) -> None:
    assert quoted([word]) == written
