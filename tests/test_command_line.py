"""What goes for every command: a true exit status whatever stdout does, and one line for what is wrong."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import here, luohu

from flows.cli import app
from flows.cli.summary import NEAR_THE_LINE, people
from flows.common.by_name import read_table
from flows.common.environment import SETTINGS
from flows.common.settings import luohu_version
from flows.kept.manifest import code_digest
from flows.run.stages import Outcome

Published = tuple[Path, Outcome]
FULL = Path("/dev/full")


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit 2 with one message of ours, and nothing else."""
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.startswith("luohu: ")
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr


def number(published: Published) -> str:
    return str(read_table(Path(published[1].directory) / "scores.parquet")["application_no"][0])


def test_version_names_the_code() -> None:
    done = here("--version")
    expected = f"luohu {luohu_version()}, code {code_digest()[:16]}\n"
    assert (done.returncode, done.stdout) == (0, expected)


def written_to(stdout: io.TextIOWrapper, *arguments: object) -> int:
    """The exit status of a command with that stdout, in this process."""
    before, sys.stdout = sys.stdout, stdout
    try:
        with pytest.raises(SystemExit) as done:
            app([*map(str, arguments)])
        stdout.flush()  # as Python does in the end
    finally:
        sys.stdout = before
    assert isinstance(done.value.code, int)
    return done.value.code


