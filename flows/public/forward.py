"""When: the coming years of one person if work and home go on, against lines the reader chooses."""

from typing import Any

from flows.common.points import in_text
from flows.explain.coming_years import Year, coming_years, lines_of
from flows.explain.coming_years.going_on import latest_work
from flows.explain.coming_years.years import MOST_YEARS
from flows.explain.what_if.accepted_rows import Records
from flows.public.facts import Facts
from flows.public.feeds import feeds_of


def forward(facts: Facts, growth: int | None = None, years: int = MOST_YEARS) -> dict[str, Any]:
    """The round's year and those after it, ready for JSON; none after retirement is reached.

    growth: centipoints a line grows by each year after the last official one; default: the mean of the
    last three.  What is assumed stands in `flows.explain.coming_years`.
    """
    lines = lines_of(growth, facts.data)
    of = Records(feeds_of([facts]))
    found = list(coming_years(of, facts.this_round, lines, facts.data, years))
    return {
        "growth": in_text(lines.growth),
        "work_goes_on": latest_work(of, facts.this_round) is not None,
        "first": next((each.year for each in found if each.enough), None),
        "years": [for_machines(each) for each in found],
    }


def for_machines(year: Year) -> dict[str, Any]:
    """One year for machines."""
    return {
        "year": year.year,
        "assumed": year.assumed,
        "indicators": {name: in_text(each) for name, each in year.indicators.items()},
        "total": in_text(year.total),
        "eligible": not year.failing,
        "failing": list(year.failing),
        "line": None if year.line is None else in_text(year.line),
        "official": year.official,
        "gap": None if year.line is None else in_text(year.total - year.line),
        "enough": year.enough,
    }
