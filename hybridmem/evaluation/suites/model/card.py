"""The evaluation card of a language model: how well and how fast it does the memory jobs, from one run.

What the card's cases are about, no training document has: names, values and surface forms that are held out
(`memory_jobs.evaluation_set`), hand-written cases in plain English, and, where the folder of data is at hand,
SQuAD's held-out titles, novels and encyclopedia text.
"""

from __future__ import annotations

import lzma
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hybridmem import models
from hybridmem.core.errors import InvalidInput
from hybridmem.dreaming import general
from hybridmem.evaluation.memory_jobs.case_generator import Case
from hybridmem.evaluation.memory_jobs.evaluation_set import evaluation_set
from hybridmem.evaluation.suites.model import squad_paragraphs
from hybridmem.evaluation.suites.model.answer_speed import answer_agreement, answer_speed
from hybridmem.evaluation.suites.model.job_scores import Progress, job_scores
from hybridmem.evaluation.suites.model.plain_english import plain_scores
from hybridmem.evaluation.suites.model.speed import model_speed
from hybridmem.evaluation.suites.model.squad import squad_scores
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel

NOVELS = general.FOLDER / "test.txt"
HELD_OUT_NOVELS = Path("text") / "novels_heldout.txt.xz"
WIKITEXT = Path("wikitext2_valid") / "wiki.valid.txt"
TIMED = 20
TIMED_MEMORIES = 6
COMPARED = 200
"""Cases that are answered in the faster way and in the exact one."""
SQUAD_QUESTIONS = 2
"""Times the cases of a job."""
_CHARACTERS = 100_000
"""Of each text whose loss is measured, in `_RUNS` runs spread over it: more takes longer and tells little."""
_RUNS = 8


def run(
    name: str | Path | None = None,
    *,
    data: Path | None = None,
    cases: int = 200,
    seed: int = 0,
    date: str | None = None,
    progress: Progress = lambda step, done, total: None,
) -> dict[str, Any]:
    """The card of the model `name` (as `models.load` takes it), from `cases` cases a job.

    `data` is the folder of data; without it, or without the file, a figure that needs it is None and `not_measured`
    says why. `date` is repeated in the result. Raises `InvalidInput`, `ModelNotFound` or `ModelIncomplete`."""
    if cases < 1:
        raise InvalidInput(f"{cases} cases a job are none: pass --cases 1 or more")
    if data is not None and not data.is_dir():
        raise InvalidInput(f"there is no folder {data}: name the folder of data, or leave --data out")
    model = models.load(name)
    jobs = evaluation_set(seed, cases)
    scores = job_scores(model, jobs, progress)
    progress("plain English", 0, 1)
    plain = plain_scores(model)
    from_data = _from_data(model, data, SQUAD_QUESTIONS * cases, seed, progress)
    progress("speed", 0, 1)
    answered, written = _timed(jobs)
    speed = model_speed(model, answered, written)
    return {
        "jobs": scores.jobs,
        "refused_unanswerable": scores.refused_unanswerable,
        "refused_answerable": scores.refused_answerable,
        "facts": scores.facts,
        "question_round_trip": scores.question_round_trip,
        "plain_english": plain,
        **from_data,
        "speed": speed,
        "answer_speed": answer_speed(model, answered),
        "answer_agreement": answer_agreement(model, _spread(jobs, COMPARED)),
        **_about(model),
        "cases": cases,
        "seed": seed,
        "date": date,
        **_circumstances(),
    }


def _from_data(
    model: LanguageModel, data: Path | None, questions: int, seed: int, progress: Progress
) -> dict[str, Any]:
    """The figures that need files of the folder `data`, and which of them are missing."""
    missing: dict[str, str] = {}
    progress("SQuAD", 0, 1)
    squad = _from_file(
        "squad",
        data and data / squad_paragraphs.FILE,
        missing,
        lambda path: squad_scores(model, path, questions, seed, _context(model)),
    )
    progress("texts", 0, 1)
    losses = _losses(model, data, missing)
    return {"squad": squad, "losses": losses, "not_measured": missing}


