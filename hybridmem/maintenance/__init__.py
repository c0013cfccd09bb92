"""Upkeep of a memory folder: doctor, erasure, transfer, lineage."""
