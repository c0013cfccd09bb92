"""A world of invented facts, and its wordings: the source of the memory jobs' cases and of `lab`'s documents.

Names, values and surface forms are split once: `evaluation_set` draws from the part that no training document uses.
"""
