"""How well a model knows answers by heart."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hybridmem.models.huggingface.tensors import MOST_LOGITS, TorchModel, collate, logprobs_at
from hybridmem.models.trainable import Example, Recall

ROWS_AT_ONCE = 16


def recall(model: TorchModel, rows: Sequence[Example]) -> list[Recall]:
    """What `TrainableModel.recall` promises, with whatever adapter is in force."""
    words = model.module.config.get_text_config().vocab_size
    longest = max((len(row.prompt) + len(row.completion) for row in rows), default=1)
    step = max(1, min(ROWS_AT_ONCE, MOST_LOGITS // (words * longest)))
    found: list[Recall] = []
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        ids, mask, where = collate([(row.prompt, row.completion) for row in part], model.end_id, model.device)
        with torch.no_grad():
            logprobs = logprobs_at(model.module, ids, mask, where)
        targets = [token for row in part for token in row.completion[len(row.completion) - row.predicted :]]
        chosen = torch.tensor(targets, device=logprobs.device)[:, None]
        own = logprobs.gather(1, chosen)[:, 0]
        others = logprobs.scatter(1, chosen, -torch.inf).amax(dim=1)
        lengths = [row.predicted for row in part]
        for loss, lead in zip(torch.split(-own, lengths), torch.split(own - others, lengths), strict=True):
            found.append(Recall(loss.median().item(), lead.min().item()))
    return found
