"""The pages for the public (data contract 10.2): `luohu web`, one server for the calculator and the API.

    app.py        what answers at which address
    guard.py      what every request and every answer must keep: size, time, headers, no log
    patience.py   connections that never ask anything
    scoring.py    people who ask at the same time, scored together in processes of their own
    jobs.py       what those processes do
    api.py        /api/score; openapi.py its description, made of the feeds' models

Nothing is stored and nothing is logged.
"""
