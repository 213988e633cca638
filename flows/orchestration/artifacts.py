"""What Prefect's pages show of a finished run: its figures, its rejects and where the report lies.

Counts only, nothing about one person.  They are read from the run's own tables.
"""

import logging
from pathlib import Path

import polars as pl
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.common.by_name import read_table
from flows.common.vocabulary import FIGURES, figure
from flows.kept.tables import REJECTS, table
from flows.run.stages import Outcome

CHECK = ["feed", "column_name", "check_name"]


def show(outcome: Outcome) -> None:
    """Make the artifacts of a run; what is published stays so when Prefect does not take them."""
    try:
        create_markdown_artifact(figures(outcome), f"round-{outcome.round}", "Figures of the round")
        create_table_artifact(
            rejects(outcome),
            f"rejects-{outcome.round}",
            "Rows quarantined, by feed, column and check",
        )
        report = Path(outcome.directory).absolute() / "report.html"
        create_link_artifact(
            report.as_uri(), str(report), f"report-{outcome.round}", "The page of the run"
        )
    except Exception as error:  # noqa: BLE001  (Prefect's database is a view, not a record)
        logging.getLogger("prefect.flow_runs").warning(
            "published; the figures could not be shown here (%s)", type(error).__name__
        )


def figures(outcome: Outcome) -> str:
    """The figures of the round as a table in Markdown."""
    found = read_table(Path(outcome.directory) / "rounds.parquet").row(0, named=True)
    rows = {words: found[name] for name, words in FIGURES.items()} | {
        "report": f"`{Path(outcome.directory).absolute() / 'report.html'}`",
        "database": f"`{Path(outcome.database).absolute()}`",
    }
    return "\n".join(
        [
            f"# Round {outcome.round}, run {outcome.run_id}",
            "",
            "| | |",
            "| --- | --- |",
            *(f"| {words} | {figure(value)} |" for words, value in rows.items()),
        ]
    )


def rejects(outcome: Outcome) -> list[dict[str, object]]:
    """Failed checks, counted; a line that says so where there are none."""
    found = table(Path(outcome.directory), REJECTS).group_by(CHECK).agg(rows=pl.len())
    counted = found.sort(CHECK).collect().to_dicts()
    return counted or [{**dict.fromkeys(CHECK, "none"), "rows": 0}]
