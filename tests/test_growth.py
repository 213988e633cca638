"""Runs survive growth: those stored in `kept/` are audited, explained and compared by whatever code is here.

They are of invented people, made when a run was first named by the code that makes its tables, and stay
as they are.  Code may change and grow after that: what they did not have is absent, not wrong.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cases
import polars as pl
import pytest
from commands import edited, here, other_code
from growth import EDITS, grown, touched

from flows.audit import Audit, audit
from flows.common.failures import BadUsage
from flows.common.files import sha256, write_json
from flows.common.settings import HOME
from flows.kept import pinned_code
from flows.kept.integrity import LOCK
from flows.kept.known_code import Trust
from flows.kept.limits import require_bounded
from flows.kept.manifest import round_digest
from flows.kept.past_run import read_manifest
from flows.kept.tables import feed, table
from flows.run.make_current import make_current
from schemas.feeds import FEEDS, accepted
from schemas.results import INDICATORS, TABLES, types_of

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "kept"
RUNS = {int(path.parent.name): path for path in sorted(KEPT.glob("runs/*/*"))}
# what came of a run: no change of code that only tells it otherwise may change these
RESULTS = {"scores", "eligibility", "ranking", "segments", "public_list"}


def somebody(run: Path, *, eligible: bool) -> str:
    """The first application of a run that is eligible, or is not."""
    rows = pl.read_parquet(run / "eligibility.parquet").filter(pl.col("eligible") == eligible)
    return str(rows["application_no"][0])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse built from the stored runs; not to be changed."""
    folder = Path(shutil.copytree(KEPT, tmp_path_factory.mktemp("kept") / "warehouse"))
    for year, run in RUNS.items():
        make_current(year, run.name, folder)
    return folder


# --- The stored runs, with today's code ---------------------------------------------------------


ABSOLUTE_PATH = re.compile(rb"/[a-z]{3,}/")  # a folder of whatever machine


def test_one_run_of_each_edition_is_stored_and_says_nothing_of_a_machine() -> None:
    editions = {pl.read_parquet(run / "rounds.parquet")["edition"].item() for run in RUNS.values()}
    assert editions == {"2020", "trial"}
    for run in RUNS.values():
        files = {path for path in run.rglob("*") if path.is_file() and path.suffix != ".zip"}
        assert sum(path.stat().st_size for path in files) < 400_000
        for path in files:
            assert not ABSOLUTE_PATH.search(path.read_bytes()), path
        require_bounded(run, read_manifest(run / "manifest.json"))


def differing(found: Audit) -> set[str]:
    return {each.name for each in found.tables if not each.same}


@pytest.mark.parametrize("year", RUNS)
def test_todays_code_audits_a_stored_run(year: int, warehouse: Path) -> None:
    found = audit(year, warehouse)
    assert [each for each in found.findings if each.file != LOCK] == []
    assert not differing(found) & RESULTS
    for each in found.tables:  # what is told otherwise since is told to come from that
        assert each.same or each.cause.startswith("code"), each


@pytest.mark.parametrize("year", RUNS)
@pytest.mark.parametrize("eligible", [True, False])
def test_todays_code_explains_a_stored_run(eligible: bool, year: int, warehouse: Path) -> None:
    number = somebody(RUNS[year], eligible=eligible)
    receipt = here("explain", year, number, "--json", "--warehouse", warehouse)
    assert receipt.returncode == 0, receipt.stderr
    told = json.loads(receipt.stdout)
    scores = table(RUNS[year], "scores").filter(pl.col("application_no") == number).collect()
    assert told["total"] == f"{scores['total'].item()}"
    if not eligible:
        page = here("explain", year, number, "--lang", "zh", "--warehouse", warehouse)
        assert page.returncode == 0, page.stderr


def test_todays_code_compares_the_stored_runs(warehouse: Path) -> None:
    one, other = (run.name for run in RUNS.values())
    done = here("diff", one, other, "--json", "--warehouse", warehouse)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["counts"]["came_in"] + found["counts"]["moved"] > 0
    assert {each["cause"] for each in found["changes"]} >= {"data", "decision"}


def test_a_stored_run_is_repeated_with_its_own_code(warehouse: Path) -> None:
    done = here("audit", 2020, "--with-its-own-code", "--warehouse", warehouse)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "audit passed: 11 of 11 tables the same, 0 differences, 0 findings" in done.stdout


def test_own_code_that_nobody_knows_is_not_run_unasked(tmp_path: Path) -> None:
    """No database here knows these runs: their code is whatever somebody put there."""
    folder = Path(shutil.copytree(KEPT, tmp_path / "warehouse"))
    if pinned_code.present() == pinned_code.contents(RUNS[2020] / "pinned" / "code.zip"):
        pytest.skip("the code has not changed since the runs were stored")
    done = here("audit", 2020, "--with-its-own-code", "--warehouse", folder)
    assert done.returncode == 2
    assert "is not known here and was not run" in done.stderr
    said: list[str] = []
    with pytest.raises(BadUsage):
        audit(2020, folder, own_code=Trust(frozenset(), whatever=False, say=said.append))
    assert said == []
    assert audit(2020, folder, own_code=Trust(frozenset(), whatever=True, say=said.append)).passed
    assert "not kept in a sandbox" in said[0]
    usage = here("audit", 2020, "--trust-code", "--warehouse", folder)
    assert (usage.returncode, usage.stdout) == (2, "")


