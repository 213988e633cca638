"""What comes of somebody's facts: points, conditions, receipt, the official lines and the gap to them.

The ledger is that of the annual run.  Setting its plans up costs far more than one person's rows, so
many people of one round are scored for little more than one.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.common.points import centipoints, in_points, in_text
from flows.common.rounds import official_lines
from flows.explain.receipts.applicants import Applicants
from flows.explain.receipts.compose import text_without_run
from flows.explain.receipts.material import material
from flows.explain.receipts.seal import sealed
from flows.public.facts import Facts
from flows.public.feeds import feeds_of
from flows.run.score import eligibility, scores
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS, types_of
from transforms.policy import Edition
from transforms.rounds import Round
from transforms.scorecard import Ledger, ledger


@dataclass(frozen=True)
class Scored:
    """Some people scored, with the tables a run makes; nobody among them is ranked."""

    this_round: Round
    edition: Edition
    feeds: dict[str, pl.DataFrame]
    people: pl.DataFrame
    ledger: Ledger

    def feed(self, name: str) -> pl.LazyFrame:
        """The rows of a feed as accepted."""
        return self.feeds[name].lazy()

    def had(self, feed: str) -> bool:
        """There is every feed, if an empty one."""
        return feed in FEEDS

    def table(self, name: str) -> pl.LazyFrame:
        """Scores or eligibility as a run makes it; of ranks, rejects and the round an empty table."""
        if name in RESULTS:
            return RESULTS[name](self.people, self.ledger).lazy()
        return pl.LazyFrame(schema=types_of(name))


RESULTS = {"scores": scores, "eligibility": eligibility}


def scored(people: Sequence[Facts]) -> Scored:
    """People of one round scored by its rules."""
    this_round, edition = people[0].this_round, people[0].edition
    if any(each.this_round != this_round or each.edition is not edition for each in people):
        raise ValueError("expected facts of one round, found several")
    feeds = feeds_of(people)
    lazy = {feed: rows.lazy() for feed, rows in feeds.items()}
    found = ledger(lazy, edition, this_round, engine="in-memory")
    filed = feeds["applications"].select("person", "application_no")
    year = pl.lit(this_round.year, pl.Int32).alias("round")
    return Scored(this_round, edition, feeds, filed.with_columns(year, needs_review=False), found)


def answer(facts: Facts) -> dict[str, Any]:
    """The answer to one person, ready for JSON."""
    return answers([facts])[0]


def answers(people: Sequence[Facts]) -> list[dict[str, Any]]:
    """The answers to people of one round."""
    if not people:
        return []
    found = scored(people)
    lines = official_lines(people[0].data)
    of_round = {"round": found.this_round.year, "edition": found.edition.name}
    given = []
    for facts, result, receipt in zip(people, results(found), receipts(found), strict=True):
        total = result.pop("centipoints")
        given.append(
            {
                **of_round,
                "assumed": facts.assumed,
                **result,
                "receipt": receipt,
                "lines": [{"year": year, "line": in_text(each)} for year, each in lines.items()],
                "gap": in_text(total - lines[max(lines)]) if lines else None,
            }
        )
    return given


def results(found: Scored) -> Iterator[dict[str, Any]]:
    """Conditions and points of each, as published; the total in centipoints too."""
    held = eligibility(found.people, found.ledger).select(*CONDITIONS, "eligible")
    points = scores(found.people, found.ledger)
    totals = points.select(centipoints("total")).to_series()
    texts = points.select(pl.col(*INDICATORS, "total").cast(pl.String))
    for row, values, total in zip(
        held.iter_rows(named=True), texts.iter_rows(named=True), totals, strict=True
    ):
        yield {
            "conditions": {name: row[name] for name in CONDITIONS},
            "eligible": row["eligible"],
            "indicators": {name: values[name] for name in INDICATORS},
            "total": values["total"],
            "centipoints": total,
        }


def receipts(found: Scored) -> Iterator[dict[str, Any]]:
    """The receipt of each, without anything of a run."""
    whose = found.people.select("person", "application_no", key="person")
    points = {
        name: rows.with_columns(points=in_points(pl.col("centipoints")))
        for name, rows in found.ledger.indicators.items()
    }
    known = material(Applicants(found, whose), (found.ledger.conditions, points))
    for texts in text_without_run(known):
        for text in texts:
            yield json.loads(sealed(text.encode()))
