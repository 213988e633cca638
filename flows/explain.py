"""Why an applicant has their points: indicators, the counts behind them, the law, the line.

Everything shown comes from the published database; nothing is worked out again.
"""

import json
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from flows.failures import NotFound
from flows.publish import open_read_only

Found = dict[str, Any]


def explanation(warehouse: Path, year: int, application_no: str) -> Found:
    """All that is published about one application; raises NotFound that says what there is."""
    with open_read_only(warehouse) as database:
        rounds = rows(database, "SELECT * FROM rounds ORDER BY round")
        found = [each for each in rounds if each["round"] == year]
        if not found:
            known = ", ".join(str(each["round"]) for each in rounds) or "none"
            raise NotFound(f"the warehouse holds no round {year}; rounds: {known}")
        of = [year, application_no]
        scores = rows(database, "SELECT * FROM scores WHERE round = ? AND application_no = ?", of)
        if not scores:
            raise NotFound(why_not_found(database, year, application_no))
        return {
            "round": year,
            "application_no": application_no,
            "edition": found[0]["edition"],
            "run_id": found[0]["run_id"],
            "reference_date": str(found[0]["reference_date"]),
            "total": str(scores[0]["total"]),
            "needs_review": scores[0]["needs_review"],
            "conditions": {
                each["name"]: said(each, "holds") for each in rows(database, CONDITIONS, of)
            },
            "indicators": {
                each["name"]: said(each, "points") for each in rows(database, INDICATORS, of)
            },
            "standing": standing(database, found[0], application_no, scores[0]["total"]),
            "rejects": rows(database, REJECTS, of),
        }


CONDITIONS = """
    SELECT e.condition AS name, e.holds, e.evidence, c.title, c.title_zh, c.clause, c.cites
    FROM condition_evidence e JOIN clauses c ON c.round = e.round AND c.name = e.condition
        AND c.kind = 'condition'
    WHERE e.round = ? AND e.application_no = ?
"""
INDICATORS = """
    SELECT e.indicator AS name, e.points, e.evidence, c.title, c.title_zh, c.clause, c.cites
    FROM evidence e JOIN clauses c ON c.round = e.round AND c.name = e.indicator
        AND c.kind = 'indicator'
    WHERE e.round = ? AND e.application_no = ?
"""
REJECTS = """
    SELECT feed, file, "row", "column", "check", masked_value FROM rejects
    WHERE round = ? AND application_no = ? ORDER BY ALL
"""


def rows(
    database: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None
) -> list[Found]:
    """The rows of a query as dictionaries."""
    result = database.execute(query, values or [])
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def said(row: Found, result: str) -> Found:
    """One rule's result, the counts behind it and the clause it rests on."""
    value = row[result]
    return {
        result: value if isinstance(value, bool) else str(value),
        "evidence": json.loads(row["evidence"]),
        "title": row["title"],
        "title_zh": row["title_zh"],
        "clause": row["clause"],
        "values": json.loads(row["cites"]),
    }


def standing(
    database: duckdb.DuckDBPyConnection, found: Found, application_no: str, total: Any
) -> Found:
    """Where the application stands against the line; above_line is null where there is no line."""
    ranked = rows(
        database,
        "SELECT rank, settled, serial FROM ranking WHERE round = ? AND application_no = ?",
        [found["round"], application_no],
    )
    line = found["cutoff"]
    return {
        "eligible": bool(ranked),
        "ranked": found["eligible"],
        "rank": ranked[0]["rank"] if ranked else None,
        "settled": ranked[0]["settled"] if ranked else False,
        "serial": ranked[0]["serial"] if ranked else None,
        "line": None if line is None else str(line),
        "above_line": None if line is None else str(total - line),
    }


def why_not_found(database: duckdb.DuckDBPyConnection, year: int, application_no: str) -> str:
    """Say whether the application was quarantined or is not there at all."""
    rejected = rows(
        database,
        REJECTS,
        [year, application_no],
    )
    if not rejected:
        return f"round {year} has no application {application_no}"
    told = "; ".join(
        f"{each['file']} row {each['row']}: column {each['column']}: expected {each['check']}"
        for each in rejected
    )
    return f"application {application_no} was quarantined and is not scored: {told}"


def show(found: Found) -> None:
    """Print an explanation for a person."""
    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    console.print(
        f"Application {found['application_no']}, round {found['round']}"
        f" (edition {found['edition']}, run {found['run_id']},"
        f" facts up to {found['reference_date']})",
        style="bold",
    )
    conditions = Table("condition", "holds", "because", title="Conditions (申请条件)")
    for each in found["conditions"].values():
        conditions.add_row(
            f"{each['title']}\n{each['title_zh']}",
            "yes" if each["holds"] else "[bold]NO[/]",
            because(each),
        )
    indicators = Table("indicator", "points", "because", title="Indicators (积分指标)")
    indicators.columns[1].justify = "right"
    for each in found["indicators"].values():
        indicators.add_row(f"{each['title']}\n{each['title_zh']}", each["points"], because(each))
    indicators.add_section()
    indicators.add_row("total\n总积分", f"[bold]{found['total']}[/]", "plain sum of the ten")
    console.print(conditions, indicators)
    console.print(where(found["standing"]))
    for each in found["rejects"]:
        console.print(
            f"needs review: {each['feed']}/{each['file']} row {each['row']}:"
            f" column {each['column']}: expected {each['check']}; the row was left out"
        )
    if found["needs_review"] and not found["rejects"]:
        console.print("needs review: a row about the employer or firm was left out")


def because(each: Found) -> str:
    """The counts and dates of a rule, then its clause."""
    facts = ", ".join(
        f"{name.replace('_', ' ')} {shown(value)}"
        for name, value in each["evidence"].items()
        if value is not None
    )
    return f"{facts or 'nothing on record'}\n[dim]{each['clause']}[/]"


def shown(value: Any) -> str:
    """A value of the evidence as text."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"


def where(standing: Found) -> str:
    """One sentence on where the application stands."""
    if not standing["eligible"]:
        return "Not eligible: a condition does not hold, so the application is not ranked."
    if standing["line"] is None:
        return f"Rank {standing['rank']:,} of {standing['ranked']:,}; the round has no line."
    side = standing["above_line"]
    distance = f"{side} above" if not side.startswith("-") else f"{side[1:]} below"
    settled = f"settled, serial {standing['serial']}" if standing["settled"] else "not settled"
    return (
        f"Rank {standing['rank']:,} of {standing['ranked']:,} eligible: {settled};"
        f" the line is {standing['line']}, {distance} it."
    )
