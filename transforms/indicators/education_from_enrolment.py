"""Education, studied from enrolment (教育背景, Trial measures art. 5(3)): the points of the best
verified credential.

As in education.py, but the period of study, which decides between credentials equal in points and
graduation, runs from the month of enrolment to that of graduation, however long.  Where no enrolment
is on record it is the window of the credential.  Nothing is rounded.
"""

import polars as pl

from transforms.facts import Facts
from transforms.indicators import education
from transforms.rounds import Round

EVIDENCE = education.EVIDENCE
Params = education.Params
parts = education.parts


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The best credential of each applicant who claims the indicator, with its counted months of study."""
    enrolled = pl.col("enrolled_on").dt.truncate("1mo")
    credentials = education.credentials(facts, p, this_round).with_columns(
        study_from=pl.coalesce(enrolled, "study_from")
    )
    return education.best(education.studied(facts, credentials))
