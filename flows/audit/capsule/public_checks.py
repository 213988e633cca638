"""What a public capsule can show by itself, without one row about anybody who did not settle.

The list is held against the arithmetic of the ranking and against what policy, round and manifest
say.  Anyone who edits the list has to keep sums, order, line and counts together.  Only a full
capsule shows that nobody who should stand on it is missing, and that the points are those the records
give.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pandera.errors
import polars as pl

from flows.audit.capsule.public import Published, read
from flows.audit.differences import compare
from flows.common.failures import Failure
from flows.common.messages import message_without_values
from flows.common.points import centipoints, in_text
from flows.kept.integrity import is_other_code
from flows.kept.past_run import PastRun
from flows.run.score import SEGMENTS, clauses
from schemas.results import INDICATORS, columns_of
from transforms.facts import Facts
from transforms.policy import PolicyError
from transforms.ranking import SERIALS_A_YEAR
from transforms.scorecard import indicator

UNREADABLE = (
    *(pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError),
    *(pandera.errors.SchemaError, pandera.errors.SchemaErrors),
)


class Check(NamedTuple):
    """Something that has to be so, and where it is not."""

    what: str
    failures: list[str]

    @property
    def holds(self) -> bool:
        """Whether it is so everywhere."""
        return not self.failures


def checks(past: PastRun, receipts: dict[str, Any]) -> Iterator[Check]:
    """Every check, in the order a reader would make them."""
    what = "tables of the shape a run publishes, round and policy complete"
    try:
        found = read(past)
    except UNREADABLE as error:  # its words may quote a value
        yield Check(what, [f"cannot be read: {type(error).__name__}"])
        return
    except (Failure, PolicyError) as failure:
        yield Check(what, [str(failure)])
        return
    yield Check(what, [])
    for words, check in CHECKS.items():
        try:
            with message_without_values("check"):
                yield Check(words, list(check(found)))
        except (Failure, PolicyError) as failure:
            yield Check(words, [str(failure)])
    number = unequal(receipts, receipts=found.rows["scores"])
    yield Check("the receipts root is over one receipt an application", list(number))


def policy(found: Published) -> Iterator[str]:
    """Clauses and the round's own columns are those of the pinned files."""
    again = clauses(found.edition, found.this_round.year).select(columns_of("clauses"))
    grown = is_other_code(found.past.manifest)
    if not found.clauses.equals(again) and (
        not grown or compare("clauses", found.clauses, again, grown=True).differences
    ):
        yield "clauses: other rows than the pinned policy gives"
    yield from unequal(
        found.rounds,
        round=found.this_round.year,
        edition=found.edition.name,
        policy_date=found.this_round.policy_date,
        reference_date=found.this_round.reference_date,
        quota=found.this_round.quota,
        run_id=found.past.run_id,
        rechecked=found.rechecked,
    )


def counts(found: Published) -> Iterator[str]:
    """Rows delivered, accepted, scored, judged and ranked fit together."""
    if not found.feeds.equals(found.delivered):
        yield "feeds: other rows than the manifest gives"
    accepted = dict(found.delivered.select("feed", "accepted").iter_rows())
    people = accepted["applications"]
    expected = {
        **{f"accepted/{feed}": number for feed, number in accepted.items()},
        "scores": people,
        "eligibility": people,
        "evidence": people * len(found.edition.indicators),
        "condition_evidence": people * len(found.edition.conditions),
        "ranking": found.rounds["eligible"],
    }
    yield from unequal(found.rows, **expected)
    yield from unequal(found.rounds, applications=people)


def sums(found: Published) -> Iterator[str]:
    """Each total is the plain sum of its ten."""
    wrong = pl.col("total") != pl.sum_horizontal(INDICATORS)
    yield from rows_where(found.listed, wrong, "the ten do not add up to the total")


