"""Records that cost points or the right to apply, absent; and those that give it, there.

A row taken out is one unit.  The latest goes first: the earlier ones may be too old to count.
"""

from collections.abc import Callable, Iterator

from flows.explain.what_if.applicant import Applicant
from flows.explain.what_if.change import Change, Edit, Row, growing

UNNAMED = "（未登记单位）"  # an employer in no register has no name there


def absent(
    kind: str, feed: str, dated: str, counts: Callable[[Applicant, Row], bool]
) -> Callable[[Applicant], Iterator[Change]]:
    """The latest of the rows that count absent, the latest two, and so on."""

    def proposed(of: Applicant) -> Iterator[Change]:
        rows = [row for row in of.rows[feed] if counts(of, row)]
        latest_first = sorted(rows, key=lambda row: row[dated], reverse=True)
        yield from growing(kind, [Edit(feed, row, None) for row in latest_first])

    return proposed


def in_time(of: Applicant, row: Row) -> bool:
    """Whether something was decided by the reference date."""
    return bool(row["decided_on"] <= of.this_round.reference_date)


def found_by(of: Applicant, row: Row) -> bool:
    """Whether false material was found up to the year of the round."""
    return bool(row["found_on"].year <= of.this_round.year)


violations = absent("violations_absent", "tax_violations", "decided_on", in_time)
detentions = absent("detentions_absent", "detentions", "decided_on", in_time)
# of whatever date
sentences = absent("sentences_absent", "criminal_records", "sentenced_on", lambda _, __: True)
# against the applicant, and against the employer that files
findings = absent(
    *("findings_absent", "sanctions", "found_on"),
    lambda of, row: found_by(of, row) and row["person"] is not None,
)
findings_on_employer = absent(
    *("employer_findings_absent", "sanctions", "found_on"),
    lambda of, row: found_by(of, row) and row["employer"] == of.application["employer"],
)


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
