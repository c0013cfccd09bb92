"""Continual learning: what a night trains on so that it learns without forgetting.

A *strategy* (`base.Strategy`) decides which rows a night sees, against which objectives, from which weights. A *replay
buffer* (`buffers`) decides which older exercises are among the rows, an *objective* (`objectives`) what is minimised:
they combine, and `composed.ComposedStrategy` is the usual way to combine them. Each strategy is one file in
`strategies/`, found by its name through `registry`. The gate is no part of a strategy.
"""
