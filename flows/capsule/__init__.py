"""A run in one file: packed by `luohu capsule`, verified anywhere by `luohu audit FILE`.

`container` is the file, `contents` what goes in and what `--public` leaves out, `pack` and `verify`
the two commands, `public` what a public capsule can show, `page` what is printed.
"""
