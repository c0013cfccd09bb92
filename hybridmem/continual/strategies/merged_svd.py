"""`merged-svd`: one adapter a night; their sum, cut to one rank by its largest singular values (task arithmetic,
Ilharco et al. 2022, arXiv:2212.04089)."""

from hybridmem.continual.merged import Merged

STRATEGY = Merged(name="merged-svd", summary="one adapter a night, summed and cut to one rank", how="svd")
