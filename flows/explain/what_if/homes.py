"""Homes held for longer, elsewhere, or registered in time.

Months are filled within one gap between homes: the home after it was had earlier, or, where there
is none, the home before it was kept.
"""

from collections.abc import Iterable, Iterator

import polars as pl

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row, growing
from flows.explain.what_if.plain_dates import Run, first_day, last_day, runs
from transforms.months import covered_spells, months_listed, number_of


def own_kind(of: Applicant) -> str:
    """The kind of home that comes before all others."""
    return str(of.values("residence")["kinds"][0]["kind"])


def months_held(homes: Iterable[Row], first: int, last: int) -> set[int]:
    """The months of a window that homes cover, as the rules count them."""
    spells = pl.LazyFrame(
        list(homes), schema={"person": pl.UInt32, "start_date": pl.Date, "end_date": pl.Date}
    )
    found = months_listed(covered_spells(spells, first_day(first), last_day(last))).collect()
    return {number_of(month) for month in found["month"]}


def gaps(homes: Iterable[Row], first: int, last: int) -> list[Run]:
    """Runs of months without one of these homes, the latest first."""
    return runs({*range(first, last + 1)} - months_held(homes, first, last))[::-1]


def own(of: Applicant) -> Iterator[Change]:
    """More months of an own home, in one gap."""
    homes = [row for row in of.rows["housing"] if row["kind"] == own_kind(of)]
    first = number_of(of.values("residence")["first_month"])
    for gap in gaps(homes, first, of.last_month):
        for months in range(1, gap[1] - gap[0] + 2):
            yield filled(of, homes, gap, months)


def filled(of: Applicant, homes: list[Row], gap: Run, months: int) -> Change:
    """Months of a gap held: the home after it had earlier, the one before it kept, or a new one."""
    latest = (gap[1] - months + 1, gap[1])
    starts = {first_held(row): row for row in homes}
    ends = {number_of(row["end_date"]): row for row in homes if row["end_date"]}
    if after := starts.get(gap[1] + 1):
        earlier = {**after, "start_date": first_day(latest[0])}
        return held("own_home_months", Edit("housing", after, earlier), latest)
    if before := ends.get(gap[0] - 1):
        until = gap[0] + months - 1
        kept = {**before, "end_date": None if until == of.last_month else last_day(until)}
        return held("own_home_months", Edit("housing", before, kept), (gap[0], until))
    new = home(of, own_kind(of), of.work_district, latest)
    return held("own_home_months", Edit("housing", None, new), latest)


def first_held(row: Row) -> int:
    """The first month a home covers."""
    return number_of(row["start_date"]) + int(row["start_date"].day > 1)


def home(of: Applicant, kind: str, district: int, run: Run) -> Row:
    """A home held in a run of months; still held when it reaches the reference date."""
    return {
        "person": of.person,
        "kind": kind,
        "district": district,
        "start_date": first_day(run[0]),
        "end_date": None if run[1] == of.last_month else last_day(run[1]),
        "registered_on": None if kind == own_kind(of) else first_day(run[0]),
    }


def held(kind: str, edit: Edit, run: Run) -> Change:
    """A change of one home that lasts some months longer."""
    first, last = first_day(run[0]), first_day(run[1])
    return Change(kind, run[1] - run[0] + 1, (edit,), {"first_month": first, "last_month": last})


def own_outside(of: Applicant) -> Iterator[Change]:
    """A home of one's own outside the six districts, for months up to the reference date."""
    first = number_of(of.values("job_housing")["counts_from"])
    kind, district = own_kind(of), of.bounds.district_outside
    for start in range(of.last_month, first - 1, -1):
        run = (start, of.last_month)
        yield held("own_home_outside", Edit("housing", None, home(of, kind, district, run)), run)


def rented(of: Applicant) -> Iterator[Change]:
    """A rented home, registered, in a gap without any home that counts."""
    values = of.values("residence")
    first = number_of(values["filed_from"])
    counting = [row for row in of.rows["housing"] if not late(of, row)]
    rent = next(kind["kind"] for kind in values["kinds"] if kind["early"] == "default")
    for gap in gaps(counting, first, of.last_month):
        for start in range(gap[1], gap[0] - 1, -1):
            run = (start, gap[1])
            edit = Edit("housing", None, home(of, rent, of.work_district, run))
            yield held("rented_home_months", edit, run)


def late(of: Applicant, row: Row) -> bool:
    """Whether a home of this kind has to be registered and was not by the reference date."""
    day = row["registered_on"]
    kinds = of.values("residence")["kinds"]
    wanted = any(kind["registered"] and kind["kind"] == row["kind"] for kind in kinds)
    return wanted and (day is None or day > of.this_round.reference_date)


def registered(of: Applicant) -> Iterator[Change]:
    """Homes that have to be registered, registered in time, the latest first."""
    homes = [
        row
        for row in of.rows["housing"]
        if late(of, row) and row["start_date"] <= of.this_round.reference_date
    ]
    homes.sort(key=lambda row: row["start_date"], reverse=True)
    yield from growing(
        "homes_registered",
        [Edit("housing", row, {**row, "registered_on": row["start_date"]}) for row in homes],
    )
