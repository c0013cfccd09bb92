"""The router on trial: a stream with every kind of question, every route's answer to each, and what they are worth.

`maker` makes a `stream` with its questions, `living` lives through it, `asking` puts the questions to a memory by every
route, and `nightly` keeps the answers. `policies` are the ways to answer that are set side by side, `refitting` the
router with other heads, `figures` what each way comes to, `signal_worth` what the router's signals add; `page` draws
them.
"""
