"""`full`: full fine-tuning on the new facts alone, which learns more than LoRA and forgets more (Biderman et al. 2024,
arXiv:2405.09673).

Every weight of the recipe's target layers takes unrestricted updates. Embeddings, the head, norms, biases and
convolutions stay as they are: an adapter holds none of them. The file is as large as these weights are in
float32, and as large again for the identities where the weights are square. A step of Muon moves every singular
direction of a weight, where LoRA moves as many as its rank: the learning rate should be smaller than LoRA's.
"""

from hybridmem.continual.full_rank import FullRankStrategy
from hybridmem.models.trainable import FullRank

STRATEGY = FullRankStrategy(
    name="full",
    summary="every weight of the adapted layers is fine-tuned on the new facts alone",
    full_rank=FullRank(),
)
