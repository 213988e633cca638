"""The analysts' database: everything in it is explained, its views and queries say what is so, no copy has names."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import here

from flows.cli.summary import NEAR_THE_LINE
from flows.common.database import OFFLINE
from flows.common.settings import DATA, HOME, Order
from flows.kept.tables import feed
from flows.run.build_database import build
from flows.run.describe import FORMER
from flows.run.publish import publish
from flows.run.stages import Outcome, run
from schemas import database as layout
from schemas.process import PROCESS, RoundStates
from schemas.results import REGISTERS, TABLES, columns_of
from transforms.rounds import load_round, rounds

REASON = "因为王小明说可以"  # free text may hold a name
TYPED = {"DATE", "BIGINT", "HUGEINT", "BOOLEAN", "VARCHAR", "JSON"}
QUERIES = {
    "What came of each round": "round applications settled cutoff official_cutoff difference",
    "Who is at the top": "rank application_no total",
    "How crowded": "round from_distance applications",
    "What does each indicator": "round indicator settled others",
    "Which condition fails": "round condition failed alone",
    "How do applicants of each": (
        "round employer_district district applications settled mean_total"
    ),
    "How old": "round age_years eligible settled",
    "Why did the first": "serial indicator points evidence",
    "Insured months": "round full_years applications",
    "Which records": "round application_no distance settled rejected",
}
EVERYTHING = (
    "SELECT table_name FROM duckdb_tables() UNION ALL"
    " SELECT view_name FROM duckdb_views() WHERE NOT internal"
)


def place_of_a_reviewed(outcome: Outcome) -> int:
    """A place in the middle where somebody has a quarantined row: a line there is one to look at."""
    run = Path(outcome.directory)
    ranking = pl.read_parquet(run / "ranking.parquet")
    review = pl.read_parquet(run / "scores.parquet").filter("needs_review").select("application_no")
    places = ranking.join(review, on="application_no")["rank"]
    middle = ranking.height // 2
    return min(places, key=lambda place: abs(place - middle))


@pytest.fixture(scope="module")
def warehouse(
    delivery: Path, published: tuple[Path, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A round of the trial edition as an earlier version kept it, and one of today with a crowded line."""
    folder = tmp_path_factory.mktemp("tables")
    data = Path(shutil.copytree(DATA, folder / "data"))
    path, place = data / "rounds" / "2020.toml", place_of_a_reviewed(published[1])
    path.write_text(path.read_text("utf-8").replace("quota = 6000", f"quota = {place}"), "utf-8")
    target = folder / "w"
    shutil.copytree(HOME / "tests" / "kept" / "runs", target / "runs")
    (earlier,) = (target / "runs" / "2019").iterdir()
    publish(earlier, 2019, target)
    run(Order(2020, delivery, target, data, recheck=False, anyway=REASON))
    return target


@pytest.fixture(scope="module")
def outcome(warehouse: Path, database: duckdb.DuckDBPyConnection) -> Path:
    """The directory of the run of today."""
    ((run_id,),) = rows(database, "SELECT run_id FROM rounds WHERE round = 2020")
    return warehouse / "runs" / "2020" / str(run_id)


