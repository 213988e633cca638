"""Tax of the three years before the round, raised in one or more of them.

One payment, or one share of company tax, raises one year.  All choices of years are tried, as each
year has to be above zero and the years do not weigh alike.
"""

from collections.abc import Iterator
from datetime import date
from itertools import combinations

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row
from transforms.indicators.tax import kinds_in


def years_of(of: Applicant) -> list[int]:
    """The years looked at, the latest first."""
    return [of.this_round.year - back for back in range(1, of.values("tax")["years"] + 1)]


def choices(of: Applicant) -> Iterator[tuple[int, ...]]:
    """Every choice of years, one year first, later years before earlier ones."""
    years = years_of(of)
    for size in range(1, len(years) + 1):
        yield from combinations(years, size)


def high_years(of: Applicant) -> Iterator[Change]:
    """Income tax of single years that reaches the amount a year."""
    enough = of.values("tax")["fen_at_least"]
    net = {year: income_tax(of, year) for year in years_of(of)}
    for chosen in choices(of):
        if all(net[year] < enough for year in chosen):
            yield payments(of, {year: enough - net[year] for year in chosen})


def three_years(of: Applicant) -> Iterator[Change]:
    """Income tax of the three years that together reaches the amount."""
    enough = of.values("tax")["fen_at_least"]
    net = {year: income_tax(of, year) for year in years_of(of)}
    for chosen in choices(of):
        if lacking := lacks(net, chosen, enough):
            yield payments(of, lacking)


def company(of: Applicant) -> Iterator[Change]:
    """A share of company tax of the three years that together reaches the amount."""
    rows = {row["year"]: row for row in of.rows["company_tax"]}
    share = {year: rows.get(year, {}).get("attributed_fen", 0) for year in years_of(of)}
    for chosen in choices(of):
        lacking = lacks(share, chosen, of.values("tax")["company_fen_at_least"])
        if not lacking:
            continue
        edits = []
        for year, fen in lacking.items():
            row = rows.get(year, {"person": of.person, "year": year})
            after = {**row, "attributed_fen": share[year] + fen}
            edits.append(Edit("company_tax", rows.get(year), after))
        yield Change("company_tax_years", len(edits), tuple(edits), raised_by_year(lacking))


def lacks(net: dict[int, int], chosen: tuple[int, ...], enough: int) -> dict[int, int]:
    """What the chosen years lack to be above zero each and, all together, enough; the last chosen
    year takes what the others leave."""
    above_zero = {year: max(1 - net[year], 0) for year in chosen}
    rest = enough - sum(net.values()) - sum(above_zero.values())
    lacking = above_zero | {chosen[0]: above_zero[chosen[0]] + max(rest, 0)}
    return lacking if all(lacking.values()) else {}


def payments(of: Applicant, fen: dict[int, int]) -> Change:
    """One more payment in each of some years."""
    rows: list[Row] = [
        {
            "person": of.person,
            "treasury_date": date(year, 12, 31),
            "income_kind": kinds_in(year, of.values("tax")["income_kinds"])[0],
            "amount_fen": amount,
        }
        for year, amount in fen.items()
    ]
    edits = tuple(Edit("tax", None, row) for row in rows)
    return Change("tax_years", len(edits), edits, raised_by_year(fen))


def raised_by_year(fen: dict[int, int]) -> Row:
    """The years raised, and by how much."""
    return {"fen": {str(year): amount for year, amount in sorted(fen.items())}}


def income_tax(of: Applicant, year: int) -> int:
    """The net tax of a year, of the income that counts."""
    counting = kinds_in(year, of.values("tax")["income_kinds"])
    return sum(
        row["amount_fen"]
        for row in of.rows["tax"]
        if row["treasury_date"].year == year and row["income_kind"] in counting
    )
