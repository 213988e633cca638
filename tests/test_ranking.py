"""Ranking: same score, same settlement (同分同落), at every quota; and the published lines."""

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ranking import Line, line, ranking

YEAR = 2020
PUBLISHED = Path(
    os.environ.get("LUOHU_PUBLISHED", Path(__file__).parents[2] / "shared" / "published")
)
QUOTA_A_YEAR = 6000
# the official lists: settled, the line in centipoints, tied at the line
LINES = {
    2018: (6019, 9075, 30),
    2020: (6032, 9713, 54),
    2021: (6045, 10088, 108),
    2023: (6003, 10992, 93),
    2024: (6002, 11446, 61),
    2025: (6004, 11733, 29),
}


def totals(values: list[int]) -> pl.DataFrame:
    """Applicants numbered in the order given."""
    numbers = [f"{place:06}" for place in range(1, len(values) + 1)]
    return pl.DataFrame(
        {"application_no": numbers, "total": values},
        schema={"application_no": pl.String, "total": pl.Int64},
    )


FIVE = [9000, 8800, 8800, 8600, 8400]


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        (0, Line(eligible=5, settled=0, cutoff=None, tied_at_cutoff=0)),
        (1, Line(eligible=5, settled=1, cutoff=9000, tied_at_cutoff=1)),
        (2, Line(eligible=5, settled=3, cutoff=8800, tied_at_cutoff=2)),
        (3, Line(eligible=5, settled=3, cutoff=8800, tied_at_cutoff=2)),
        (4, Line(eligible=5, settled=4, cutoff=8600, tied_at_cutoff=1)),
        (5, Line(eligible=5, settled=5, cutoff=8400, tied_at_cutoff=1)),
        (6, Line(eligible=5, settled=5, cutoff=8400, tied_at_cutoff=1)),
    ],
)
def test_quota(quota: int, expected: Line) -> None:
    """From no place at all to one more than there are applicants."""
    ranked = ranking(totals(FIVE), quota, YEAR)
    assert line(ranked) == expected
    assert ranked["rank"].to_list() == [1, 2, 2, 4, 5]


@pytest.mark.parametrize("quota", [1, 4, 5, 6])
def test_everyone_tied(quota: int) -> None:
    """All settle, however few the places."""
    ranked = ranking(totals([9000] * 5), quota, YEAR)
    assert line(ranked) == Line(eligible=5, settled=5, cutoff=9000, tied_at_cutoff=5)
    assert ranked["rank"].to_list() == [1] * 5


@pytest.mark.parametrize("quota", [0, 1, 6000])
def test_nobody_eligible(quota: int) -> None:
    """No line, and a ranking without rows that still has its columns."""
    ranked = ranking(totals([]), quota, YEAR)
    assert line(ranked) == Line(eligible=0, settled=0, cutoff=None, tied_at_cutoff=0)
    assert ranked.schema == ranking(totals(FIVE), quota, YEAR).schema


def test_quota_of_none_settles_nobody() -> None:
    """Without places nobody has a serial; the ranks stay."""
    ranked = ranking(totals(FIVE), 0, YEAR)
    assert ranked["settled"].to_list() == [False] * 5
    assert ranked["serial"].to_list() == [None] * 5


@settings(max_examples=150, deadline=None)
@given(values=st.lists(st.integers(-20, 20), max_size=30), quota=st.integers(0, 35))
def test_invariants(values: list[int], quota: int) -> None:
    """What holds for any totals and any quota."""
    ranked = ranking(totals(values), quota, YEAR)
    rows = ranked.to_dicts()
    settled = [row for row in rows if row["settled"]]
    drawn = line(ranked)

    assert {row["total"] for row in settled}.isdisjoint(
        row["total"] for row in rows if not row["settled"]
    )
    places = min(quota, len(values))
    assert len(settled) >= places
    assert all(row["total"] == drawn.cutoff for row in settled[places:])
    assert bool(settled) == bool(places)
    for row in rows:
        assert row["rank"] == 1 + sum(other > row["total"] for other in values)
        assert row["settled"] == (drawn.cutoff is not None and row["total"] >= drawn.cutoff)
    in_order = sorted(settled, key=lambda row: (-row["total"], row["application_no"]))
    assert [row["serial"] for row in in_order] == [
        YEAR * 100_000 + place for place in range(1, len(settled) + 1)
    ]
    assert all(row["serial"] is None for row in rows if not row["settled"])


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.integers(-5, 5), max_size=12), data=st.data())
def test_the_order_rows_come_in_does_not_matter(values: list[int], data: st.DataObject) -> None:
    """The same applicants in another order are ranked the same."""
    given_totals = totals(values)
    shuffled = data.draw(st.permutations(range(len(values))))
    assert ranking(given_totals[shuffled], 4, YEAR).equals(ranking(given_totals, 4, YEAR))


@pytest.mark.parametrize("year", LINES)
def test_published_lines(year: int) -> None:
    """The totals of an official list, and as many lower ones, give its line."""
    path = PUBLISHED / f"totals-{year}.csv"
    if not path.is_file():
        pytest.skip(f"the published totals of {year} are not beside the repository")
    official = [
        int(row["total"].replace(".", ""))
        for row in pl.read_csv(path, infer_schema=False).to_dicts()
        for _ in range(int(row["applicants"]))
    ]
    settled, cutoff, tied = LINES[year]
    lower = [cutoff - 1 - place % 500 for place in range(len(official))]
    ranked = ranking(totals(official + lower), QUOTA_A_YEAR, year)
    assert line(ranked) == Line(2 * len(official), settled, cutoff, tied)
    assert ranked["serial"].max() == year * 100_000 + settled
