"""Insurance months that were not paid on time, or not where they would have earned more.

Months are taken latest first: what was missed last is what could have been done last.
"""

from collections.abc import Iterable, Iterator

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row, growing
from flows.explain.what_if.plain_dates import first_day
from schemas.columns import INSURANCES
from transforms.months import number_of


def paid(of: Applicant, numbers: Iterable[int], **changed: int) -> Iterator[Edit]:
    """Months with all five insurances paid and in the record by the reference date."""
    rows = {row["month"]: row for row in of.rows["social_insurance"]}
    on_time = dict.fromkeys(INSURANCES, of.edition.counted_months.values["counted_status"])
    for number in numbers:
        before = rows.get(first_day(number))
        row = before or of.new_month(number)
        recorded_on = min(row["recorded_on"], of.this_round.reference_date)
        yield edit(before, {**row, **on_time, "recorded_on": recorded_on, **changed})


def edit(before: Row | None, after: Row) -> Edit:
    """An edit of the insurance feed."""
    return Edit("social_insurance", before, after)


def uncounted(of: Applicant) -> list[int]:
    """Months in which the applicant could work and that earn nothing, latest first."""
    counted = {number_of(month) for month in of.counted}
    return sorted({*range(of.first_working_month, of.last_month + 1)} - counted, reverse=True)


def months(of: Applicant) -> Iterator[Change]:
    """More months paid on time, at one's employer."""
    yield from growing("insurance_months", list(paid(of, uncounted(of))))


def months_outside(of: Applicant) -> Iterator[Change]:
    """More months paid on time, worked outside the six districts."""
    district = of.bounds.district_outside
    edits = list(paid(of, uncounted(of), work_district=district))
    yield from growing("insurance_months_outside", edits)


def job_outside(of: Applicant) -> Iterator[Change]:
    """Insured months that were worked inside the six districts, worked outside."""
    rule = of.values("job_housing")
    inside = [
        row
        for month, row in of.insurance.items()
        if month >= rule["counts_from"] and row["work_district"] in rule["six_districts"]
    ]
    district = of.bounds.district_outside
    yield from growing(
        "job_outside_months",
        [edit(row, {**row, "work_district": district}) for row in reversed(inside)],
    )


def back_paid(of: Applicant) -> Iterator[Change]:
    """Months paid back by the person, paid on time."""
    status = of.values("social_insurance")["back_paid_status"]
    numbers = [
        number_of(month)
        for month, row in of.insurance.items()
        if status in (row[name] for name in INSURANCES)
    ]
    yield from growing("back_paid_months", list(paid(of, reversed(numbers))))


def seven_years(of: Applicant) -> Iterator[Change]:
    """Months of the seven years without all five insurances, then those paid back, paid on time."""
    if "social_insurance" not in of.failing:
        return
    rule = of.values("social_insurance")
    window = range(of.last_month, of.last_month - rule["months"], -1)
    lacking, back = [], []
    for number in window:
        row = of.insurance.get(first_day(number), {})
        statuses = {row.get(name) for name in INSURANCES}
        if None in statuses:
            lacking.append(number)
        elif rule["back_paid_status"] in statuses:
            back.append(number)
    yield from growing("seven_years_months", list(paid(of, lacking + back)))


def before_filing(of: Applicant) -> Iterator[Change]:
    """The month before filing insured, where the round asks for it."""
    month = of.this_round.insured_in
    if month is None or any(row["month"] == month for row in of.rows["social_insurance"]):
        return
    row = of.new_month(number_of(month)) | {"recorded_on": month}
    status = of.edition.counted_months.values["counted_status"]
    yield Change("insured_before_filing", 1, (edit(None, row | dict.fromkeys(INSURANCES, status)),))
