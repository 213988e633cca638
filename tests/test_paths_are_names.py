"""No path is a pattern: folders named `w[12]`, `~`, `{x}` or `round=1999` are folders like any other.

The source is read first: whoever opens a table some other way is told here.  Then every command works
in such folders, beside others that the patterns would match, and comes to what it comes to elsewhere.
"""

import ast
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import here, luohu

from flows.common.by_name import read_table, scan_table, schema_of
from flows.common.database import UNWRITABLE, table_in_sql
from flows.common.settings import DATA, HOME
from flows.simulate import simulate

FLOWS = sorted((HOME / "flows").rglob("*.py"))
THE_DOORS = ("flows/common/by_name.py", "flows/common/database.py")
IN_SQL = ("read_parquet", "parquet_scan", "read_csv", "glob")
READERS = {
    *("read_parquet", "scan_parquet", "read_parquet_schema", "read_parquet_metadata"),
    *(
        "read_csv",
        "scan_csv",
        "read_csv_batched",
        "read_ipc",
        "read_ipc_stream",
        "scan_ipc",
        "read_ipc_schema",
    ),
    *("read_json", "read_ndjson", "scan_ndjson", "scan_lines", "read_table", "dataset"),
}
# the first thing these are given must be `named(path)`, or no path at all
TAKERS = {
    *(
        "connect",
        "sink_parquet",
        "sink_csv",
        "sink_ndjson",
        "sink_ipc",
        "write_parquet",
        "write_csv",
        "write_ipc_stream",
    ),
    *(
        "ParquetFile",
        "input_stream",
        "output_stream",
        "OSFile",
        "memory_map",
        "open_csv",
        "write_table",
    ),
}
OURS = {"read_table", "write_table"}  # functions of this project by that name, called as functions
# patterns that are no text of the source, and follow from it all the same
HOMES = {("flows/orchestration/prefect_settings.py", "expanduser")}  # the user's own, no path given
PATTERNS = {
    ("flows/kept/manifest.py", "pattern"),
    ("flows/orchestration/bucket_tasks.py", "pattern"),
    ("flows/run/second_engine/engine.py", "kind"),
}


