"""A run in one file: packed by `luohu capsule`, verified anywhere by `luohu audit FILE`.

`container` is the file, `unpack` takes one apart, `contents` says what goes in and what `--public` leaves
out; `pack` and `verify` are the two commands, `checks` what a public capsule can show, `page` the print.
"""
