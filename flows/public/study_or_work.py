"""Study compared with work (就业与就学积分比较): each credential claimed, and none claimed.

Claiming a credential earns its points and takes back what the months of study before it earned.  Each
choice is scored by the rules as a person of its own.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from flows.common.points import in_text
from flows.explain.what_if.plain_dates import first_day
from flows.public.answer import receipts, results, scored
from flows.public.facts import Facts
from flows.public.written_rows import Row
from transforms.indicators.residence import DEFAULT
from transforms.months import number_of

MOST_COMPARED = 20  # each is scored as a person of its own
GAINED, DEDUCTED = "education", "education_deduction"


def study_or_work(facts: Facts) -> dict[str, Any]:
    """Points with and without claiming education, for all credentials together and one by one.

    claimed: all that were given, as the rules take the best.  credentials: in the order they were
    given, each as if it were the only one, with its window month by month where there is one; the
    first twenty.  not_compared: how many more there are.
    """
    all_rows = facts.rows["education"]
    rows = all_rows[:MOST_COMPARED]
    choices = [claiming(facts, [], claims=False), claiming(facts, all_rows)]
    choices += [claiming(facts, [row]) for row in rows]
    found = scored(choices)
    waived, together, *single = zip(results(found), receipts(found), strict=True)
    without = waived[0]["centipoints"]
    return {
        "without": in_text(without),
        "claimed": compared(*together, without),
        "credentials": [
            {**for_machines(row), **compared(*each, without), "months": list(window(each[1]))}
            for row, each in zip(rows, single, strict=True)
        ],
        "not_compared": len(all_rows) - len(rows),
    }


def claiming(facts: Facts, credentials: list[Row], *, claims: bool = True) -> Facts:
    """The same person with some credentials, claimed or not."""
    filed = {**facts.application, "claims_education": claims}
    return replace(facts, rows={**facts.rows, "applications": [filed], "education": credentials})


def compared(result: dict[str, Any], receipt: dict[str, Any], without: int) -> dict[str, Any]:
    """What claiming gains and takes back, and which choice is better by how much."""
    gained, deducted = (receipt["indicators"][each]["centipoints"] for each in (GAINED, DEDUCTED))
    by = result["centipoints"] - without
    return {
        "with": result["total"],
        "gained": in_text(gained),
        "deducted": in_text(deducted),
        "better": "study" if by > 0 else "work" if by < 0 else "equal",
        "by": in_text(abs(by)),
    }


def for_machines(row: Row) -> Row:
    """A credential as it came, days as text."""
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()
    }


def window(receipt: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Month by month of the time of study: is it a counted month of employment, what home it has.

    Nothing where the credential earns nothing: then nothing is taken back either.
    """
    of_study = receipt["indicators"][DEDUCTED]["evidence"]
    if not of_study:
        return
    first, last = (
        number_of(date.fromisoformat(of_study[name])) for name in ("study_from", "graduated_on")
    )
    jobs = by_month(receipt["facts"]["insurance"])
    homes = by_month(receipt["indicators"]["residence"]["months"])
    for number in range(first, last + 1):
        job, home = jobs.get(number, {}), homes.get(number, {})
        employed = bool(job.get("counted"))
        by_default = DEFAULT if employed and home.get("why") == "counts_by_employment" else None
        yield {
            "month": f"{first_day(number):%Y-%m}",
            "employment": employed,
            "home": home.get("home"),
            "residence": home.get("counts_as") or by_default,
        }


def by_month(spans: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Spans of months, month by month."""
    found = {}
    for span in spans:
        first = number_of(date.fromisoformat(f"{span['from']}-01"))
        found.update(dict.fromkeys(range(first, first + span["months"]), span))
    return found