def of(path: Path) -> str:
    return path.relative_to(HOME).as_posix()


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_call_of(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and called(node) in names


def faults(source: str, name: str) -> Iterator[str]:
    """Where a module opens something by a path that a library may take for a pattern."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {each.name for each in node.names} | {getattr(node, "module", "")}
            if "glob" in names:
                yield f"{name}:{node.lineno}: glob"
        if isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
            method = isinstance(node.func, ast.Attribute)
            what = called(node)
            of_bytes = first and is_call_of(first, "read_bytes", "BytesIO")
            if what in READERS and (method or what not in OURS) and not of_bytes:
                yield f"{name}:{node.lineno}: {what}"
            if what in TAKERS and (method or what not in OURS) and first:
                opened = isinstance(first, ast.Name) and first.id in {"source", "file"}
                if not is_call_of(first, "named") and not opened:
                    yield f"{name}:{node.lineno}: {what}"
            if what in {"expanduser", "expandvars"} and (name, what) not in HOMES:
                yield f"{name}:{node.lineno}: {what}"
            if what == "format" and is_call_of(getattr(node.func, "value", node), "str", "fspath"):
                yield f"{name}:{node.lineno}: a path as a format"
            if what in {"glob", "rglob"} and method and not isinstance(first, ast.Constant):
                inside = {each.id for each in ast.walk(first or node) if isinstance(each, ast.Name)}
                if not {(name, each) for each in inside} <= PATTERNS:
                    yield f"{name}:{node.lineno}: {what}"
        if isinstance(node, ast.JoinedStr):
            yield from sql_faults(node, name)
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and any(f"{each}(" in text for each in IN_SQL):
            yield f"{name}:{node.lineno}: a reader in SQL"


def sql_faults(text: ast.JoinedStr, name: str) -> Iterator[str]:
    for part, following in zip(text.values, [*text.values[1:], None], strict=True):
        if isinstance(part, ast.Constant) and part.value.rstrip(" '").endswith("ATTACH"):
            value = following.value if isinstance(following, ast.FormattedValue) else None
            if not (value and is_call_of(value, "database_in_sql")):
                yield f"{name}:{text.lineno}: ATTACH"


def test_every_file_is_opened_by_name() -> None:
    assert len(FLOWS) > 100
    others = [path for path in FLOWS if of(path) not in THE_DOORS]
    assert [fault for path in others for fault in faults(path.read_text("utf-8"), of(path))] == []
    assert not [of(p) for p in (HOME / "flows").rglob("*.sql") if "read_" in p.read_text("utf-8")]


@pytest.mark.parametrize(
    "bypass",
    [
        "pl.scan_parquet(path)",
        "pl.read_parquet(path / 'a.parquet', glob=False)",
        "pl.read_csv(path)",
        "duckdb.connect(str(path))",
        "rows.sink_parquet(path)",
        "parquet.ParquetFile(path)",
        "arrow.input_stream(str(path))",
        "from glob import glob",
        "folder.glob(f'{name}.parquet')",
        "path.expanduser()",
        "str(feeds).format(year=2020)",
        "f\"ATTACH '{path}' AS old\"",
        "f\"SELECT * FROM read_parquet('{path}')\"",
    ],
)
def test_a_way_around_is_found(bypass: str) -> None:
    assert list(faults(bypass, "flows/some.py"))


# the folder, and what a pattern of that name would find beside it
ODD = {
    "w[12]": "w1",
    "w*": "w1",
    "**": "w1",
    "[!a]": "w",
    "w[": None,
    "[b]": None,
    "{x}": None,
    "~": None,
    "round=1999": None,
    "it's": None,
    "100%20": None,
    "a:b": None,
    "$HOME": None,
    " ": None,
}


@pytest.mark.parametrize("name", ODD)
def test_a_table_is_read_from_the_folder_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, value in ((ODD[name], "decoy"), (name, "right")):
        if folder:
            (tmp_path / folder).mkdir()
            with (tmp_path / folder / "t.parquet").open("wb") as file:
                pl.DataFrame({"round": [2020], "value": [value]}).write_parquet(file)
    monkeypatch.chdir(tmp_path)
    expected = [(2020, "right")]
    for path in (Path(name) / "t.parquet", tmp_path / name / "t.parquet"):
        assert read_table(path).rows() == expected
        assert scan_table(path).collect().rows() == expected
        assert list(schema_of(path)) == ["round", "value"]
        with ExitStack() as held, duckdb.connect() as connection:
            found = connection.execute(f"FROM {table_in_sql(path, held)}").fetchall()
        assert found == expected


ODDEST = Path("w[12]", "{x}", "round=1999", "[", "b] it's 100%", "**")  # `[/b]` is markup, too


def result(warehouse: Path) -> tuple[str, str]:
    (path,) = warehouse.glob("runs/2020/[0-9a-f]*/manifest.json")
    found = json.loads(path.read_text("utf-8"))
    return found["run_id"], found["result_digest"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the oddest name, with a delivery in `~`, and beside it one that patterns match."""
    root = tmp_path_factory.mktemp("odd")
    folder = root / ODDEST
    folder.mkdir(parents=True)
    simulate(2020, folder / "~", applicants=60, seed=7, dirty=0.004, data=DATA)
    shutil.copytree(folder / "~", root / "plain")
    decoy = root / "w1" / ODDEST.relative_to("w[12]")
    simulate(2020, decoy / "~", applicants=40, seed=8, data=DATA)
    return root


@pytest.mark.slow
def test_every_command_works_in_an_odd_folder(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(odd / ODDEST)
    out = here("simulate", 2020, "--out", "~root", "--applicants", 5)
    assert out.returncode == 0, out.stderr
    assert "--feeds '~root'" in out.stdout  # to be pasted into a shell
    for feeds, warehouse in (("~", "~w[12]"), (odd / "plain", odd / "warehouse")):
        run = ("run", 2020, "--feeds", feeds, "--warehouse", warehouse, "--direct")
        done = here(*run)
        assert done.returncode == 0, done.stderr
        assert f"warehouse: {warehouse}/luohu.duckdb\n" in done.stdout
    warehouse = Path("~w[12]")
    assert result(warehouse) == result(odd / "warehouse")
    run_id, _ = result(warehouse)
    again = here(*run[:4], "--warehouse", warehouse, "--direct", "--no-recheck")
    assert again.returncode == 0, again.stderr
    (other,) = {path.name for path in warehouse.glob("runs/2020/*")} - {run_id}
    number = read_table(warehouse / "runs" / "2020" / run_id / "scores.parquet")["application_no"][
        0
    ]
    for arguments in (
        ("explain", 2020, number),
        ("explain", 2020, number, "--json"),
        ("explain", 2020, number, "--what-if"),
        ("receipts", 2020, "--out", "~.jsonl.gz"),
        ("capsule", 2020, "--out", "c[1].capsule"),
        ("capsule", 2020, "--public", "--out", "{p}.capsule"),
        ("audit", 2020),
        ("diff", run_id, other, "--out", "d*.parquet"),
    ):
        done = here(*arguments, "--warehouse", warehouse)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    for capsule in ("c[1].capsule", "{p}.capsule"):
        done = here("audit", capsule)
        assert done.returncode == 0, (capsule, done.stdout, done.stderr)
    assert {
        path.name for path in Path().iterdir()
    } == {  # nothing went elsewhere, to the user's home say
        *("~", "~root", "~w[12]", "~.jsonl.gz", "c[1].capsule", "{p}.capsule", "d*.parquet")
    }


@pytest.mark.parametrize("name", [f"a{each}b" for each in UNWRITABLE] + ["a\udcff"])
def test_a_warehouse_duckdb_cannot_write_is_refused_before_anything_is_read(
    name: str, odd: Path, tmp_path: Path
) -> None:
    warehouse = tmp_path / name
    done = here("run", 2020, "--feeds", odd / "plain", "--warehouse", warehouse)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("luohu: expected a warehouse whose path")
    assert len(done.stderr.splitlines()) == 1
    assert not warehouse.exists()
    shutil.copytree(odd, warehouse)  # copied there by an auditor
    (warehouse / "luohu.duckdb").touch()
    for arguments in (("explain", 2020, "1"), ("audit", 2020), ("serve", "--feeds", "x")):
        done = here(*arguments, "--warehouse", warehouse)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


@pytest.mark.soak
def test_the_second_duckdb_reads_odd_folders_too(odd: Path, duckdb_2: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(duckdb_2)}
    done = luohu(
        "run", 2020, "--feeds", odd / ODDEST / "~", "--warehouse", tmp_path / ODDEST, "--direct",
        env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert luohu("audit", 2020, "--warehouse", tmp_path / ODDEST, env=env).returncode == 0
