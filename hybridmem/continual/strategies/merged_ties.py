"""`merged-ties`: one adapter a night, merged where they agree on the sign (TIES, Yadav et al. 2023,
arXiv:2306.01708)."""

from hybridmem.continual.merged import Merged

STRATEGY = Merged(name="merged-ties", summary="one adapter a night, merged where they agree on the sign", how="ties")
