"""The rounds the public may see, and what may be said of each (data contract 10.2 to 10.5).

    shown_round.py     a round as it is shown: figures, the published list, what may be said of the others
    in_memory.py       which rounds a warehouse shows, read once for each state of its database
    read.py            from the analysts' database
    outside.py         people who are not on the list: numbers of twenty and more, or none
    place_of_total.py  where a total stands: its place, exact on the list, to the nearest hundred below
    typed.py           a total as somebody types it

    rounds = rounds_of(warehouse, preliminary=False)     Shown: .rounds by year, newest first
    rounds[2020].people                                  the published list, a frame by serial
    where(rounds[2020], 9713)                            the place of a total in centipoints

No other room asks the database for the public.  A round in memory holds nothing about people who are
not on its list but what `outside` says of them: what is not held cannot slip into a page.
"""
