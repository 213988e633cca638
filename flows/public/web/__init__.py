"""The pages for the public (data contract 10.2): `luohu web`, one server for rounds, calculator and API.

    app.py              what answers at which address
    guard.py            what every request and every answer must keep: size, time, headers, no log
    patience.py         connections that never ask anything
    scoring.py          people who ask at the same time, scored together in processes of their own
    jobs.py             what those processes do
    api.py              /api/score; openapi.py its description, made of the feeds' models
    announcements.py    / and /rounds/YEAR; home_page.py and round_page.py what they show
    lists.py            /rounds/YEAR/list and its files; list_page.py what it shows
    shown_rounds.py     the rounds a request may see
    assets.py           style and script, and the page for an address that is none
    calculator.py       /calculator: what a button does; steps.toml what is asked
    draft.py            facts on their way through the form; fields.py one field, forms.py a whole step
    result_in_words.py  what came out in words; faults_zh.py what is wrong, beside the field it is about
    pages.py            templates that all pages share; addresses.py what they call each other

Nothing is stored and nothing is logged.
"""
