"""An adapter's card: what it was made from and how to check it, as ``card.json`` and as a model card.

Facts are named by id and never quoted: a card may leave the machine, a memory may not.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hybridmem.core.clock import parse_time
from hybridmem.core.disk import write_whole
from hybridmem.core.errors import CorruptAdapter
from hybridmem.core.records import AdapterRecord, to_json

CARD = "card.json"
README = "README.md"


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """The manifest of one adapter version."""

    version: str
    """Its name in the namespace's folder of adapters."""
    base: str
    """Name of the base model."""
    base_sha256: str
    """sha256 of the base's weights: ``sha256sum model.safetensors``; for several files, the sha256 of the lines that
    ``sha256sum *.safetensors`` prints."""
    parent: str | None
    """The version that it was trained from or replaces; None for a namespace's first."""
    facts: tuple[str, ...]
    """Ids of the facts that it holds."""
    data_sha256: str
    """Digest of the content that it was trained on, the same for the same content: `provenance.data_sha256` of the
    facts above and of their training items. `hybridmem adapters verify --data` computes it again from the ledger."""
    recipe: Mapping[str, Any]
    """Every setting of its dream."""
    seed: int
    """Of every draw of this training: the recipe's seed plus the night's number."""
    created_at: datetime
    hybridmem: str
    """The version of hybridmem that made it."""
    training_key: str = ""
    """`provenance.training_key` of this training: base, data in order, settings, seed and parent. Two trainings with
    one key take the same steps. Empty on older cards, whose `data_sha256` mixes in random ids and matches nothing."""
    gate: Mapping[str, float] = field(default_factory=dict)
    """Scores on the split that decided its promotion."""
    test: Mapping[str, float] = field(default_factory=dict)
    """Scores on a split that the gate never saw."""
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each file beside the card, by name, as ``sha256sum`` prints it."""

    def write(self, folder: Path) -> None:
        """Put ``card.json`` and ``README.md`` into `folder`, whole or not at all."""
        write_whole(folder / CARD, json.dumps(to_json(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        write_whole(folder / README, self.readme())

    @classmethod
    def read(cls, folder: Path) -> AdapterCard:
        """The card in `folder`. Raises `CorruptAdapter` when it is missing or not one."""
        try:
            values = json.loads((folder / CARD).read_text("utf-8"))
            known = {entry.name for entry in dataclasses.fields(cls)}
            kept = {name: value for name, value in values.items() if name in known}
            kept |= {"facts": tuple(kept["facts"]), "created_at": parse_time(kept["created_at"])}
            return cls(**kept)
        except FileNotFoundError:
            raise CorruptAdapter(f"the adapter in {str(folder)!r} has no {CARD}: restore it, or roll back") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CorruptAdapter(
                f"{CARD} in {str(folder)!r} cannot be read ({error}): restore it, or roll back"
            ) from None

    @classmethod
    def of(
        cls,
        record: AdapterRecord,
        *,
        data_sha256: str,
        training_key: str,
        recipe: Mapping[str, Any],
        seed: int,
        hybridmem: str,
        gate: Mapping[str, float],
        test: Mapping[str, float],
    ) -> AdapterCard:
        """The card of a ledger's record, with what the record does not say."""
        return cls(
            version=record.version,
            base=record.base,
            base_sha256=record.base_sha256,
            parent=record.parent,
            facts=record.facts,
            data_sha256=data_sha256,
            training_key=training_key,
            recipe=recipe,
            seed=seed,
            created_at=record.created_at,
            hybridmem=hybridmem,
            gate=gate,
            test=test,
            files=record.files,
        )

    def readme(self) -> str:
        """The card as the hub and PEFT write model cards: front matter, then words."""
        return "\n".join(
            [
                "---",
                f"base_model: {json.dumps(self.base)}",
                "library_name: peft",
                "pipeline_tag: text-generation",
                "tags:",
                f"- base_model:adapter:{self.base}" if _plain(self.base) else "- adapter",
                "- lora",
                "- hybridmem",
                "---",
                "",
                f"# Adapter {self.version}",
                "",
                f"LoRA weights that hold {len(self.facts)} facts of one agent's memory. Made by hybridmem "
                f"{self.hybridmem} on {self.created_at:%Y-%m-%d}. It is private: whoever has the weights can ask them.",
                "",
                "| | |",
                "|---|---|",
                f"| base | `{self.base}` |",
                f"| base sha256 | `{self.base_sha256}` |",
                f"| parent | {self.parent or 'none'} |",
                f"| data sha256 | `{self.data_sha256}` |",
                f"| training key | `{self.training_key or 'none'}` |",
                f"| seed | {self.seed} |",
                "",
                *_table("Recipe", self.recipe),
                *_table("Gate", self.gate),
                *_table("Test (a split that the gate never saw)", self.test),
                *_table("Files (sha256)", self.files),
                "## Verify",
                "",
                f"In its memory: `hybridmem adapters verify {self.version}` for the files, with `--data` also for the "
                "data. Elsewhere: compare `sha256sum` with the table of files. It fits the base with the sha256 above "
                "and no other. The same base, data, recipe, seed and parent make it again.",
                "",
            ]
        )


def _plain(name: str) -> bool:
    """Whether a base's name can stand in a tag: a hub name can, the path of a private folder should not."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name, re.ASCII) is not None


def _table(title: str, values: Mapping[str, Any]) -> list[str]:
    if not values:
        return []
    rows = [f"| {name} | {_cell(value)} |" for name, value in sorted(values.items())]
    return [f"## {title}", "", "| | |", "|---|---|", *rows, ""]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(to_json(value)).replace("|", "\\|").replace("\n", " ")
