"""The coming years if work and home go on: scored by the rules of each year, against lines one chooses.

What is assumed, and all that is (`going_on.py`): who is insured in the last month that counts, or later,
goes on being insured every month, paid on time, with the same employer in the same place, and pays in
each coming year the income tax of the year before the round; a home held on the reference date is kept;
a residence permit valid then goes on.  Nothing else changes but the calendar.  Under that each year is
exact: the records of the coming months are written out and scored by the real rules, so that points for
age fall, retirement is reached and the seven years are completed as the law says, not as a formula does.
A year without a round file goes by the latest edition (`flows.common.rounds`).
"""

from flows.explain.coming_years.lines import Lines, lines_of
from flows.explain.coming_years.years import Year, coming_years

__all__ = ["Lines", "Year", "coming_years", "lines_of"]
