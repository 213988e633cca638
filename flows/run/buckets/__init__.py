"""A round too large to work on at once, in buckets of people: each by the functions of a whole round.

A person's bucket is the first bits of the SHA-256 of their ID number.  A stage of one bucket takes
paths and leaves files that are complete or absent; nothing but counts is passed on.  What comes out
is, byte for byte, what one bucket gives.
"""
