"""The memory over HTTP: the contract as REST, an OpenAI-compatible face, dreams as jobs, and an operator's figures.

`hybridmem serve` starts it; `app.build` makes the ASGI application for a server of one's own.
"""
