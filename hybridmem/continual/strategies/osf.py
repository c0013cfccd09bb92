"""`osf`: full fine-tuning on the new facts alone that leaves the largest singular directions of the weights as they are
(orthogonal subspace fine-tuning, Nayak et al. 2025, arXiv:2504.07097).

Each night decomposes the weights as the last one left them, so that what earlier nights wrote into the large directions
is protected too. The paper gives more directions to layers that change their input less; here, as by default in PEFT,
every layer keeps half of its own.
"""

from hybridmem.continual.full_rank import FullRankStrategy
from hybridmem.models.trainable import FullRank

STRATEGY = FullRankStrategy(
    name="osf",
    summary="as full, orthogonal to the largest singular directions of the weights",
    full_rank=FullRank(protected=0.5),
)
