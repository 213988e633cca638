"""The rounds there were: each file is whole, and the published totals give the published line."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from cases import ROOT

from transforms.editions import edition
from transforms.phases import spans
from transforms.ranking import line, ranking
from transforms.rounds import Round, load_round, rounds

POLICY = ROOT / "data" / "policy"
ROUNDS = ROOT / "data" / "rounds"
YEARS = rounds(ROUNDS)
LISTED = [2018, 2020, 2021, 2023, 2024, 2025]  # the years whose whole list was found
KNOWN = {
    "applications",
    "settled",
    "cutoff_centipoints",
    "tied_at_cutoff",
    "highest_centipoints",
    "cite",
}


def of(year: int) -> Round:
    return load_round(ROUNDS, year)


def published_totals(official: Path, year: int) -> pl.DataFrame:
    """A published list as the ranking takes it: application_no, total in centipoints."""
    path = official / f"totals-{year}.csv"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {official}")
    with path.open(encoding="utf-8") as file:
        totals = [
            int(Decimal(row["total"]) * 100)
            for row in csv.DictReader(file)
            for _ in range(int(row["applicants"]))
        ]
    numbers = [f"{number:06}" for number in range(len(totals))]
    return pl.DataFrame({"application_no": numbers, "total": totals})


def test_every_year_has_its_round() -> None:
    assert list(range(2018, YEARS[-1] + 1)) == YEARS
    assert YEARS[-1] >= 2026


@pytest.mark.parametrize("year", YEARS)
def test_a_round_pins_its_year(year: int) -> None:
    this_round = of(year)
    assert this_round.year == this_round.policy_date.year == year
    assert this_round.reference_date == this_round.permit_date == date(year - 1, 12, 31)
    assert this_round.quota == 6000 or year > 2026
    assert this_round.received_on is None
    assert this_round.cite.strip()
    edition(POLICY, this_round.policy_date)


@pytest.mark.parametrize("year", YEARS)
def test_the_policy_date_selects_the_edition(year: int) -> None:
    built = edition(POLICY, of(year).policy_date)
    assert (built.name == "trial") == (year < 2020)
    assert built.name == "2020" or year not in range(2020, 2027)
    assert ("employer" in built.conditions) == (year >= 2020)


@pytest.mark.parametrize("year", YEARS)
def test_retirement_is_delayed_from_2026(year: int) -> None:
    delays = edition(POLICY, of(year).policy_date).conditions["retirement_age"].values["delays"]
    assert bool(delays) == (year >= 2026)


def test_the_month_before_filing_is_asked_for_where_it_is_known() -> None:
    asked = {year: of(year).insured_in for year in YEARS if of(year).insured_in}
    assert asked == {2018: date(2018, 3, 1), 2020: date(2020, 6, 1)}


@pytest.mark.parametrize("year", YEARS)
def test_phases_follow_each_other(year: int) -> None:
    found = spans(f"{year}", of(year).phases)
    days = [day for each in found for day in each[1:] if day]
    assert days == sorted(days)
    assert not days or days[0].date() >= of(year).policy_date
    assert all(each["cite"].strip() for each in of(year).phases.values())


@pytest.mark.parametrize("year", YEARS)
def test_the_published_result_is_cited_and_possible(year: int) -> None:
    published = of(year).published
    if not published:
        assert year > 2026, "the result of every round up to here is known"
        return
    assert set(published) <= KNOWN
    assert published["cite"].strip()
    assert published["settled"] >= of(year).quota
    # so many at the line that the place of the quota is among them
    if "tied_at_cutoff" in published:
        assert published["settled"] - published["tied_at_cutoff"] < of(year).quota
    if "highest_centipoints" in published:
        assert published["highest_centipoints"] > published["cutoff_centipoints"]
    assert published.get("applications", published["settled"]) >= published["settled"]


@pytest.mark.parametrize("year", LISTED)
def test_the_published_totals_give_the_published_line(year: int, official: Path) -> None:
    totals, published = published_totals(official, year), of(year).published
    ranked = ranking(totals, of(year).quota, year)
    drawn = line(ranked)
    assert drawn.settled == drawn.eligible == totals.height == published["settled"]
    assert drawn.cutoff == published["cutoff_centipoints"]
    assert drawn.tied_at_cutoff == published["tied_at_cutoff"]
    assert ranked["total"][0] == published["highest_centipoints"]
    serials = range(year * 100_000 + 1, year * 100_000 + totals.height + 1)
    assert ranked["serial"].to_list() == list(serials)


@pytest.mark.parametrize("year", LISTED)
def test_the_line_does_not_move_with_those_below_it(year: int, official: Path) -> None:
    """The published list ends at the line; whoever is below by a hundredth does not settle."""
    totals, published = published_totals(official, year), of(year).published
    below = pl.DataFrame(
        {
            "application_no": [f"b{number}" for number in range(2000)],
            "total": [
                published["cutoff_centipoints"] - 1 - number // 100 for number in range(2000)
            ],
        }
    )
    drawn = line(ranking(pl.concat([below, totals]), of(year).quota, year))
    assert (drawn.eligible, drawn.settled) == (totals.height + 2000, published["settled"])
    assert drawn.cutoff == published["cutoff_centipoints"]
    assert drawn.tied_at_cutoff == published["tied_at_cutoff"]


def test_years_of_the_published_lists_are_the_listed(official: Path) -> None:
    found = {int(path.stem.removeprefix("totals-")) for path in official.glob("totals-*.csv")}
    assert found <= set(LISTED)
