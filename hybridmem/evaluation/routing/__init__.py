"""The router on trial: a stream with every kind of question, every route's answer to each, and what they are worth.

`stream` makes the questions, `asking` puts them to a memory by every route, `folder` keeps the answers night by night.
`policies` are the ways to answer that are set side by side, `figures` what each comes to, `signal_worth` what the
router's signals add; `page` draws them.
"""
