"""The web inspector: pages over one memory folder, on this machine alone. `serve` runs it, `app` is the application."""
