"""The calendar of a round (docs/process.md, 8): what is due, late or missing, and doing what is due.

What is due at a moment follows from the ledger, the phases of the round and `data/process.toml`, and
from nothing else: `due` and `missing` are pure.  `tick` does it, each step once.
"""
