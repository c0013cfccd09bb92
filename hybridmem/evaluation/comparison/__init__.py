"""Many runs of `suites.forgetting` side by side: strategies, learning rates and seeds over one stream.

A *trial* (`trial`) is one run. Its result is one file of a folder (`results`), so that a comparison that was stopped
goes on where it stopped (`runner`). `summary` sets the trials side by side, with the seeds taken together; `page` draws
them.
"""
