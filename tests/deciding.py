"""A small round with a line to cross, delivered, run and contested: for tests, in a rehearsal.

The year is 2021, whose phases are all known: filing and summary until 3 June, query from 4 to 11 June,
re-check until 11 July, publication until 19 July, then registration.
"""

import random
import shutil
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
from commands import edited
from delivering import bring, rows_file, tables_later

from flows.common.moments import moment
from flows.common.settings import DATA, Order
from flows.ledger.entries import LEDGER
from flows.ledger.file import read
from flows.ledger.state import State
from flows.process.appeals.deciding import decide, decision_of
from flows.process.appeals.filing import Claim, file_appeals
from flows.process.deliveries.known import known
from flows.process.deliveries.run import run_on_known
from flows.process.publication.publish import publish
from flows.process.tables import rebuilt
from flows.process.turn import Asked, Turn
from flows.run import stages
from flows.simulate import simulate
from schemas.feeds import FEEDS

YEAR = 2021
QUOTA = 30
HONOUR = {"title": "model_worker_national", "awarded_on": date(2015, 5, 1)}


class ARound(NamedTuple):
    """A warehouse, the data folder it is used with, and the feeds it came from."""

    warehouse: Path
    data: Path
    feeds: Path

    def asked(self, operation: str, at: str, **more: Any) -> Asked:
        given = {"by": "李明", "at": moment(at), **more}
        return Asked(operation, YEAR, warehouse=self.warehouse, data=self.data, **given)

    def options(self, at: str | None = None) -> list[object]:
        found: list[object] = ["--warehouse", self.warehouse, "--data", self.data]
        return [*found, "--at", at] if at else found

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Of the database, once its tables are up to the ledger, if there is one."""
        if (self.warehouse / LEDGER).exists():
            rebuilt(self.warehouse, self.data)
        with duckdb.connect(str(self.warehouse / "luohu.duckdb"), read_only=True) as database:
            return database.execute(query).pl().rows(named=True)

    def copy(self, folder: Path) -> "ARound":
        return self._replace(warehouse=Path(shutil.copytree(self.warehouse, folder / "w")))

    # --- the operations, as short as can be ---

    def claim(self, number: str, subject: str, at: str, by: str = "李明", **more: Any) -> str:
        done = file_appeals(
            self.asked("appeal file", at, by=by, **more), [Claim(number, subject, "有误")]
        )
        return str(done.recorded[0].body["id"])

    def decide(self, appeal: str, result: str, at: str, *deliveries: str, **more: Any) -> Turn:
        asked = self.asked("appeal decide", at, **{"by": "王芳", "and_by": "张伟", **more})
        return decide(asked, decision_of(appeal, result, "已核", deliveries))

    def correct(
        self,
        feed: str,
        rows: list[dict[str, Any]],
        at: str,
        *,
        withdrawn: list[str] | None = None,
        by: str = "赵六",
        scope: str = "people",
    ) -> str:
        """Deliver a correction; its id."""
        folder = self.warehouse.parent / f"corrections-{len(list(self.warehouse.parent.iterdir()))}"
        paths = [rows_file(folder / "rows.csv", feed, rows)] if rows else []
        beside = None
        if withdrawn:
            beside = folder / "withdrawn.csv"
            folder.mkdir(exist_ok=True)
            beside.write_text("\n".join(["subject", *withdrawn]) + "\n")
        done = bring(
            *(self.warehouse, feed, paths, scope, at), withdrawn=beside, delivered_at=at, by=by
        )
        return str(done.entry.body["id"])

    def run(self, at: str, *, allow_missing: bool = False, **more: Any) -> str:
        given = {"recheck": False, **more}  # a second, where nobody publishes it
        order = Order(YEAR, self.feeds, self.warehouse, self.data, **given)
        asked = self.asked("run", at, by=None)
        return run_on_known(asked, order, allow_missing=allow_missing).outcome.run_id

    def publish(self, at: str = "2021-07-12", name: str | None = None, **more: Any) -> Turn:
        return publish(self.asked("publish", at, **{"by": "王芳", "and_by": "张伟", **more}), name)

    # --- what the round is ---

    def part(self, feed: str) -> Path:
        """The one file of a feed."""
        (path,) = (self.feeds / feed).glob("*.parquet")
        return path

    def feeds_alone(self) -> Path:
        """The feeds without the notes that lie beside them."""
        alone = self.warehouse.parent / "alone"
        for feed in FEEDS:
            (alone / feed).mkdir(parents=True)
            shutil.copy(self.part(feed), alone / feed)
        return alone

    def people(self) -> dict[str, str]:
        """Application number -> ID number."""
        path = self.part("applications")
        return dict(pl.read_parquet(path).select("application_no", "person_id").rows())

    def employers(self) -> dict[str, str]:
        """Application number -> credit code."""
        path = self.part("applications")
        return dict(pl.read_parquet(path).select("application_no", "employer_id").rows())

    def row_of_employer(self, code: str) -> dict[str, Any]:
        path = self.part("employers")
        (row,) = pl.read_parquet(path).filter(employer_id=code).rows(named=True)
        return {
            name: str(each).lower() if isinstance(each, bool) else each
            for name, each in row.items()
        }

    def ranking(self) -> list[dict[str, Any]]:
        return self.rows("FROM ranking ORDER BY rank, application_no")


def simulated(folder: Path, applicants: int = 120, seed: int = 5) -> ARound:
    """Feeds and a data folder with a small quota; nothing in the warehouse yet."""
    data = folder / "data"
    folder.mkdir(exist_ok=True)
    shutil.copytree(DATA, data)
    edited(data / "rounds" / f"{YEAR}.toml", "\nquota = 6000\n", f"\nquota = {QUOTA}\n")
    simulate(YEAR, folder / "feeds", applicants=applicants, seed=seed, dirty=0.0, data=data)
    found = ARound(folder / "w", data, folder / "feeds")
    crowd(found, seed)
    return found


def crowd(found: ARound, seed: int, people: int = 14, copies: int = 3) -> None:
    """Let some applicants have doubles, who are somebody else with the same records: lines get crowded."""
    chosen = random.Random(seed).sample(sorted(found.people().values()), people)
    doubles = {
        (person, number): other_id(person, number) for person in chosen for number in range(copies)
    }
    for feed in FEEDS:
        path = found.part(feed)
        rows = pl.read_parquet(path)
        column = "subject_id" if feed == "sanctions" else "person_id"
        if column not in rows.columns:
            continue
        more = [rows]
        for (person, number), other in doubles.items():
            own = rows.filter(pl.col(column) == person).with_columns(
                pl.lit(other).alias(column).cast(rows.schema[column])
            )
            if feed == "applications":
                own = own.with_columns(application_no=pl.col("application_no") + f"-{number}")
            more.append(own)
        pl.concat(more).write_parquet(path)


def other_id(person: str, number: int) -> str:
    """Another ID number of somebody born on the same day."""
    first = f"{person[:14]}{900 + number + 10 * (int(person[14:17]) % 9):03}"
    check = "10X98765432"[sum(int(d) * 2 ** (17 - place) for place, d in enumerate(first)) % 11]
    return first + check


def from_feeds(folder: Path) -> ARound:
    """A round run with --feeds; nothing is in its ledger."""
    found = simulated(folder)
    stages.run(Order(YEAR, found.feeds, found.warehouse, found.data))
    return found


def from_deliveries(folder: Path, seed: int = 5) -> ARound:
    """A round whose feeds were all delivered, and run once the summary had ended."""
    found = simulated(folder, seed=seed)
    with tables_later():
        for feed in FEEDS:
            part = [found.part(feed)]
            bring(found.warehouse, feed, part, at="2021-05-10", delivered_at="2021-05-09")
    found.run("2021-06-04T09:00")
    return found


# --- everybody scored again, and the line drawn in plain Python ---


class Result(NamedTuple):
    totals: dict[str, int]
    eligible: set[str]

    @property
    def line(self) -> tuple[int | None, int, int]:
        """Line, tied, settled."""
        ordered = sorted((self.totals[each] for each in self.eligible), reverse=True)
        if not ordered:
            return None, 0, 0
        line = ordered[min(QUOTA, len(ordered)) - 1]
        return line, ordered.count(line), sum(each >= line for each in ordered)

    def rank(self, number: str) -> int | None:
        if number not in self.eligible:
            return None
        return 1 + sum(self.totals[each] > self.totals[number] for each in self.eligible)


def scored(found: ARound, folder: Path, left_out: Collection[str] = ()) -> Result:
    """What the deliveries of a round come to, without some of them: all of it worked out again."""
    state = read(found.warehouse)
    kept = [each for each in state.entries if each.body.get("id") not in left_out]
    folder.mkdir(parents=True)
    fed = known(State(tuple(kept)), found.warehouse, YEAR, folder)
    order = Order(YEAR, fed.feeds, found.warehouse, found.data, known=fed.beside)
    work = folder / "run"
    work.mkdir()
    stages.ingest_stage(order, work)
    stages.score_stage(order, work)
    return result_in(work)


def result_of(found: ARound) -> Result:
    """What the current run came to."""
    (row,) = found.rows(f"SELECT run_id FROM rounds WHERE round = {YEAR}")
    return result_in(found.warehouse / "runs" / f"{YEAR}" / row["run_id"])


def result_in(folder: Path) -> Result:
    scores = pl.read_parquet(folder / "scores.parquet").select("application_no", "total")
    eligible = pl.read_parquet(folder / "eligibility.parquet").filter("eligible")
    return Result(
        {number: int(total * 100) for number, total in scores.rows()},
        set(eligible["application_no"]),
    )