@pytest.fixture(scope="module")
def database(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database as an analyst opens it: for reading only, with nothing to be fetched."""
    path = str(warehouse / "luohu.duckdb")
    with duckdb.connect(path, read_only=True, config=OFFLINE) as opened:
        yield opened


@pytest.fixture(scope="module")
def exported(warehouse: Path) -> Path:
    out = warehouse.parent / "without.duckdb"
    done = here("export", "--without-names", "--out", out, "--warehouse", warehouse)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{out}\nrounds:     2019, 2020\nleft empty: public_list.serial")
    return out


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return database.execute(sql).fetchall()


def typed(database: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The type of every column of every table and view."""
    found = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    return {(table, column): kind for table, column, kind in rows(database, found)}


# --- everything is explained -------------------------------------------------------------------


def test_the_tables_and_views_are_there_in_their_order(database: duckdb.DuckDBPyConnection) -> None:
    there = {name for (name,) in rows(database, EVERYTHING)}
    views = {name for name, _ in layout.views()}
    assert there == {*TABLES, *REGISTERS, *views, "dictionary", "queries"}
    assert {"applicants", "lines", "near_line", "review_near_line"} == views
    listed = [name for table, name in typed(database) if table == "public_list"]
    assert listed[:3] == ["round", "serial", "name"]
    assert sorted(listed) == sorted(columns_of("public_list"))


@pytest.mark.parametrize("which", ["database", "exported"])
def test_nothing_lacks_a_comment(which: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(which)
    path = found if isinstance(found, Path) else None
    opened = duckdb.connect(str(path), read_only=True) if path else found
    for kind, name in (("tables", "table_name"), ("views", "view_name"), ("columns", "table_name")):
        column = "column_name" if kind == "columns" else "''"
        lacking = rows(
            opened,
            f"SELECT {name}, {column} FROM duckdb_{kind}()"
            " WHERE NOT internal AND coalesce(trim(comment), '') = ''",
        )
        assert lacking == []
    if path:
        opened.close()


def test_the_dictionary_has_every_column_with_its_type_and_itself(
    database: duckdb.DuckDBPyConnection,
) -> None:
    plain = rows(
        database,
        'SELECT "table", "column", type FROM dictionary WHERE key IS NULL AND value IS NULL',
    )
    assert {(table, column): kind for table, column, kind in plain} == typed(database)
    assert len(plain) == len(typed(database))
    assert ("dictionary", "meaning") in {each[:2] for each in plain}
    unsaid = "FROM dictionary WHERE meaning IS NULL OR trim(meaning) = '' OR source IS NULL"
    assert rows(database, unsaid) == []
    whole = rows(database, 'SELECT DISTINCT "table", "column", rule, key, value FROM dictionary')
    assert rows(database, "SELECT count(*) FROM dictionary") == [(len(whole),)]


@pytest.mark.parametrize(
    ("table", "column", "by"),
    [
        ("evidence", "evidence", "indicator"),
        ("condition_evidence", "evidence", "condition"),
        ("clauses", "cites", "name"),
    ],
)
def test_json_is_typed_and_the_dictionary_has_every_key_of_it(
    table: str, column: str, by: str, database: duckdb.DuckDBPyConnection
) -> None:
    assert typed(database)[table, column] == "JSON"
    there = rows(database, f"SELECT DISTINCT {by}, unnest(json_keys({column})) FROM {table}")
    told = rows(
        database,
        "SELECT rule, key, type, unit, meaning FROM dictionary"
        f" WHERE \"table\" = '{table}' AND key IS NOT NULL AND value IS NULL",
    )
    assert len(there) > 20
    assert set(there) <= {each[:2] for each in told}
    assert not [each for each in told if "*" in str(each[1])]
    assert all(each[2] in TYPED and each[4] for each in told)
    assert all(unit or meaning == FORMER for *_, unit, meaning in told)
    for rule, key, kind, *_ in told:  # what it says of the type is so
        odd = rows(
            database,
            f"WITH found AS (SELECT {column} ->> '{key}' AS value FROM {table} WHERE {by} = '{rule}')"
            " SELECT count(*) FROM found WHERE value IS NOT NULL"
            f" AND TRY_CAST(value AS {kind}) IS NULL",
        )
        assert odd == [(0,)], (rule, key)


def test_the_dictionary_has_every_coded_value(database: duckdb.DuckDBPyConnection) -> None:
    """Those of the columns and keys it gives codes for, and no text of few values that it gives none for."""
    of_column = 'SELECT DISTINCT "table", "column" FROM dictionary WHERE value IS NOT NULL'
    checked = set(rows(database, f"{of_column} AND key IS NULL"))
    assert {
        *{("evidence", "indicator"), ("condition_evidence", "condition"), ("rounds", "edition")},
        *{("rejects", "feed"), ("rejects", "check_name"), ("rejects", "column_name")},
        *{("feeds", "feed"), ("clauses", "kind"), ("clauses", "name")},
        *{("filings", "employer_district"), ("applicants", "employer_district")},
    } <= checked
    for table, column in checked:
        beijing = "AND starts_with({0}, '11')" if column == "employer_district" else ""
        unknown = rows(
            database,
            f'SELECT DISTINCT "{column}" FROM {table} WHERE "{column}" IS NOT NULL'
            f" {beijing.format(column)} EXCEPT SELECT value FROM dictionary"
            f" WHERE \"table\" = '{table}' AND \"column\" = '{column}' AND key IS NULL",
        )
        assert unknown == [], (table, column)
    keys = rows(
        database,
        "SELECT \"table\", rule, key FROM dictionary WHERE unit = 'code' AND key IS NOT NULL",
    )
    assert {"level", "insurance", "title", "award_scope", "position_kind"} < {
        each[2] for each in keys
    }
    for table, rule, key in keys:
        by = "indicator" if table == "evidence" else "condition"
        codes = f"SELECT value FROM dictionary WHERE rule = '{rule}' AND key = '{key}' AND value IS NOT NULL"
        assert rows(database, codes), (rule, key)
        unknown = rows(
            database,
            f"SELECT DISTINCT (evidence ->> '{key}') AS code FROM {table} WHERE {by} = '{rule}'"
            f" AND code IS NOT NULL EXCEPT {codes}",
        )
        assert unknown == [], (rule, key)


def test_the_codes_of_the_process_are_those_its_tables_and_its_rules_take(
    database: duckdb.DuckDBPyConnection,
) -> None:
    """Its tables are empty here: what they may hold stands in their models and in `process.toml`."""
    told: dict[tuple[str, str], set[str]] = {}
    for table, column, code in rows(
        database,
        'SELECT "table", "column", value FROM dictionary WHERE value IS NOT NULL AND key IS NULL',
    ):
        told.setdefault((str(table), str(column)), set()).add(str(code))
    for table, model in (PROCESS | {"rounds": RoundStates}).items():
        for name, column in model.to_schema().columns.items():
            for check in column.checks:
                if allowed := check.statistics.get("allowed_values"):
                    assert told[table, name] == set(allowed), (table, name)
    operations = tomllib.loads((DATA / "process.toml").read_text("utf-8"))["operations"]
    named = {each["name"] for each in operations}
    assert told["ledger", "operation"] == {"warehouse", *named}


def test_a_table_that_nobody_explained_is_told_at_once(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next table or view comes with its words."""
    more = [*layout.views(), ("newcomers", "SELECT round, 1 AS age_of_account FROM rounds")]
    monkeypatch.setattr("flows.run.build_database.views", lambda: iter(more))
    with pytest.raises(KeyError, match="age_of_account"):
        build(tmp_path / "new.duckdb", None, warehouse / "luohu.duckdb")


# --- the views ----------------------------------------------------------------------------------


def test_applicants_is_a_wide_row_an_application(
    database: duckdb.DuckDBPyConnection, outcome: Path
) -> None:
    wide = database.execute("FROM applicants WHERE round = 2020 ORDER BY application_no").pl()
    scores = pl.read_parquet(outcome / "scores.parquet")
    assert wide.select(scores.columns).equals(scores)
    held = pl.read_parquet(outcome / "eligibility.parquet")
    assert wide.select(held.columns).equals(held)
    ranking = pl.read_parquet(outcome / "ranking.parquet").sort("application_no")
    ranked = wide.filter(pl.col("rank").is_not_null())
    assert ranked.select(ranking.columns).equals(ranking)
    assert wide["settled"].sum() == ranking["settled"].sum()
    assert wide["settled"].null_count() == 0
    people = (
        feed(outcome, "applications")
        .join(feed(outcome, "employers").select("employer", "district"), on="employer", how="left")
        .sort("application_no")
        .collect()
    )
    assert wide["employer_district"].to_list() == [
        None if each is None else str(each) for each in people["district"]
    ]
    assert wide["employer_district"].n_unique() > 5
    assert wide["age_years"].to_list() == [2018 - each.year for each in people["birth_date"]]


def test_a_run_of_before_has_filings_too(database: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        database,
        "SELECT count(*), count(employer_district), count(age_years) FROM applicants WHERE round = 2019",
    )[0]
    assert found[0] > 0
    assert found[2] == found[0]
    assert found[1] > found[0] / 2


def test_a_database_of_an_earlier_version_is_taken_over(
    database: duckdb.DuckDBPyConnection, warehouse: Path, tmp_path: Path
) -> None:
    """One without views, without what no run keeps, with JSON as text and columns in another order."""
    shutil.copytree(warehouse / "runs", tmp_path / "runs")
    with duckdb.connect(str(tmp_path / "luohu.duckdb")) as earlier:
        earlier.execute(f"ATTACH '{warehouse}/luohu.duckdb' AS today (READ_ONLY)")
        for table in (*TABLES, "manifests"):
            columns = ", ".join(f'"{name}"' for name in columns_of(table))
            text = f"FROM (SELECT {columns} FROM today.{table})"
            if table in ("evidence", "condition_evidence"):
                text = f"SELECT * REPLACE (CAST(evidence AS VARCHAR) AS evidence) {text}"
            earlier.execute(f"CREATE TABLE {table} AS {text}")
    build(tmp_path / "new.duckdb", None, tmp_path / "luohu.duckdb")
    with duckdb.connect(str(tmp_path / "new.duckdb"), read_only=True) as new:
        assert typed(new) == typed(database)
        for name in (*TABLES, *REGISTERS, "applicants", "dictionary"):
            reasonless = "* EXCLUDE (anyway)" if name == "rounds" else "*"
            both = [
                rows(each, f"SELECT {reasonless} FROM {name} ORDER BY ALL")
                for each in (new, database)
            ]
            assert both[0] == both[1], name


def test_lines_are_ours_and_the_official_one_by_year(database: duckdb.DuckDBPyConnection) -> None:
    found = database.execute("FROM lines").pl()
    assert found["round"].to_list() == rounds(
        DATA / "rounds"
    )  # each of them has an official result
    for row in found.iter_rows(named=True):
        official = load_round(DATA / "rounds", row["round"]).published
        assert int(row["official_cutoff"] * 100) == official["cutoff_centipoints"]
        assert row["official_settled"] == official.get("settled")
        ours = rows(database, f"SELECT cutoff, settled FROM rounds WHERE round = {row['round']}")
        assert [(row["cutoff"], row["settled"])] == (ours or [(None, None)])
        if row["cutoff"] is not None:
            assert row["difference"] == row["cutoff"] - row["official_cutoff"]
    assert found["cutoff"].count() == 2


def test_near_line_is_who_is_near_it_on_either_side(
    database: duckdb.DuckDBPyConnection, outcome: Path
) -> None:
    ranking = pl.read_parquet(outcome / "ranking.parquet")
    line = pl.read_parquet(outcome / "rounds.parquet")["cutoff"].item()
    near = ranking.filter((pl.col("total") - line).abs() <= NEAR_THE_LINE)
    found = database.execute("FROM near_line WHERE round = 2020").pl()
    assert set(found["application_no"]) == set(near["application_no"])
    assert set(found["settled"]) == {True, False}
    assert (found["distance"] == found["total"] - line).all()
    assert (found["settled"] == (found["distance"] >= 0)).all()
    review = pl.read_parquet(outcome / "scores.parquet").filter("needs_review")["application_no"]
    told = database.execute("FROM review_near_line WHERE round = 2020").pl()
    assert set(told["application_no"]) == set(near["application_no"]) & set(review) != set()
    rejects = pl.read_parquet(outcome / "rejects.parquet")
    for row in told.iter_rows(named=True):
        of_it = rejects.filter(application_no=row["application_no"])
        assert row["rejected_checks"] == of_it.height
        named = {
            f"{each['feed']}.{each['column_name']}: {each['check_name']}"
            for each in of_it.to_dicts()
        }
        assert set(filter(None, (row["rejected"] or "").split("; "))) == named


def test_ten_worked_queries_run_as_they_stand(database: duckdb.DuckDBPyConnection) -> None:
    queries = rows(database, "SELECT title, sql FROM queries")
    assert len(queries) == len(QUERIES) == 10
    for (title, sql), (begins, columns) in zip(queries, QUERIES.items(), strict=True):
        assert str(title).startswith(begins)
        done = database.execute(str(sql))
        assert [each[0] for each in done.description or []] == columns.split(), title
        assert done.fetchall(), title


def test_public_list_leads_to_the_evidence_by_serial(database: duckdb.DuckDBPyConnection) -> None:
    joined = "FROM public_list JOIN ranking USING (round, serial) JOIN evidence USING (round, application_no)"
    people = rows(database, "SELECT count(*) FROM public_list")[0][0]
    assert rows(database, f"SELECT count(*) {joined}") == [(10 * int(str(people)),)]
    same = "WHERE indicator = 'employment' AND points = employment"
    assert rows(database, f"SELECT count(*) {joined} {same}") == [(people,)]


def test_the_database_is_read_under_any_name_and_by_a_plain_duckdb(warehouse: Path) -> None:
    """A view names the tables of its own database, and JSON is built in: nothing is looked for."""
    nowhere = warehouse.parent / "no-extensions"
    with duckdb.connect(config={**OFFLINE, "extension_directory": str(nowhere)}) as opened:
        opened.execute(f"ATTACH '{warehouse}/luohu.duckdb' AS elsewhere (READ_ONLY)")
        for name, _ in layout.views():
            assert rows(opened, f"SELECT count(*) > 0 FROM elsewhere.{name}") == [(True,)]
        assert rows(opened, "SELECT count(evidence ->> 'age') > 0 FROM elsewhere.evidence") == [
            (True,)
        ]
    assert not nowhere.exists()


# --- a copy without names -----------------------------------------------------------------------


def names(warehouse: Path) -> set[bytes]:
    """Names of the settled, long enough to be nobody else's by chance, some ID numbers, the reason."""
    found = {REASON}
    for directory in warehouse.glob("runs/*/*"):
        listed = pl.read_parquet(directory / "public_list.parquet")["name"]
        found |= {each for each in listed if len(each) > 2}
        people = pl.read_parquet(directory / "restricted" / "people.parquet")
        found |= set(people["person_id"].cast(pl.String)[:100])
    return {each.encode() for each in found}


def held(path: Path, among: set[bytes]) -> list[bytes]:
    data = path.read_bytes()
    return [each for each in among if each in data]


def test_no_name_stands_anywhere_in_the_copy(warehouse: Path, exported: Path) -> None:
    wanted = names(warehouse)
    assert (
        len(held(warehouse / "luohu.duckdb", wanted)) > 50
    )  # the search finds them where they are
    assert held(exported, wanted) == []
    assert exported.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(str(exported), read_only=True) as copy:
        for each in layout.personal():
            table, column = each.split(".")
            assert rows(copy, f"SELECT count({column}) FROM {table}") == [(0,)], each
        assert rows(copy, "SELECT count(serial) FROM applicants") == [(0,)]


def test_the_copy_is_complete_but_for_them(
    database: duckdb.DuckDBPyConnection, exported: Path
) -> None:
    with duckdb.connect(str(exported), read_only=True) as copy:
        assert typed(copy) == typed(database)
        for (name,) in rows(database, EVERYTHING):
            shown = [
                column
                for table, column in typed(database)
                if table == name and not layout.is_personal(table, column) and column != "serial"
            ]
            columns = ", ".join(f'"{each}"' for each in shown)
            hashed = f"SELECT count(*), sum(hash({columns})) FROM {name}"
            assert rows(copy, hashed) == rows(database, hashed), name
        for title, sql in rows(copy, "FROM queries"):
            assert copy.execute(str(sql)).fetchall() or "serial" in str(sql), title


@pytest.mark.parametrize("there", ["a file", "a folder", "a link that leads nowhere"])
def test_what_is_there_is_not_replaced(there: str, warehouse: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    if there == "a file":
        out.write_text("of somebody")
    elif there == "a folder":
        out.mkdir()
    else:
        out.symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*")), out.lstat().st_ino, out.lstat().st_mtime_ns
    done = here("export", "--without-names", "--out", out, "--warehouse", warehouse)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"luohu: --out: expected a new file, found {out}: remove it, or name another\n"
    )
    after = sorted(tmp_path.rglob("*")), out.lstat().st_ino, out.lstat().st_mtime_ns
    assert after == before


def test_what_comes_meanwhile_is_not_replaced_either(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "copy"

    def slowly(*given: object, **named: object) -> None:
        build(*given, **named)  # type: ignore[arg-type]
        out.write_text("of somebody")

    monkeypatch.setattr("flows.run.export.build", slowly)
    done = here("export", "--without-names", "--out", out, "--warehouse", warehouse)
    assert (done.returncode, done.stdout) == (2, "")
    assert "came meanwhile" in done.stderr
    assert out.read_text() == "of somebody"
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]
    assert not (warehouse / ".work").exists()


def test_a_disk_without_links_is_written_to_as_well(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stick to carry it away on has none: nothing is replaced there either."""

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("flows.common.files.without_name", lambda *_: None)
    monkeypatch.setattr("flows.common.files.os.link", no_links)
    asked = ("export", "--without-names", "--warehouse", warehouse, "--out", tmp_path / "copy")
    assert here(*asked).returncode == 0
    assert here(*asked).returncode == 2
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]


def test_export_wants_a_word_on_names_and_a_place(warehouse: Path, tmp_path: Path) -> None:
    plain = here("export", "--warehouse", warehouse)
    assert (plain.returncode, plain.stdout) == (2, "")
    assert "expected --without-names" in plain.stderr
    nowhere = tmp_path / "nowhere" / "copy"
    done = here("export", "--without-names", "--out", nowhere, "--warehouse", warehouse)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"cannot write {nowhere}" in done.stderr


def test_a_database_of_another_kind_is_no_copy(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "luohu.duckdb")) as other:
        other.execute("CREATE TABLE people (name VARCHAR)")
    done = here("export", "--without-names", "--out", tmp_path / "out", "--warehouse", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected the tables of a warehouse" in done.stderr
    assert not (tmp_path / "out").exists()
