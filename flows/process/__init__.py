"""The annual process (docs/process.md): from the first delivery to the last registration.

An operation is a small module: it says what it is asked (`Asked`), takes a turn (`turn.turn`), is
judged, checks what stands, and records a body.  What follows from the ledger is a table each in
`tables/`.  Code that only reads calls `ledger.file.read`.
"""
