"""Deliveries (docs/process.md, 3): what departments bring, kept as it came, and what is known from it.

A delivery is files of one feed and a note that says what they are.  It is held against its note,
screened at once, copied into the warehouse and recorded.  What a feed holds at a moment follows from
the ledger and those copies alone: nothing here is ever changed, it is delivered again.
"""
