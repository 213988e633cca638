"""One applicant's records as the proposals of changes look at them."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from pydantic.dataclasses import dataclass as checked

from flows.common.settings import DATA
from flows.explain.what_if.accepted_rows import Records
from flows.explain.what_if.change import Row
from flows.explain.what_if.plain_dates import first_day
from transforms.counted_months import Params, counted_months
from transforms.facts import existing
from transforms.months import number_of
from transforms.policy import Edition, params, rule
from transforms.rounds import Round
from transforms.units import STRICT, District, Years


@checked(frozen=True, config=STRICT)
class Bounds:
    """The bounds of what is tried, the values of `data/what_if.toml`.

    The age from which somebody may be employed, and a district outside the six.
    """

    youngest_worker_years: Years
    district_outside: District


@dataclass(frozen=True)
class Applicant:
    """Accepted rows by feed, the round and its edition, what counted and what failed."""

    rows: dict[str, list[Row]]
    edition: Edition
    this_round: Round
    counted: frozenset[date]  # the insurance months that earn points
    failing: list[str]  # the conditions that do not hold
    bounds: Bounds

    @property
    def application(self) -> Row:
        """The application."""
        return self.rows["applications"][0]

    @property
    def person(self) -> int:
        """The applicant's number."""
        return int(self.application["person"])

    @property
    def last_month(self) -> int:
        """December of the year before the round."""
        return number_of(self.this_round.reference_date)

    def values(self, column: str) -> dict[str, Any]:
        """The values in force of the rule behind a condition or an indicator."""
        return {**self.edition.conditions, **self.edition.indicators}[column].values

    @property
    def first_working_month(self) -> int:
        """The first month that counts in which the applicant was old enough to work."""
        first_that_counts = number_of(self.edition.counted_months.values["first_month"])
        old_enough = number_of(self.application["birth_date"]) + 1
        return max(first_that_counts, old_enough + 12 * self.bounds.youngest_worker_years)

    @cached_property
    def insurance(self) -> dict[date, Row]:
        """The insurance rows in the record by the reference date, ascending by month."""
        on = self.this_round.reference_date
        there = (
            row
            for row in self.rows["social_insurance"]
            if row["month"] <= on and row["recorded_on"] <= on
        )
        return {row["month"]: row for row in sorted(there, key=lambda row: row["month"])}

    @cached_property
    def work_district(self) -> int:
        """Where the applicant worked last, or else where a home lies."""
        jobs = [row["work_district"] for row in self.insurance.values()]
        homes = [row["district"] for row in self.rows["housing"]]
        return int([self.bounds.district_outside, *homes, *jobs][-1])

    def new_month(self, number: int) -> Row:
        """An insurance row there is none of: with the employer that files, where one worked last."""
        month = first_day(number)
        return {
            "person": self.person,
            "employer": self.application["employer"],
            "month": month,
            "work_district": self.work_district,
            "recorded_on": month,
        }


def applicant(of: Records, edition: Edition, this_round: Round, failing: list[str]) -> Applicant:
    """The view of the one applicant whose records these are."""
    people = of.feeds["applications"].lazy().with_columns(person=0)
    rows = existing(of.feeds["social_insurance"].lazy(), edition, this_round).with_columns(person=0)
    counted = counted_months(rows, people, params(Params, edition.counted_months)).collect()
    return Applicant(
        rows={feed: rows.to_dicts() for feed, rows in of.feeds.items()},
        edition=edition,
        this_round=this_round,
        counted=frozenset(counted["month"]),
        failing=failing,
        bounds=params(Bounds, rule(Bounds, DATA, "what_if", this_round.policy_date)),
    )
