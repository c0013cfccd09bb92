"""What every ledger must do with small state: a part of `LedgerConformance`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.stores.ledger.state import State
from hybridmem.testing.ledger_samples import ANA, BEN


@dataclass(frozen=True, slots=True)
class Progress:
    """A kind of state, as it is now. Version 1 counted from 0."""

    KEY: ClassVar[str] = "progress"
    VERSION: ClassVar[int] = 2
    step: Any
    of: tuple[int | None, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"step": self.step, "of": list(self.of)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> Progress | None:
        if version == 0:
            return None
        return cls(content["step"] + (version == 1), tuple(content.get("of", ())))


@dataclass(frozen=True, slots=True)
class FirstProgress:
    """The same kind, as the first release had it."""

    KEY: ClassVar[str] = "progress"
    VERSION: ClassVar[int] = 1
    step: int

    def to_json(self) -> dict[str, Any]:
        return {"step": self.step}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> FirstProgress:
        return cls(content["step"])


@dataclass(frozen=True, slots=True)
class Mark:
    """Another kind."""

    KEY: ClassVar[str] = "mark"
    VERSION: ClassVar[int] = 1
    name: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> Mark:
        return cls(content["name"])


class StateConformance:
    """Everything that `State` promises."""

    def test_a_record_is_kept_by_kind_and_namespace(self, ledger: State) -> None:
        assert ledger.get_state(ANA, Progress) is None
        ledger.put_state(ANA, Progress(1))
        ledger.put_state(ANA, Progress(2, (1, None)))
        ledger.put_state(ANA, Mark("é"))
        assert ledger.get_state(ANA, Progress) == Progress(2, (1, None))
        assert ledger.get_state(ANA, Mark) == Mark("é")
        assert ledger.get_state(BEN, Progress) is None
        ledger.remove_state(BEN, Progress)
        ledger.remove_state(ANA, Progress)
        ledger.remove_state(ANA, Progress)
        assert ledger.get_state(ANA, Progress) is None
        assert ledger.get_state(ANA, Mark) == Mark("é")

    def test_what_json_does_not_hold_is_refused(self, ledger: State) -> None:
        ledger.put_state(ANA, Progress(1))
        with pytest.raises(InvalidInput):
            ledger.put_state(ANA, Progress(object()))
        assert ledger.get_state(ANA, Progress) == Progress(1)

    def test_what_an_older_release_wrote_is_migrated_and_a_newer_one_is_not_guessed_at(self, ledger: State) -> None:
        ledger.put_state(ANA, FirstProgress(4))
        assert ledger.get_state(ANA, Progress) == Progress(5)
        ledger.put_state(ANA, Progress(6))
        assert ledger.get_state(ANA, FirstProgress) is None
