"""What Prefect's pages show: a run's figures, its rejects, where its report lies; where a round stands.

Counts only, nothing about one person.  Those of a run are read from its own tables.
"""

import logging
from pathlib import Path

import polars as pl
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.common.by_name import read_table
from flows.common.vocabulary import FIGURES, figure
from flows.kept.tables import REJECTS, table
from flows.process.calendar.status import Status, phase_of
from flows.run.stages import Outcome
from transforms.phases import shown

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


def show_status(found: Status) -> None:
    """Make the artifact that says where a round stands."""
    try:
        create_markdown_artifact(
            standing(found), f"status-{found.round}", "Where the round stands: due, late, missing"
        )
    except Exception as error:  # noqa: BLE001  (Prefect's database is a view, not a record)
        logging.getLogger("prefect.flow_runs").warning(
            "where round %s stands could not be shown here (%s)", found.round, type(error).__name__
        )


def standing(found: Status) -> str:
    """Where a round stands as a list in Markdown; how many, and nobody by a number."""
    late_ones = {each.name for each in found.late}
    rows = [
        ("phase", phase_of(found)),
        *(("due", f"{each.rule.title} ({each.phase})") for each in found.due),
        *(("**late**", f"{each.brief}, since {shown(each.since)}") for each in found.late),
        *(("missing", each.brief) for each in found.missing if each.expected.name not in late_ones),
        *([("next", f"{shown(found.next[0])}: {found.next[1]}")] if found.next else []),
    ]
    return "\n".join(
        [f"# Round {found.round} at {shown(found.at)}", "", *(f"- {a}: {b}" for a, b in rows)]
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
