"""What everything in the analysts' database means: comments, and the table `dictionary`.

What there is, is read from the database itself; what it means stands in `schemas/words.toml`.  Rules say
which keys their JSON has, of what type and unit; codes come from the lists that deliveries are held
against.  A key whose meaning nobody has written is listed without one: no run fails for lack of words.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import duckdb
import polars as pl

from flows.common.database import quoted
from flows.common.languages import Language
from flows.common.vocabulary import vocabulary
from schemas import database
from schemas.columns import CODES, INSURANCES
from schemas.feeds import FEEDS
from schemas.results import CONDITIONS, INDICATORS
from schemas.words import codes_of, of_column, of_key, of_table, words
from transforms import conditions, indicators
from transforms.editions import editions
from transforms.evidence import CODE, Evidence, Kind, declared_as, kind_of
from transforms.policy import ABOUT, CLAUSE_ZH, read_toml

DICTIONARY = ("table", "column", "rule", "key", "value", "type", "unit", "meaning", "source")
AS_TYPE: dict[pl.DataType, str] = {
    pl.Int64(): "BIGINT",
    pl.Int128(): "HUGEINT",
    pl.String(): "VARCHAR",
    pl.Date(): "DATE",
    pl.Boolean(): "BOOLEAN",
}
Row = dict[str, str | None]
Codes = dict[str, dict[str, str]]  # list -> code -> meaning


class Explained(NamedTuple):
    """A table of JSON: its column of rules, the rules of every edition, where their modules lie."""

    table: str
    by: str
    kind: str
    modules: Mapping[str, ModuleType]


EVIDENCE = (
    Explained("evidence", "indicator", "indicators", indicators.INDICATORS),
    Explained("condition_evidence", "condition", "conditions", conditions.CONDITIONS),
)
CLAUSES = "clauses"
# whatever a comment may stand on, as COMMENT ON has it, and the comment
COMMENTS = (
    "SELECT 'TABLE ' || table_name, comment FROM duckdb_tables() WHERE database_name = 'new'"
    " UNION ALL SELECT 'VIEW ' || view_name, comment FROM duckdb_views()"
    " WHERE database_name = 'new' AND NOT internal"
    """ UNION ALL SELECT 'COLUMN ' || table_name || '."' || column_name || '"', comment"""
    " FROM duckdb_columns() WHERE database_name = 'new' AND NOT internal"
)
FORMER = "Of a run made with an earlier version"


def describe(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    """Comment on everything in the database in use, and write its dictionary."""
    columns = ", ".join(f'"{name}" VARCHAR' for name in DICTIONARY)
    connection.execute(f"CREATE OR REPLACE TABLE dictionary ({columns})")
    entries = editions(data / "policy")
    rows = list(dictionary(connection, data, entries))
    connection.register(
        "dictionary_rows",
        pl.DataFrame(rows, schema=dict.fromkeys(DICTIONARY, pl.String)).to_arrow(),
    )
    connection.execute("INSERT INTO dictionary FROM dictionary_rows")
    there = dict(connection.execute(COMMENTS).fetchall())
    comments: dict[str, str | None] = {
        what: of_table(what.split()[1]) for what in there if not what.startswith("COLUMN")
    }
    for row in rows:
        if row["key"] is None and row["value"] is None:
            comment = f"{row['meaning']} [{row['unit']}]" if row["unit"] else row["meaning"]
            comments[f'COLUMN {row["table"]}."{row["column"]}"'] = comment
    for what, comment in comments.items():
        if there[what] != comment:  # a database that was copied has most of them
            connection.execute(f"COMMENT ON {what} IS '{quoted(comment)}'")


def dictionary(
    connection: duckdb.DuckDBPyConnection, data: Path, entries: list[dict[str, Any]]
) -> Iterator[Row]:
    """Every column with its type, every key of its JSON, and every coded value of either."""
    codes = lists(entries)
    of_json = {each.table: list(evidence_keys(connection, each, entries)) for each in EVIDENCE}
    of_json[CLAUSES] = list(cited(connection, data, entries))
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = 'new' AND NOT internal ORDER BY table_oid, column_index"
    ).fetchall():
        about = of_column(table, column, database.like(table))
        row = {"table": table, "column": column, "type": kind, **about}
        yield from coded(row, codes, f"{table}.{column}", column)
        if database.is_json(table, column):
            for key in of_json.get(table, ()):
                row = {"table": table, "column": column, **key}
                holds = key["unit"] == CODE.unit
                names = (f"{key['rule']}.{key['key']}", str(key["key"])) if holds else ()
                yield from coded(row, codes, *names)


def coded(row: dict[str, Any], codes: Codes, *names: str) -> Iterator[Row]:
    """A row of the dictionary, and one more for each code that the column or key holds."""
    whole: Row = {name: row.get(name) for name in DICTIONARY}
    yield whole
    for code, meaning in codes.get(codes_of(*names) or "", {}).items():
        yield whole | {"value": code, "meaning": meaning, "unit": ""}


def lists(entries: list[dict[str, Any]]) -> Codes:
    """Every list of codes, with what each code means."""
    called = vocabulary(Language.en)
    columns: dict[str, str] = {}
    for each in FEEDS.values():
        columns |= {name: called["column"].get(name, name) for name in each.schema().columns}
        for key in each.keys:  # rows that share it and differ are known by all its columns
            columns[", ".join(key)] = " and ".join(columns[name] for name in key)
    of_rules = {
        "condition": {name: of_column("eligibility", name)["meaning"] for name in CONDITIONS},
        "indicator": {name: of_column("scores", name)["meaning"] for name in INDICATORS},
    }
    return {
        **{
            name: {code: called["code"][code] for code in each if code in called["code"]}
            for name, each in {**CODES, "insurance": INSURANCES}.items()
        },
        **of_rules,
        "rule": of_rules["condition"] | of_rules["indicator"],
        "edition": {each["name"]: each["cite"] for each in entries},
        "feed": called["feed"],
        "column": columns,
        "check": words()["check"],
        **words()["value"],
    }


def evidence_keys(
    connection: duckdb.DuckDBPyConnection, of: Explained, entries: list[dict[str, Any]]
) -> Iterator[Row]:
    """The keys of evidence: those the rules declare, with those found where they declare a pattern."""
    # a rule's rows all have the same keys: one of each round shows them
    found = connection.execute(
        f"SELECT {of.by}, json_keys(any_value(evidence) FILTER (evidence <> '{{}}'))"
        f" FROM {of.table} GROUP BY round, {of.by} ORDER BY round, {of.by}"
    ).fetchall()
    listed = (name for each in reversed(entries) for name in each[of.kind])
    for rule in dict.fromkeys([*listed, *(by for by, _ in found)]):
        names = dict.fromkeys(each[of.kind].get(rule) for each in reversed(entries))
        modules = [of.modules[name] for name in names if name in of.modules]
        declared: Evidence = {
            key: kind for each in reversed(modules) for key, kind in each.EVIDENCE.items()
        }
        there = [key for by, keys in found if by == rule for key in keys or ()]
        patterns = {declared_as(declared, key) for key in there}
        keys = [*there, *(key for key in declared if key not in patterns)]
        source = ", ".join(f"{each.__name__.replace('.', '/')}.py" for each in modules)
        yield from (key_row(rule, key, declared, source) for key in sorted(dict.fromkeys(keys)))


def key_row(rule: str, key: str, declared: Evidence, source: str) -> Row:
    """A key of evidence; one that only an earlier version wrote is known by its name alone."""
    entry = declared_as(declared, key)
    kind: Kind | None = kind_of(declared, key) if entry in declared else None
    return {
        "rule": rule,
        "key": key,
        "type": AS_TYPE[kind.dtype] if kind else "JSON",
        "unit": kind.unit if kind else "",
        "meaning": of_key(rule, key, entry) or (None if kind else FORMER),
        "source": source,
    }


def cited(
    connection: duckdb.DuckDBPyConnection, data: Path, entries: list[dict[str, Any]]
) -> Iterator[Row]:
    """The values that clauses cite, as the policy files describe them, those of today first."""
    rules = dict.fromkeys(
        (column, name)
        for each in reversed(entries)
        for kind in ("conditions", "indicators")
        for column, name in each[kind].items()
    )
    found: dict[tuple[str, str], Row] = {}
    for column, name in rules:
        for key, described in read_toml(data / "policy" / f"{name}.toml").items():
            if key not in {*ABOUT, CLAUSE_ZH}:
                source = f"data/policy/{name}.toml"
                unit = described["unit"]
                shown = unit if isinstance(unit, str) else json.dumps(unit, ensure_ascii=False)
                row = {"rule": column, "key": key, "type": "JSON", "unit": shown, "source": source}
                found.setdefault((column, key), row | {"meaning": described["meaning"]})
    for column, key in connection.execute(
        f"SELECT DISTINCT name, unnest(json_keys(cites)) AS key FROM {CLAUSES} ORDER BY ALL"
    ).fetchall():
        row = {"rule": column, "key": key, "type": "JSON", "unit": "", "source": "pinned policy"}
        found.setdefault((column, key), row | {"meaning": FORMER})
    yield from found.values()
