"""A deterministic model, free of torch, that a dream can train: the twin of the real ones in tests."""

from hybridmem.models.fake.model import FakeModel as FakeModel
from hybridmem.models.fake.training import ADAPTER_FILE as ADAPTER_FILE
