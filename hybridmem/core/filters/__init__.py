"""The filter language of every surface: one parser, one evaluator, one meaning. docs/filters.md is its guide.

>>> from hybridmem.core.filters.parse import parse
>>> from hybridmem.core.filters.evaluate import holds
>>> wanted = parse({"metadata.stars": {"gte": 3}, "not": {"tags": "old"}})
>>> holds(wanted, {"metadata": {"stars": 4}, "tags": ["travel"]})
True
"""