def ages(found: Published) -> Iterator[str]:
    """Points for age follow from the month of birth: the rule looks at the year alone."""
    born = found.listed.lazy().select(
        person=pl.int_range(pl.len()),
        birth_date=pl.format("{}-01", "birth_month").str.to_date(strict=False),
    )
    none = pl.LazyFrame()
    facts = Facts({"applications": born}, insurance=none, counted=none, careers=none)
    points = indicator(facts, found.edition.indicators["age"], found.this_round).collect()[
        "centipoints"
    ]
    given = found.listed.with_columns(by_rule=points)
    wrong = pl.col("age").ne_missing(pl.col("by_rule"))
    yield from rows_where(given, wrong, "other points for age than the pinned rule gives")


def order(found: Published) -> Iterator[str]:
    """Totals descend, serials count up from one, every row is of the round."""
    serial = found.this_round.year * SERIALS_A_YEAR + 1 + pl.int_range(pl.len())
    listed = found.listed
    yield from rows_where(listed, pl.col("total") > pl.col("total").shift(), "above the row before")
    yield from rows_where(listed, pl.col("serial") != serial, "the serial is not its place")
    yield from rows_where(listed, pl.col("round") != found.this_round.year, "of another round")


def line(found: Published) -> Iterator[str]:
    """The line is the total at the place of the quota, the lowest of the list, and ties are counted."""
    totals, eligible = found.listed["total"], found.rows["ranking"]
    places = min(found.this_round.quota, eligible)
    if totals.len() < places:
        yield f"expected at least {places:,} settled, found {totals.len():,}"
        return
    at = totals[places - 1] if places else None
    lowest = totals.min() if totals.len() else None
    if lowest != at:
        yield f"expected everyone at or above {points(at)}, the total at place {places:,}, found lower"
    shown = None if found.rounds["cutoff"] is None else int(found.rounds["cutoff"] * 100)
    if shown != at:
        yield f"rounds: cutoff: expected {points(at)}, found {points(shown)}"
    tied = 0 if at is None else (totals == at).sum()
    yield from unequal(found.rounds, settled=totals.len(), tied_at_cutoff=tied)
    if totals.len() and int((found.rounds["highest"] or 0) * 100) != totals.max():
        yield "rounds: highest: expected the first total of the list, found another"


def segments(found: Published) -> Iterator[str]:
    """Totals at the thousandth places are those of the list; below it they are below the line."""
    totals, eligible = found.listed["total"], found.rows["ranking"]
    places = [place for place in SEGMENTS if place <= eligible]
    if found.segments["place"].to_list() != places:
        yield f"expected places {places}, found {found.segments['place'].to_list()}"
        return
    shown = found.segments.select(centipoints("total")).to_series().to_list()
    for place, total in zip(places, shown, strict=True):
        if place <= totals.len() and total != totals[place - 1]:
            yield f"place {place}: expected {points(totals[place - 1])}, found {points(total)}"
        if place > totals.len() > 0 and total >= totals[-1]:
            yield f"place {place}: expected less than the line, found {points(total)}"
    if shown != sorted(shown, reverse=True):
        yield "expected totals that descend, found others"


CHECKS: dict[str, Callable[[Published], Iterator[str]]] = {
    "edition, dates, quota and every clause follow from the pinned policy": policy,
    "rows delivered, accepted, scored, judged and ranked fit together": counts,
    "each total of the list is the plain sum of its ten indicators": sums,
    "points for age follow from the month of birth": ages,
    "the list descends, and serials are places": order,
    "the line is the total at the place of the quota, nobody listed is below it": line,
    "the scores at places 1,000 to 6,000 are those of the list": segments,
}


def unequal(row: dict[str, Any], **expected: Any) -> Iterator[str]:
    """The values of a row that are not as expected."""
    for name, value in expected.items():
        if row[name] != value:
            yield f"{name}: expected {value}, found {row[name]}"


def rows_where(listed: pl.DataFrame, wrong: pl.Expr, what: str) -> Iterator[str]:
    """How many rows of the list are wrong, and the first one's serial."""
    found = listed.filter(wrong)
    if found.height:
        yield f"public_list: {found.height:,} rows, first {found['serial'][0]}: {what}"


def points(value: int | None) -> str:
    """Centipoints as points for a message."""
    return "none" if value is None else in_text(value)
