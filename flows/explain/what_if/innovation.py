"""An award, a position, a share in a technology firm or the firm's financing."""

from collections.abc import Iterator

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row
from flows.explain.what_if.plain_dates import months_before
from schemas.columns import CODES

SCOPE = "national"  # a municipal award never earns more than a national one of the same points


def award(of: Applicant) -> Iterator[Change]:
    """One award, of as many points as departments approve, the fewest first."""
    for points in CODES["award_points"]:
        row = {
            "person": of.person,
            "programme": "假设奖项",
            "scope": SCOPE,
            "awarded_on": of.this_round.reference_date,
            "points": points,
        }
        yield Change("award", 1, (Edit("awards", None, row),), {"points": points})


def position(of: Applicant) -> Iterator[Change]:
    """A position held since months earlier, or one held for months up to the reference date."""
    on = of.this_round.reference_date
    for rule in of.values("innovation")["positions"]:
        kind = rule["kind"]
        held = [r for r in of.rows["positions"] if r["kind"] == kind and r["held_from"] <= on]
        most = 12 * (rule["centipoints_at_most"] // rule["centipoints_per_year"])
        for months in range(1, most + 1):
            for row in held:
                earlier = {**row, "held_from": months_before(row["held_from"], months)}
                yield lasting(kind, months, Edit("positions", row, earlier))
            if not held:
                since = months_before(on, months)
                new = {"person": of.person, "kind": kind, "held_from": since, "held_to": None}
                yield lasting(kind, months, Edit("positions", None, new))


def lasting(kind: str, months: int, edit: Edit) -> Change:
    """A change of one position that lasts some months longer."""
    return Change("position_months", months, (edit,), {"position": kind})


def share(of: Applicant) -> Iterator[Change]:
    """A share in a firm large enough, and held all of the year before."""
    least = of.values("innovation")["share_bp_at_least"]
    for row in of.rows["shareholdings"]:
        after = {
            **row,
            "share_bp": max(row["share_bp"], least),
            "held_from": min(row["held_from"], of.this_round.first_day(1)),
            "held_to": None,
        }
        if after != row:
            yield Change("share", 1, (Edit("shareholdings", row, after),))


def financing(of: Applicant) -> Iterator[Change]:
    """More equity cash for a firm the applicant holds shares in, up to the next tiers."""
    rule = of.values("innovation")
    since = of.this_round.first_day(rule["financing_years"])
    on = of.this_round.reference_date
    for firm in sorted({row["employer"] for row in of.rows["shareholdings"]}):
        received = sum(
            row["amount_fen"]
            for row in of.rows["financings"]
            if row["employer"] == firm and since <= row["received_on"] <= on
        )
        for tier in rule["financing_tiers"]:
            fen = tier["fen_at_least"] - received
            if fen > 0:
                row: Row = {"employer": firm, "received_on": on, "amount_fen": fen}
                yield Change("financing", 1, (Edit("financings", None, row),), {"fen": fen})
