"""Published protocols as benchmark streams, so that `bench forgetting` runs them unchanged beside papers' figures."""
