"""The ranking a run published, and the same with somebody's outcome changed."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.common.points import centipoints
from flows.kept.tables import table
from transforms.ranking import ranking
from transforms.rounds import Round


@dataclass(frozen=True)
class Ranked:
    """Who was ranked with which total, and how many places there were."""

    rows: pl.DataFrame  # application_no, total (centipoints), settled
    quota: int
    year: int

    def settled(self, application_no: str) -> bool:
        """Whether an applicant settled."""
        mine = pl.col("application_no") == application_no
        return bool(self.rows.filter(mine, "settled").height)

    @property
    def line(self) -> int | None:
        """The total an applicant who did not settle had to reach; null while places were left."""
        if not 0 < self.quota <= self.rows.height:
            return None
        return int(self.rows.filter("settled")["total"].min())  # type: ignore[arg-type]

    def again(self, found: pl.DataFrame) -> pl.DataFrame:
        """The ranking if these applications (application_no, total, eligible) had come out so."""
        columns = ["application_no", "total"]
        others = self.rows.join(found, on="application_no", how="anti").select(columns)
        eligible = found.filter("eligible").select(columns)
        return ranking(pl.concat([others, eligible]), self.quota, self.year)


def published(run: Path, this_round: Round) -> Ranked:
    """The ranking of a run directory."""
    rows = table(run, "ranking").select("application_no", "total", "settled").collect()
    return Ranked(rows.with_columns(total=centipoints("total")), this_round.quota, this_round.year)