def _circumstances() -> dict[str, Any]:
    """What the speed depends on beside the model."""
    return {
        "threads": torch.get_num_threads(),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {package: version(package) for package in ("hybridmem", "torch", "transformers")},
    }


def _from_file(figure: str, path: Path | None, missing: dict[str, str], measure: Callable[[Path], Any]) -> Any:
    """What `measure` says of the file at `path`; None where there is none, and why in `missing`."""
    if path is None:
        missing[figure] = "no --data was given"
    elif not path.is_file():
        missing[figure] = f"there is no {path}"
    else:
        return measure(path)
    return None


def _losses(model: LanguageModel, data: Path | None, missing: dict[str, str]) -> dict[str, Any]:
    """Cross-entropy on each text, by name."""
    texts = {"novels": NOVELS, "novels_heldout": data and data / HELD_OUT_NOVELS, "wikitext2": data and data / WIKITEXT}
    weights = _with_weights(model)
    if weights is None:
        missing.update(dict.fromkeys(texts, f"{model.name} has no weights to ask"))
        return dict.fromkeys(texts)
    from hybridmem.evaluation.suites.model.text_loss import text_loss

    return {
        name: _from_file(name, path, missing, lambda path: text_loss(weights, _excerpts(path)))
        for name, path in texts.items()
    }


def _excerpts(path: Path) -> str:
    """The text of a file, or `_RUNS` runs of it that are `_CHARACTERS` together."""
    packed = path.read_bytes()
    text = (lzma.decompress(packed) if path.suffix == ".xz" else packed).decode("utf-8").replace("<|doc|>\n", "")
    if len(text) <= _CHARACTERS:
        return text
    step, run = len(text) // _RUNS, _CHARACTERS // _RUNS
    return "".join(text[at : at + run] for at in range(0, step * _RUNS, step))


def _timed(jobs: Mapping[str, Sequence[Case]]) -> tuple[list[list[prompts.Message]], list[list[prompts.Message]]]:
    """The prompts to answer, with as near to `TIMED_MEMORIES` memories as there are, and those that want a question."""

    def memories(case: Case) -> int:
        return case.messages[-1]["content"].count("\n- ")

    flat = [case for some in jobs.values() for case in some]
    read = sorted((case for case in flat if memories(case)), key=lambda case: abs(memories(case) - TIMED_MEMORIES))
    write = [case for case in flat if case.messages[-1]["content"].startswith("Question about: ")]
    return [list(case.messages) for case in read[:TIMED]], [list(case.messages) for case in write[:TIMED]]


def _spread(jobs: Mapping[str, Sequence[Case]], count: int) -> list[Case]:
    """At most `count` of the cases, as many of each job."""
    return [case for cases in jobs.values() for case in cases[: max(1, count // len(jobs))]][:count]


def _about(model: LanguageModel) -> dict[str, Any]:
    """Which model it is, and how large."""
    weights = _with_weights(model)
    parameters = None if weights is None else sum(each.numel() for each in weights.module.parameters())
    return {
        "model": model.name,
        "base_sha256": model.sha256,
        "parameters": parameters,
        "bytes_on_disk": None if weights is None else _bytes_on_disk(weights),
        "context": _context(model),
    }


def _bytes_on_disk(model: HuggingFaceModel) -> int:
    """Of the weights, the tokenizer and the configuration."""
    folder = Path(model.module.name_or_path)
    return sum(file.stat().st_size for file in folder.iterdir() if file.suffix in {".safetensors", ".json", ".model"})


def _context(model: LanguageModel) -> int | None:
    weights = _with_weights(model)
    return None if weights is None else weights.context_length


def _with_weights(model: LanguageModel) -> HuggingFaceModel | None:
    from hybridmem.models.huggingface.model import HuggingFaceModel

    return model if isinstance(model, HuggingFaceModel) else None
