"""The ledger of a warehouse (docs/process.md, 2): what was done, by whom and when; only ever appended to.

One entry a line in canonical JSON, each with the digest of the one before.  This room knows the form
of an entry, its chain, its clock, its lock and what stands; it knows no operation.  It lies below
`kept`, so that an audit reads the ledger; `process`, which writes to it, lies above them all.
"""
