"""Conformance suites for every protocol, and what tests of agents need."""
