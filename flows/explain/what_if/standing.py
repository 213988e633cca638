"""Records that cost points or the right to apply, absent; and those that give it, there.

A row taken out is one unit.  The latest goes first: the earlier ones may be too old to count.
"""

from collections.abc import Iterator

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row, growing

UNNAMED = "（未登记单位）"  # an employer in no register has no name there


def absent(kind: str, feed: str, rows: list[Row], dated: str) -> Iterator[Change]:
    """The latest of some rows absent, the latest two, and so on."""
    latest_first = sorted(rows, key=lambda row: row[dated], reverse=True)
    yield from growing(kind, [Edit(feed, row, None) for row in latest_first])


def violations(of: Applicant) -> Iterator[Change]:
    """Tax violations of before the round absent."""
    yield from decided(of, "violations_absent", "tax_violations")


def detentions(of: Applicant) -> Iterator[Change]:
    """Detentions of before the round absent."""
    yield from decided(of, "detentions_absent", "detentions")


def decided(of: Applicant, kind: str, feed: str) -> Iterator[Change]:
    """Rows decided by the reference date absent."""
    rows = [row for row in of.rows[feed] if row["decided_on"] <= of.this_round.reference_date]
    yield from absent(kind, feed, rows, "decided_on")


def sentences(of: Applicant) -> Iterator[Change]:
    """Sentences of whatever date absent."""
    yield from absent(
        "sentences_absent", "criminal_records", of.rows["criminal_records"], "sentenced_on"
    )


def findings(of: Applicant) -> Iterator[Change]:
    """Findings of false material against the applicant absent."""
    rows = [row for row in found(of) if row["person"] is not None]
    yield from absent("findings_absent", "sanctions", rows, "found_on")


def findings_on_employer(of: Applicant) -> Iterator[Change]:
    """Findings of false material against the employer that files absent."""
    firm = of.application["employer"]
    rows = [row for row in found(of) if row["employer"] == firm]
    yield from absent("employer_findings_absent", "sanctions", rows, "found_on")


def found(of: Applicant) -> list[Row]:
    """Findings up to the year of the round."""
    return [row for row in of.rows["sanctions"] if row["found_on"].year <= of.this_round.year]


def honour(of: Applicant) -> Iterator[Change]:
    """A title not revoked."""
    for row in of.rows["honours"]:
        if row["revoked_on"] is not None:
            kept = Edit("honours", row, {**row, "revoked_on": None})
            yield Change("honour_kept", 1, (kept,), {"title": row["title"]})


def permit(of: Applicant) -> Iterator[Change]:
    """A residence permit on the day it is asked for: one that lasts longer, or a new one."""
    day = of.this_round.permit_date
    earlier = [row for row in of.rows["residence_permits"] if row["valid_from"] <= day]
    if earlier:
        last = max(earlier, key=lambda row: row["valid_from"])
        edit = Edit("residence_permits", last, {**last, "valid_to": None})
    else:
        new = {"person": of.person, "valid_from": day, "valid_to": None}
        edit = Edit("residence_permits", None, new)
    if edit.before != edit.after:
        yield Change("residence_permit", 1, (edit,), {"permit_date": day})


def employer(of: Applicant) -> Iterator[Change]:
    """The employer that files registered in Beijing, registered for tax and paying it."""
    firm = of.application["employer"]
    now = next((row for row in of.rows["employers"] if row["employer"] == firm), None)
    wanted = ("registered_in_beijing", "tax_registered", "tax_paying")
    missing = [name for name in wanted if not (now or {}).get(name)]
    if missing:
        flags = dict.fromkeys(("high_tech", "tech_sme"), False) | dict.fromkeys(wanted, True)
        blank = {"employer": firm, "name": UNNAMED, "district": of.work_district, "employer_id": ""}
        after = {**blank, **flags, **(now or {}), **dict.fromkeys(wanted, True)}
        yield Change(
            "employer_qualified", 1, (Edit("employers", now, after),), {"missing": missing}
        )
