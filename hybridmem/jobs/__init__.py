"""Dreams in processes of their own: started, watched and stopped. Their records stay true if any process is killed.

>>> jobs = DreamJobs(memory)                                         # doctest: +SKIP
>>> job = jobs.start(("users", "ana"))                               # doctest: +SKIP
>>> jobs.get(("users", "ana"), job.id).status                        # doctest: +SKIP
'running'
"""

from hybridmem.jobs.budget import Budget
from hybridmem.jobs.dream_jobs import DreamJobs
from hybridmem.jobs.job import DreamJob, JobStatus

__all__ = ["Budget", "DreamJob", "DreamJobs", "JobStatus"]
