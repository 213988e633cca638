"""A credential that counts, and whether to claim the indicator at all."""

from collections.abc import Iterator
from datetime import timedelta

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row

CREDENTIAL = ("level", "has_diploma", "has_degree")


def claim(of: Applicant) -> Iterator[Change]:
    """The indicator claimed, or not claimed."""
    row = of.application
    claims = not row["claims_education"]
    edit = Edit("applications", row, {**row, "claims_education": claims})
    yield Change("education_claim", 1, (edit,), {"claim": "claimed" if claims else "waived"})


def verified(of: Applicant) -> Iterator[Change]:
    """A credential on record confirmed by the register, the latest first."""
    for row in by_graduation(of):
        if of.application["claims_education"] and not row["verified"]:
            yield credential("education_verified", row, {**row, "verified": True})


def higher(of: Applicant) -> Iterator[Change]:
    """A credential that earns more, of the same study and confirmed; the next one up first.

    An applicant with none on record is given one from before the first insured month: nothing is deducted.
    """
    if not of.application["claims_education"]:
        return
    rows: list[Row] = by_graduation(of) or [none_yet(of)]
    table = of.values("education")["credentials"]
    worth = {tuple(each[name] for name in CREDENTIAL): each["centipoints"] for each in table}
    for each in sorted(table, key=lambda each: each["centipoints"]):
        wanted = {name: each[name] for name in CREDENTIAL}
        for row in rows:
            now = worth.get(tuple(row.get(name) for name in CREDENTIAL), 0)
            if each["centipoints"] > now:
                before = row if "level" in row else None
                yield credential("credential", before, {**row, **wanted, "verified": True})


def credential(kind: str, before: Row | None, after: Row) -> Change:
    """A change of one credential."""
    both = after["has_diploma"] and after["has_degree"]
    certificates = "both" if both else "diploma" if after["has_diploma"] else "degree"
    shown = {"level": after["level"], "certificates": certificates}
    return Change(kind, 1, (Edit("education", before, after),), shown)


def by_graduation(of: Applicant) -> list[Row]:
    """The credentials of before the reference date, the latest first."""
    on = of.this_round.reference_date
    rows = [row for row in of.rows["education"] if row["graduated_on"] <= on]
    return sorted(rows, key=lambda row: row["graduated_on"], reverse=True)


def none_yet(of: Applicant) -> Row:
    """A graduation on the day before the first insured month."""
    first = min(of.insurance, default=of.this_round.reference_date)
    day = first - timedelta(days=1)
    return {"person": of.person, "enrolled_on": None, "graduated_on": day}
