"""Notices (审核结果告知书, data contract 10.4): one page an applicant, ready to be printed.

A letter says what was decided, why, how and until when it can be contested, and what comes next.  Its
facts, clauses and working are those of explain's page, made of the same receipt.  It names its
addressee and nobody else, and holds no ID number, no digest of one and no count of a few people.

    write.py        the letters of a round, or one of them
    round_state.py  what the database says of the round, its appeals and its places
    addressees.py   names and employers
    phases.py       when the phases of the round are, and until when a result can be contested
    common.py       what is the same in all letters of a round
    letter.py       one letter; verdict.py what was decided and why, annex.py months and records
    page.py         its page
    batches.py      letters written side by side by processes of their own
    folder.py       the folder that appears whole

No clock is read: the same run, phases and ledger give the same bytes.
"""
