"""`merged-dare`: one adapter a night; a random half of each is dropped and the rest scaled up before they are summed
(DARE, Yu et al. 2023, arXiv:2311.03099)."""

from hybridmem.continual.merged import Merged

STRATEGY = Merged(name="merged-dare", summary="one adapter a night, a random half of each summed", how="dare")