@pytest.mark.parametrize(
    "case",
    [
        (("simulate", 2020, "--out", "OUT", "--applicants", 5), 0, "all else was done"),
        (("receipts", 2020, "--out", "OUT"), 0, "all else was done"),
        (("capsule", 2020, "--out", "OUT"), 0, "all else was done"),
        (("explain", 2020, "NUMBER"), 2, "nothing else"),
        (("explain", 2020, "NUMBER", "--json"), 2, "nothing else"),
        (("audit", 2020), 2, "nothing else"),
        (("diff", "RUN", "RUN"), 2, "nothing else"),
        (("diff", "RUN", "RUN", "--out", "OUT.csv"), 0, "all else was done"),
        (("--help",), 2, "nothing else"),
    ],
)
def test_a_full_stdout_is_told_and_the_exit_status_is_that_of_the_work(
    case: tuple[tuple[object, ...], int, str],
    published: Published,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, status, left = case
    known = {"OUT": tmp_path / "out", "OUT.csv": tmp_path / "out.csv"}
    known |= {"NUMBER": number(published), "RUN": published[1].directory}
    given = [known.get(str(each), each) for each in arguments]
    if arguments[0] not in ("simulate", "--help"):
        given += ["--warehouse", published[0]]
    with FULL.open("w", encoding="utf-8") as full:
        assert written_to(full, *given) == status
    told = capsys.readouterr().err
    assert told.startswith("luohu: stdout: No space left on device: the result was not written")
    assert left in told
    assert len(told.splitlines()) == 1


def test_a_failed_audit_stays_failed_where_it_cannot_be_printed(
    published: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "runs" / "2020" / published[1].run_id
    run.parent.mkdir(parents=True)
    subprocess.run(["cp", "-r", published[1].directory, run], check=True)
    (run / "report.html").write_text("other", encoding="utf-8")
    with FULL.open("w", encoding="utf-8") as full:
        assert written_to(full, "audit", 2020, "--warehouse", tmp_path) == 1
    assert "No space left" in capsys.readouterr().err


def test_a_reader_that_went_away_is_no_failure(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("explain", 2020, number(published)), ("audit", 2020)):
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            assert written_to(pipe, *arguments, "--warehouse", published[0]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_run_is_published_whatever_becomes_of_its_print(small: Path, tmp_path: Path) -> None:
    """In a process of its own: Python flushes once more when it ends."""
    command = [sys.executable, "-m", "flows.cli", "run", "2020", "--direct", "--no-recheck"]
    command += ["--feeds", str(small), "--warehouse", str(tmp_path)]
    with FULL.open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert here("explain", 2020, "1", "--warehouse", tmp_path).stderr.startswith("luohu: round")
    gone = subprocess.run(
        f"{sys.executable} -m flows.cli audit 2020 --warehouse '{tmp_path}' | true;"
        ' echo "${PIPESTATUS[0]}"',
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (gone.stdout, gone.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    "errors", [pytest.param("strict", marks=pytest.mark.soak), "surrogateescape"]
)
def test_what_an_encoding_lacks_is_escaped(
    errors: str, published: Published, tmp_path: Path
) -> None:
    given = ("explain", 2020, number(published), "--warehouse", published[0])
    found = {}
    for kind in ((), ("--json",), ("--what-if",), ("--lang", "zh")):
        with (tmp_path / "out").open("w", encoding="ascii", errors=errors) as file:
            assert written_to(file, *given, *kind) == 0
        found[kind] = (tmp_path / "out").read_text("ascii")
    assert json.loads(found["--json",]) == json.loads(here(*given, "--json").stdout)
    assert json.loads(found["--what-if",])
    title = here(*given, "--lang", "zh").stdout.splitlines()[0]
    escaped = found["--lang", "zh"].splitlines()[0]
    assert escaped.encode().decode("unicode_escape") == title


WITHOUT_WAREHOUSE = {
    "explain": ("explain", 2020, "1"),
    "what_if": ("explain", 2020, "1", "--what-if"),
    "receipts": ("receipts", 2020, "--out", "r.jsonl"),
    "receipts_of": ("receipts", 2020, "--out", "r.jsonl", "--run", "0123456789abcdef"),
    "audit": ("audit", 2020),
    "audit_of": ("audit", 2020, "--run", "0123456789abcdef"),
    "capsule": ("capsule", 2020, "--out", "c"),
    "export": ("export", "--without-names", "--out", "c"),
    "diff": ("diff", "012345", "6789ab"),
}


@pytest.mark.parametrize("name", WITHOUT_WAREHOUSE)
def test_from_another_folder_the_warehouse_that_was_looked_for_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one_line(here(*WITHOUT_WAREHOUSE[name]), "expected", " warehouse", "found none", "--warehouse")
    elsewhere = (*WITHOUT_WAREHOUSE[name], "--warehouse", tmp_path / "other")
    one_line(here(*elsewhere), f"{tmp_path}/other", "found none")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    for there in (tmp_path, tmp_path / "file"):  # a folder that is no warehouse; a file
        one_line(here(*WITHOUT_WAREHOUSE[name], "--warehouse", there), str(there))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PANDERA_VALIDATION_ENABLED", "False"),
        ("PANDERA_VALIDATION_ENABLED", ""),
        ("PANDERA_VALIDATION_DEPTH", "SCHEMA_ONLY"),
        ("PANDERA_VALIDATION_DEPTH", "deep"),
        ("PANDERA_VALIDATION_DEPTH", ""),
        ("PANDERA_USE_NARWHALS_BACKEND", "True"),
        ("PANDERA_USE_NARWHALS_BACKEND", "1"),
        ("POLARS_MAX_THREADS", "0"),
        ("POLARS_MAX_THREADS", "many"),
        ("POLARS_ENGINE_AFFINITY", "gpu"),
    ],
)
def test_a_variable_that_changes_what_a_library_does_is_refused(variable: str, value: str) -> None:
    done = here("run", 2020, "--feeds", "x", env={variable: value})
    one_line(done, f"expected {variable} unset or {SETTINGS[variable][1]}, found '{value}'")


def test_in_processes_of_their_own_too(tmp_path: Path) -> None:
    run = ("run", 2020, "--feeds", tmp_path, "--warehouse", tmp_path, "--direct")
    one_line(luohu(*run, env={"PYTHONOPTIMIZE": "2"}), "PYTHONOPTIMIZE unset or 1, found 2")
    one_line(luohu(*run, env={"PANDERA_VALIDATION_DEPTH": "deep"}), "found 'deep'")
    assert not list(tmp_path.iterdir())


@pytest.mark.soak
def test_nothing_rests_on_an_assert(delivery: Path, tmp_path: Path) -> None:
    run = ("run", 2020, "--feeds", delivery, "--warehouse", tmp_path, "--direct")
    assert luohu(*run, env={"PYTHONOPTIMIZE": "1"}).returncode == 0


def test_run_says_how_many_of_the_settled_are_to_be_reviewed(
    published: Published, delivery: Path, tmp_path: Path
) -> None:
    done = here("run", 2020, "--feeds", delivery, "--warehouse", tmp_path, "--direct")
    folder = Path(published[1].directory)
    settled = read_table(folder / "ranking.parquet").filter("settled")
    line = settled["total"].min()
    review = read_table(folder / "scores.parquet").filter("needs_review")["application_no"]
    found = settled.filter(settled["application_no"].is_in(review.implode()))
    near = found.filter(found["total"] <= line + NEAR_THE_LINE)
    assert found.height > 0
    assert (
        f"to be reviewed (需复核): {found.height} settled people have needs_review, {near.height} of"
        f" them within 2 points of the line\n" in done.stdout
    )


def test_one_settled_person_to_be_reviewed_has_a_verb_of_their_own() -> None:
    assert people(1) == "1 settled person has"
    assert people(2000) == "2,000 settled people have"


HEAD = "employment,residence,education,education_deduction,job_housing,innovation,tax,age,honour,law,total"
ROW = "50.00,20.00,15.00,0.00,0.00,0.00,0.00,20.00,0.00,0.00,105.00"
POINTS = {
    "empty": ("", "CSV in UTF-8"),
    "header_alone": (HEAD, "has 0 rows"),
    "another_encoding": (f"{HEAD}\n{ROW}".encode("utf-16"), "11 of them missing"),
    "not_utf_8": (f"{HEAD}\n{ROW.replace('15.00', '十五')}".encode("gbk"), "CSV in UTF-8"),
    "a_column_less": (HEAD.removesuffix(",total"), "1 of them missing (total) and 0 others"),
    "many_columns": (",".join(map(str, range(40_000))), "11 of them missing"),
    "words": (f"{HEAD}\n{ROW.replace('15.00', 'many')}", "row 1: education"),
    "a_secret": (
        f"{HEAD}\n{ROW.replace('15.00', '110101198001010010')}",
        "found 999999999999999999",
    ),
    "no_number": (f"{HEAD}\n{ROW.replace('15.00', 'NaN')}", "row 1: education"),
    "too_large": (f"{HEAD}\n{ROW.replace('15.00', '9' * 40)}", "row 1: education"),
    "an_exponent": (f"{HEAD}\n{ROW.replace('15.00', '1E+9999999')}", "row 1: education"),
    "three_decimals": (f"{HEAD}\n{ROW.replace('15.00', '15.001')}", "row 1: education"),
    "another_sum": (f"{HEAD}\n{ROW.replace('105.00', '104.00')}", "row 1: total"),
    "a_cell_more": (f"{HEAD}\n{ROW},1", "CSV in UTF-8"),
    "an_open_quote": (f'{HEAD}\n"{ROW}', "CSV in UTF-8"),
}


@pytest.mark.parametrize("name", POINTS)
def test_an_odd_list_of_points_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    text, expected = POINTS[name]
    path = tmp_path / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    given = ("simulate", 2020, "--out", tmp_path / "out", "--applicants", 5, "--points", path)
    done = here(*given)
    one_line(done, str(path), expected)
    assert len(done.stderr) < 500
    assert "110101198001010010" not in done.stderr
    assert list(tmp_path.iterdir()) == [path]


LONG = "x" * 300
SIMULATE = ("simulate", 2020, "--applicants", 3, "--out")
ODD = [
    *((*SIMULATE, path) for path in ("file", "full", "gone", "loop", "file/x", "pipe", LONG, "")),
    *((*SIMULATE, "out", "--data", path) for path in ("nowhere", "file", "full")),
    *((*SIMULATE, "out", "--points", path) for path in ("nowhere", "full", "gone", "loop", LONG)),
    *((*SIMULATE, "out", "--applicants", each) for each in ("0", "-1", "1.5", "x", "100000000")),
    *((*SIMULATE, "out", "--seed", each) for each in ("-1", "x")),
    *((*SIMULATE, "out", "--dirty", each) for each in ("-1", "1", "nan", "inf")),
    *(("run", 2020, "--direct", "--feeds", path) for path in ("nowhere", "file", "gone", "loop")),
    *(("run", 2020, "--direct", "--feeds", path) for path in ("pipe", LONG)),
    *(("run", year, "--feeds", "full") for year in ("1999", "x", "-2020", "9" * 30)),
    *(
        ("run", 2020, "--feeds", "full", "--max-rejects", each)
        for each in ("-1", "2", "x", "nan", "1/0", "", "1e999999999", "1e-999999999", "٠.٥")
    ),
    *(
        ("run", 2020, "--feeds", "full", "--direct", "--warehouse", path)
        for path in ("file", "file/x", "gone", "loop", "pipe", LONG)
    ),
    *(
        (*command, "--warehouse", path)
        for command in WITHOUT_WAREHOUSE.values()
        for path in ("full", "gone", "loop", "pipe", "file/x", LONG)
    ),
    *(("audit", path) for path in ("file", "full", "gone", "loop", "", LONG, "file/x", "/")),
    ("audit", "file", "--run", "0123456789abcdef"),
    ("audit", "file", "--warehouse", "full"),
]
ODD_OF_A_RUN = [
    *(("explain", 2020, each) for each in ("nobody", "", "' or 1 --", "9" * 5000, "\x1b[31m", "٢")),
    *(("explain", year, "1") for year in (2018, 1999, -1, "x", "9" * 30)),
    *(("explain", 2020, "1", "--lang", "fr"),),
    *(
        (command, 2020, "--out", path)
        for command in ("receipts", "capsule")
        for path in ("full", "file/x", "nowhere/x", "gone/x", "pipe/x", LONG, "", "/")
    ),
    ("capsule", 2020, "--out", "file"),
    *(
        ("export", "--without-names", "--out", path)
        for path in ("file", "full", "file/x", "nowhere/x", "gone", "pipe", LONG, "", "/")
    ),
    *(
        (*command, "--run", run)
        for command in (("audit", 2020), ("receipts", 2020, "--out", "r"))
        for run in ("nobody", "", "../2020", "/", LONG)
    ),
    *(("diff", "RUN", other) for other in ("file", "full", "./full", "", "/", "012345", LONG)),
    *(("diff", other, "RUN") for other in ("file", "./full", "zzzzzz")),
    *(
        ("diff", "RUN", "RUN", "--out", path)
        for path in ("x", "x.txt", "nowhere/x.csv", "file/x.csv", "folder.csv", "", f"{LONG}.csv")
    ),
]


def odd_things() -> None:
    """A file, a folder in use, links that lead nowhere and round and round, a pipe."""
    Path("file").write_text("something", encoding="utf-8")
    Path("full").mkdir()
    Path("full/file").touch()
    Path("folder.csv").mkdir()
    Path("gone").symlink_to("nowhere at all")
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")


@pytest.mark.slow
@pytest.mark.parametrize("of_a_run", [False, True])
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    of_a_run: bool, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is given: exit status 2, never 1 or a traceback, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    odd_things()
    before = sorted(tmp_path.rglob("*"))
    of_run = ("--warehouse", published[0]) if of_a_run else ()
    for case in ODD_OF_A_RUN if of_a_run else ODD:
        arguments = [published[1].directory if each == "RUN" else each for each in case]
        done = here(*arguments, *of_run)
        assert (done.returncode, done.stdout) == (2, ""), (case, done.stderr)
        assert "nobody foresaw" not in done.stderr, (case, done.stderr)
        if not done.stderr.startswith("Usage: "):
            one_line(done)
        assert sorted(tmp_path.rglob("*")) == before, case
