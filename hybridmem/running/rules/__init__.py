"""Fast-weight rules: how a state of fixed size takes in keys and values while a text is read.

One file a mechanism, one protocol for all (`base.Rule`). They are exact modules with tests, not a way to make a frozen
model answer questions: no untrained state of fixed size did that.
"""
