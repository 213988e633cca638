"""A reader in another process sees the old publication or the new one, never half of either."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.run.publish import publish
from flows.run.stages import Outcome

PUBLICATIONS = [4, pytest.param(30, marks=pytest.mark.soak)]

READER = """
import sys, time
from pathlib import Path
import duckdb
path, stop = sys.argv[1], Path(sys.argv[2])
reads = errors = torn = 0
print("reading", flush=True)
while not stop.exists():
    try:
        with duckdb.connect(path, read_only=True) as database:
            counts = database.execute(
                "SELECT (SELECT count(*) FROM scores), (SELECT count(*) FROM eligibility),"
                " (SELECT count(*) FROM evidence) / 10, (SELECT applications FROM rounds),"
                " (SELECT sum(total) FROM scores) - (SELECT sum(points) FROM evidence)"
            ).fetchall()[0]
        reads += 1
        torn += len(set(counts[:4])) != 1 or counts[4] != 0
    except duckdb.Error as error:
        errors += 1
        print(type(error).__name__, file=sys.stderr)
print(reads, errors, torn)
"""


@pytest.mark.slow
@pytest.mark.parametrize("publications", PUBLICATIONS)
def test_readers_see_whole_publications_only(
    publications: int, small_published: tuple[Path, Outcome], tmp_path: Path
) -> None:
    run = Path(small_published[1].directory)
    database = publish(run, 2020, tmp_path)
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(database), str(stop)], stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout
    assert reader.stdout.readline() == "reading\n"
    for _ in range(publications):
        publish(run, 2020, tmp_path)
    stop.touch()
    told, _ = reader.communicate(timeout=60)
    reads, errors, torn = map(int, told.split())
    print(f"{publications} publications under {reads} reads: {errors} errors, {torn} half-written")
    assert reads >= publications / 2
    assert (errors, torn) == (0, 0)
    assert {path.name for path in tmp_path.iterdir()} == {
        "luohu.duckdb",
        ".publishing.lock",
        "stop",
    }


def test_other_duckdb_reads_the_database(
    duckdb_2: Path, small_published: tuple[Path, Outcome]
) -> None:
    code = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=True);"
        "print(duckdb.__version__, c.execute('SELECT count(*) FROM scores').fetchall()[0][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small_published[0] / "luohu.duckdb")],
        env=os.environ | {"PYTHONPATH": str(duckdb_2)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    found, rows = done.stdout.split()
    assert found.startswith("2.0.")
    assert int(rows) == small_published[1].applications