def test_a_change_of_code_that_changes_points_is_named_as_that(
    warehouse: Path, tmp_path: Path
) -> None:
    older = "age - p.full_until_age,", "age + 30 - p.full_until_age,"
    code = other_code(tmp_path, ("transforms/indicators/age.py", *older))
    told = run_in(code, [["audit", "2020", "--warehouse", str(warehouse), "--json"]])
    assert told[0]["status"] == 1
    found = json.loads(told[0]["out"])
    differs = {each["table"]: each for each in found["tables"] if not each["same"]}
    assert {"scores", "evidence"} <= differs.keys()
    assert all(each["cause"].startswith("code") for each in differs.values())
    assert "--with-its-own-code" in " ".join(found["notes"])


# --- Code that has grown ------------------------------------------------------------------------

COMMANDS = """
import contextlib, io, json, sys
from flows.cli import app
told = []
for given in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app(given)
        except SystemExit as done:
            told.append({"status": done.code, "out": out.getvalue(), "err": err.getvalue()})
print(json.dumps(told))
"""


def run_in(code: Path, commands: list[list[str]]) -> list[dict[str, Any]]:
    """Commands of another version of the code, all in one process of it."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS], input=json.dumps(commands), cwd=code,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_code_with_one_more_feed_indicator_and_condition(warehouse: Path, tmp_path: Path) -> None:
    code = grown(tmp_path)
    there = ["--warehouse", str(warehouse)]
    numbers = {year: somebody(run, eligible=False) for year, run in RUNS.items()}
    one, other = (run.name for run in RUNS.values())
    commands = [
        *(["audit", str(year), "--json", *there] for year in RUNS),
        *(["explain", str(year), number, "--json", *there] for year, number in numbers.items()),
        ["explain", "2020", numbers[2020], *there],
        ["diff", one, other, "--json", *there],
    ]
    told = run_in(code, commands)
    for command, each in zip(commands, told, strict=True):
        assert each["status"] == 0, (command, each["err"])
    for each in told[: len(RUNS)]:
        found = json.loads(each["out"])
        assert found["passed"]
        remarks = {each["table"]: each["remark"] or "" for each in found["tables"]}
        for name, absent in (
            *(("scores", "volunteering"), ("eligibility", "tax_standing")),
            ("evidence", "years_completed"),
        ):
            assert absent in remarks[name]
    for each in told[len(RUNS) : 2 * len(RUNS)]:  # absent, not empty
        receipt = json.loads(each["out"])
        assert "volunteering" not in receipt["facts"].keys() | receipt["indicators"].keys()
        assert "tax_standing" not in receipt["conditions"]
        assert "years_completed" in receipt["indicators"]["age"]["evidence"]  # told again
    compared = json.loads(told[-1]["out"])
    assert all("volunteering" not in each["measures"] for each in compared["causes"])


def test_what_growth_touches_is_listed() -> None:
    assert len({file for file, _, _ in EDITS}) < len(touched()) <= 18


# --- What a run is named by ---------------------------------------------------------------------

DIGEST = "from flows.kept.manifest import code_digest; print(code_digest())"
NO_PART = (
    *(
        "flows/run/report/charts.py",
        "flows/run/report/templates/report.html",
        "flows/common/words/zh.toml",
        "flows/cli/audit.py",
        "flows/cli/messages.py",
    ),
    *("flows/explain/words.py", "flows/explain/words/zh.toml", "flows/explain/page.py"),
    *("schemas/words.toml", "flows/audit/page.py", "flows/audit/diff/causes.py"),
    *("flows/kept/integrity.py", "flows/kept/list_runs.py", "flows/orchestration/annual.py"),
    *("flows/simulate/homes.py", "flows/run/make_current.py", "flows/run/describe.py"),
    "flows/explain/receipts/verify_receipt.py",
)
A_PART = (
    *("transforms/indicators/age.py", "transforms/policy.py", "transforms/scorecard.py"),
    *("flows/run/check_rows.py", "flows/run/score.py", "flows/run/stages.py"),
    *("flows/run/second_engine/ranking.sql", "flows/run/second_engine/indicators/law.sql"),
    *("schemas/feeds.py", "schemas/results.py", "schemas/identifiers.py", "flows/kept/tables.py"),
    *("flows/run/recompute.py", "flows/common/points.py", "flows/run/ingest.py"),
)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return other_code(tmp_path_factory.mktemp("code"))


def digest_of(code: Path) -> str:
    """What names the runs of some code, in a process of it."""
    done = [sys.executable, "-c", DIGEST]
    return subprocess.run(done, capture_output=True, text=True, check=True, cwd=code).stdout


def commented(code: Path, files: tuple[str, ...]) -> None:
    for name in files:
        mark = "--" if name.endswith(".sql") else "#"
        with (code / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{mark} another word\n")


def test_pages_messages_and_words_name_no_run(code: Path) -> None:
    before = digest_of(code)
    commented(code, NO_PART)
    assert digest_of(code) == before


def test_whatever_makes_tables_names_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = pinned_code.source_files()
    assert set(A_PART) <= files.keys()
    assert not set(NO_PART) & files.keys()
    digests = pinned_code.present()
    for name in A_PART:
        assert pinned_code.digest_of(digests | {name: "0" * 64}) != pinned_code.digest_of(digests)


def test_no_module_the_tables_come_from_is_left_out() -> None:
    """What the walk finds is what Python loads when the stages are imported, less the page and the words."""
    loaded = subprocess.run(
        [sys.executable, "-c", ("import sys, flows.run.stages, flows.run.recompute\n"
         "print(*(m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)),"
         " sep='\\n')")],
        capture_output=True, text=True, check=True, cwd=HOME,
    ).stdout.splitlines()  # fmt: skip
    ours = {Path(path) for path in loaded if Path(path).is_relative_to(HOME)}
    packages = {HOME / name for name in pinned_code.PACKAGES}
    names = {path.relative_to(HOME).as_posix() for path in ours if packages & set(path.parents)}
    walked = {name for name in pinned_code.source_files() if name.endswith(".py")}
    of_words = {"flows/run/describe.py", "flows/common/vocabulary.py", "flows/common/languages.py"}
    assert {name for name in names - walked if not name.startswith("flows/run/report/")} == of_words
    for name in walked:
        assert ast.parse((HOME / name).read_text(encoding="utf-8"))


def test_the_phases_of_a_round_name_no_run_and_its_values_do(
    warehouse: Path, tmp_path: Path
) -> None:
    path = tmp_path / "2020.toml"
    text = (HOME / "data" / "rounds" / "2020.toml").read_text(encoding="utf-8")
    (tmp_path / "2020.toml").write_text(text, encoding="utf-8")
    named = round_digest(path)
    path.write_text(text.replace("to = 2020-08-15T", "to = 2020-08-16T"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    assert round_digest(path) == named
    path.write_text(text.replace("quota = 6000", "quota = 6001"), encoding="utf-8")
    assert round_digest(path) != named
    copy = Path(shutil.copytree(RUNS[2020], tmp_path / "runs" / "2020" / RUNS[2020].name))
    pinned = copy / "pinned" / "rounds" / "2020.toml"
    edited(pinned, "\nquota = 6000\n", "\nquota = 60\n")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["pinned"]["rounds/2020.toml"] = sha256(pinned)
    write_json(manifest, copy / "manifest.json")
    told = [each.message for each in audit(2020, tmp_path).findings]
    assert "expected what names the run, found another decision: edited" in told
    refused = here("diff", copy, RUNS[2020], "--warehouse", warehouse)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "expected what names run" in refused.stderr


# --- Formats of before ----------------------------------------------------------------------------


def test_a_feed_or_column_a_run_did_not_have_is_empty_or_null(tmp_path: Path) -> None:
    run = Path(shutil.copytree(RUNS[2020], tmp_path / "run"))
    homes = pl.read_parquet(run / "accepted" / "housing.parquet")
    fewer = pl.Enum([each for each in homes["kind"].dtype.categories if each != "dormitory"])
    homes.filter(pl.col("kind") != "dormitory").drop("registered_on").with_columns(
        pl.col("kind").cast(pl.String).cast(fewer)
    ).write_parquet(run / "accepted" / "housing.parquet")
    (run / "accepted" / "honours.parquet").unlink()
    for name in FEEDS:
        rows = feed(run, name).collect()
        assert dict(rows.schema) == dict(pl.DataFrame(schema=accepted(name)).schema), name
    assert feed(run, "honours").collect().is_empty()
    found = feed(run, "housing").collect()
    assert found.height
    assert found["registered_on"].null_count() == found.height
    scores = pl.read_parquet(run / "scores.parquet")
    scores.drop("law").write_parquet(run / "scores.parquet")
    assert table(run, "scores").collect()["law"].null_count() == scores.height
    assert [*INDICATORS] == [name for name in types_of("scores") if name in INDICATORS]
    assert set(TABLES) >= RESULTS


def test_accepted_columns_follow_from_the_models_of_feeds() -> None:
    """As the worked cases write them out by hand."""
    for name, columns in cases.ACCEPTED.items():
        assert dict(pl.DataFrame(schema=accepted(name)).schema) == columns
        assert [*accepted(name)] == [*columns]
