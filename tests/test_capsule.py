"""A capsule is packed the same every time, verified anywhere, and refused or told when it is not whole."""

import hashlib
import hmac
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from capsules import Members, archive_of, forged, put_together, sealed, taken_apart
from commands import here, luohu

from flows.audit.capsule.container import FIRST_LINE_BYTES, opened
from flows.audit.capsule.contents import INDEX, LOCK, RUN, is_public
from flows.audit.capsule.pack import pack
from flows.audit.capsule.page import lines
from flows.audit.capsule.unpack import MOST_DEFLATED
from flows.audit.capsule.verify import CapsuleAudit, audit_capsule
from flows.cli.round_or_capsule import audit_any
from flows.common.failures import CapsuleRefused, CheckFailed, Failure
from flows.common.files import sha256, write_table
from flows.common.settings import DATA, HOME, WAREHOUSE, Order
from flows.explain.receipts.bulk import write_receipts
from flows.run.stages import run
from schemas.results import TABLES

QUOTA = 40  # so that many are eligible who are not on the list
FLIPS = 200


@pytest.fixture(scope="module")
def warehouse(delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which most eligible applicants do not settle; not to be changed."""
    folder = tmp_path_factory.mktemp("capsule")
    shutil.copytree(DATA, folder / "data")
    path = folder / "data" / "rounds" / "2020.toml"
    path.write_text(path.read_text().replace("quota = 6000", f"quota = {QUOTA}"))
    run(Order(2020, delivery, folder / "w", folder / "data"))
    return folder / "w"


@pytest.fixture(scope="module")
def full(warehouse: Path) -> Path:
    return pack(2020, warehouse, warehouse.parent / "full.capsule").file.path


@pytest.fixture(scope="module")
def public(warehouse: Path) -> Path:
    return pack(2020, warehouse, warehouse.parent / "public.capsule", public=True).file.path


def directory(warehouse: Path) -> Path:
    (found,) = warehouse.glob("runs/2020/*")
    return found


def told(found: CapsuleAudit) -> str:
    return "\n".join(lines(found))


def change(name: str, *columns: pl.Expr) -> Callable[[Members], None]:
    """Change a table in a capsule, written as a run writes it."""

    def changed(members: Members) -> None:
        rows = table(members, name)
        other = rows.with_columns(
            each.cast(rows.schema[each.meta.output_name()]) for each in columns
        )
        assert not other.equals(rows)
        replace(members, name, other)

    return changed


def table(members: Members, name: str) -> pl.DataFrame:
    return pl.read_parquet(members[f"{RUN}/{name}.parquet"])


def replace(members: Members, name: str, rows: pl.DataFrame) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"capsule-test-{os.getpid()}.parquet"
    write_table(rows, path)
    members[f"{RUN}/{name}.parquet"] = path.read_bytes()
    path.unlink()


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(warehouse: Path, full: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(warehouse, tmp_path / "elsewhere")
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    done = luohu("capsule", 2020, "--out", "again.capsule", "--warehouse", copy, cwd=tmp_path,
                 env={"TZ": "Asia/Shanghai", "PYTHONPATH": str(HOME), "PYTHONHASHSEED": "7"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = tmp_path / "again.capsule"
    assert again.read_bytes() == full.read_bytes()
    assert again.stat().st_mode & 0o077 == 0
    assert f"sha256 {sha256(again)}" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "again.capsule"}


def test_it_holds_every_file_of_the_run_and_any_zip_tool_reads_it(
    warehouse: Path, full: Path
) -> None:
    run = directory(warehouse)
    files = {f"{RUN}/{path.relative_to(run)}" for path in run.rglob("*") if path.is_file()}
    files.remove(f"{RUN}/restricted/file_names.json")  # no part of the run
    members = taken_apart(full)
    assert set(members) == {*files, INDEX, LOCK}
    assert members[LOCK] == (HOME / LOCK).read_bytes()
    for name in files:
        assert members[name] == (run / name.removeprefix(f"{RUN}/")).read_bytes()
    contents = json.loads(members[INDEX])
    manifest = json.loads(members[f"{RUN}/manifest.json"])
    assert contents["code"] == manifest["code"]
    assert contents["delivered"]["tax"] == manifest["feeds"]["tax"]["files"]
    scores = contents["members"][f"{RUN}/scores.parquet"]
    assert scores["rows"] == pl.read_parquet(run / "scores.parquet").height
    with zipfile.ZipFile(full) as archive:
        assert archive.testzip() is None


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """The command on a machine with luohu installed and nothing else, its network closed."""
    installed = tmp_path / "installed"
    for package in ("flows", "schemas", "transforms", "data"):
        shutil.copytree(HOME / package, installed / package)
    for folder in ("home", "empty", "tmp"):
        (tmp_path / folder).mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    probe = subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True)
    closed = ["unshare", "-n"] if probe.returncode == 0 else []
    code = (
        "import sys, socket\n"
        "def closed(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = closed\n"
        "from flows.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: assert 'prefect' not in sys.modules\n"
    )

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*closed, sys.executable, "-P", "-c", code, *map(str, arguments)],
            capture_output=True, text=True, check=False, env=env, cwd=tmp_path / "empty",
        )  # fmt: skip

    yield command
    for folder in ("home", "empty", "tmp"):
        assert list((tmp_path / folder).iterdir()) == []


def test_a_full_capsule_is_repeated_where_the_run_never_was(
    full: Path, warehouse: Path, elsewhere: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = elsewhere("audit", full)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    for name in TABLES:
        path = directory(warehouse) / f"{name}.parquet"
        height = pl.read_parquet(path).height
        assert rows[name][1:4] == [f"{height:,}", sha256(path)[:16], "same"]
    assert rows["code"][-1] == rows["polars"][-1] == rows["python"][-1] == "same"
    assert f"sha256 {sha256(full)}" in done.stdout
    assert "audit passed: 11 of 11 tables the same" in done.stdout
    assert "every published table comes out the same" in done.stdout
    assert len(done.stdout.splitlines()) <= 60  # a page


@pytest.mark.slow
def test_the_receipts_root_is_that_of_all_receipts_and_made_again(
    full: Path, public: Path, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_receipts(warehouse, 2020, tmp_path / "receipts.jsonl")
    expected = {"format": written.format, "receipts": written.receipts, "root": written.root}
    for capsule, how in ((full, "same"), (public, "as packed")):
        assert json.loads(taken_apart(capsule)[INDEX])["receipts"] == expected
        (line,) = [
            each for each in lines(audit_capsule(capsule)) if each.startswith("receipts root")
        ]
        assert f"{written.receipts}  {written.root}  {how}" in line

    def another(**values: object) -> CapsuleAudit:
        members = taken_apart(full)
        contents = json.loads(members[INDEX])
        contents["receipts"] |= values
        members[INDEX] = json.dumps(contents).encode()
        return audit_capsule(put_together(tmp_path / "other.capsule", members))

    found = another(root="0" * 64)
    assert [each.file for each in found.findings] == ["receipts root"]
    assert not found.passed
    assert "found: receipts root: expected 0000000000000000 of" in told(found)
    assert "format 99, found" in told(another(format=99))
    monkeypatch.setattr("flows.kept.integrity.code_digest", lambda: "0" * 64)
    found = another(format=99)  # made by another code, which may have had other receipts
    assert found.passed
    assert "of another format, not made again" in told(found)
    with pytest.raises(CapsuleRefused, match="receipts that is not"):
        another(root=None)


@pytest.mark.slow
def test_a_public_capsule_is_checked_where_the_run_never_was(
    public: Path, elsewhere: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = elsewhere("audit", public)
    assert (done.returncode, done.stderr) == (0, "")
    assert "audit passed: 9 of 9 checks hold, 0 findings" in done.stdout
    assert "FAILS" not in done.stdout
    assert "that takes the full capsule" in done.stdout
    done = elsewhere("audit", public, "--json")
    found = json.loads(done.stdout)
    assert (found["passed"], found["capsule"]["kind"]) == (True, "public")
    assert [each["holds"] for each in found["checks"]] == [True] * 9


def test_cut_short_or_with_a_flipped_bit_it_is_refused(full: Path, tmp_path: Path) -> None:
    whole, spoilt = full.read_bytes(), tmp_path / "spoilt.capsule"
    chance = random.Random(7)
    positions = [*range(FIRST_LINE_BYTES), *(len(whole) - 1 - at for at in range(30))]
    positions += [chance.randrange(len(whole)) for _ in range(FLIPS)]
    for at in positions:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << chance.randrange(8)
        spoilt.write_bytes(flipped)
        with pytest.raises(CapsuleRefused, match=r"spoilt\.capsule: expected"), opened(spoilt):
            pytest.fail(f"byte {at} may be flipped")
    lengths = [0, 1, FIRST_LINE_BYTES - 1, FIRST_LINE_BYTES, len(whole) // 2, len(whole) - 1]
    for length in lengths:
        spoilt.write_bytes(whole[:length])
        with pytest.raises(CapsuleRefused, match="expected"), opened(spoilt):
            pytest.fail(f"{length} bytes are enough")
    spoilt.write_bytes(whole + b"\0")
    with pytest.raises(CapsuleRefused, match="something was added"), opened(spoilt):
        pytest.fail("a byte may be added")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (lambda whole: whole[: len(whole) // 2], "cut short"),
        (lambda whole: whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], "damaged"),
        (lambda whole: whole[:-1] + bytes([whole[-1] ^ 64]), "damaged"),
        (lambda _: b"something else", "expected a capsule made by `luohu capsule`"),
    ],
)
def test_the_command_says_what_it_expected_of_a_damaged_file(
    how: Callable[[bytes], bytes], expected: str, full: Path, tmp_path: Path
) -> None:
    spoilt = tmp_path / "spoilt.capsule"
    spoilt.write_bytes(how(full.read_bytes()))
    done = here("audit", spoilt)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"luohu: {spoilt}: expected")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [spoilt]


MORE = (pl.col("tax") + 1).alias("tax"), (pl.col("total") + 1).alias("total")


@pytest.mark.slow
def test_an_edited_member_is_named_however_far_the_forger_went(full: Path, tmp_path: Path) -> None:
    edited = tmp_path / "edited.capsule"
    members = taken_apart(full)
    change("scores", *MORE)(members)
    found = audit_capsule(put_together(edited, {**members, INDEX: own_sizes(members)}))
    assert not found.passed
    assert "run/scores.parquet: expected sha256" in told(found)
    assert "scores.parquet: expected sha256" in told(found)
    found = audit_capsule(forged(full, edited, change("scores", *MORE), manifest=False))
    assert [each.file for each in found.findings] == ["scores.parquet", "receipts root"]
    assert "what is packed is NOT" in told(found)
    found = audit_capsule(forged(full, edited, change("scores", *MORE)))
    assert [each.file for each in found.findings] == ["receipts root"]
    assert found.repeated
    assert {each.name for each in found.repeated.tables if not each.same} == {"scores"}
    done = here("audit", edited)
    assert done.returncode == 1
    assert "audit FAILED: 10 of 11 tables the same" in done.stdout


def own_sizes(members: Members) -> bytes:
    """The table of contents as it was, but for the sizes: digests are not made to agree."""
    contents = json.loads(members[INDEX])
    for name, each in contents["members"].items():
        each["bytes"] = len(members[name])
    return json.dumps(contents).encode()


def test_an_edited_table_of_contents_and_another_lock_are_found(full: Path, tmp_path: Path) -> None:
    members = taken_apart(full)
    contents = json.loads(members[INDEX])
    contents["lock"] = "0" * 64
    contents["members"][f"{RUN}/scores.parquet"]["rows"] = 1
    edited = put_together(tmp_path / "a.capsule", {**members, INDEX: json.dumps(contents).encode()})
    found = audit_capsule(edited)
    assert {each.file for each in found.findings} == {INDEX, f"{RUN}/scores.parquet"}
    assert "lock: expected what the members come to" in told(found)
    other = forged(full, tmp_path / "b.capsule", lambda each: each.update({LOCK: b"another"}))
    assert "the lock of the run, found another" in told(audit_capsule(other))


def texts(name: str, data: bytes) -> str:
    if name.endswith(".parquet"):
        return pl.read_parquet(data).with_columns(pl.all().cast(pl.String)).write_csv()
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "\n".join(archive.read(each).decode() for each in archive.namelist())
    return data.decode()


def test_a_public_capsule_holds_nobody_but_the_list(
    public: Path, warehouse: Path, delivery: Path
) -> None:
    run = directory(warehouse)
    people = pl.read_parquet(run / "restricted" / "people.parquet")
    delivered = pl.read_parquet(sorted((delivery / "applications").iterdir()))
    scores = pl.read_parquet(run / "scores.parquet")
    secrets = {
        *people["person_id"],
        *people["name"],
        *delivered["person_id"].drop_nulls(),
        *delivered["application_no"].drop_nulls(),
        *scores["application_no"],
    } - {""}
    members = taken_apart(public)
    assert all(name in (INDEX, LOCK) or is_public(name.removeprefix("run/")) for name in members)
    listed = members.pop(f"{RUN}/public_list.parquet")
    for name, data in members.items():
        text = texts(name, data)
        assert not [each for each in secrets if each in text], name
    assert listed == (run / "public_list.parquet").read_bytes()
    shown = pl.read_parquet(listed)
    assert shown.height == pl.read_parquet(run / "ranking.parquet")["settled"].sum()
    assert 0 < shown.height < people.height / 2
    text = shown.with_columns(pl.all().cast(pl.String)).write_csv()
    assert not [each for each in {*people["person_id"], *scores["application_no"]} if each in text]
    left_out = json.loads(members[INDEX])["left_out"]
    outputs = json.loads((run / "manifest.json").read_text())["outputs"]
    gone = {f"{name}.parquet" for name in ("scores", "eligibility", "ranking", "evidence")}
    gone |= {"condition_evidence.parquet", "rejects.parquet", "restricted/people.parquet"}
    assert gone <= left_out.keys()
    assert {name for name in left_out if name.startswith("accepted/")} == {
        name for name in outputs if name.startswith("accepted/")
    }
    key = hashlib.sha256(b"luohu salts 1\n" + (run / "restricted/people.parquet").read_bytes())
    for name, each in left_out.items():
        said = b"\0".join([b"file", name.encode(), outputs[name]["sha256"].encode()])
        salted = hmac.new(key.digest(), said, "sha256").hexdigest()
        assert each == {"rows": outputs[name]["rows"], "salted": salted}


def test_rows_of_people_slipped_into_a_public_capsule_are_found(
    public: Path, warehouse: Path, tmp_path: Path
) -> None:
    scores = (directory(warehouse) / "scores.parquet").read_bytes()
    edited = tmp_path / "edited.capsule"
    forged(public, edited, lambda each: each.update({f"{RUN}/scores.parquet": scores}))
    assert "expected no rows of people in a public capsule" in told(audit_capsule(edited))


def last(column: str, value: pl.Expr) -> pl.Expr:
    """Another value in the last row of a table."""
    at_end = pl.int_range(pl.len()) == pl.len() - 1
    return pl.when(at_end).then(value).otherwise(column).alias(column)


def without_the_last(members: Members) -> None:
    replace(members, "public_list", table(members, "public_list").head(QUOTA - 1))


def with_one_below(members: Members) -> None:
    rows = table(members, "public_list")
    below = rows.tail(1).with_columns(
        pl.col("serial") + 1,
        **{name: (pl.col(name) - 1).cast(pl.Decimal(9, 2)) for name in ("employment", "total")},
    )
    replace(members, "public_list", pl.concat([rows, below]))


def swapped(members: Members) -> None:
    rows = table(members, "public_list")
    first, second = rows.head(1), rows.tail(1)
    others = rows.slice(1, rows.height - 2)
    serials = rows["serial"]
    replace(members, "public_list", pl.concat([second, others, first]).with_columns(serial=serials))


FORGERIES: dict[str, tuple[Callable[[Members], None], str]] = {
    "a total that is not the sum": (
        change("public_list", last("total", pl.col("total") + 1)),
        "the ten do not add up to the total",
    ),
    "points for age of somebody younger": (
        change(
            "public_list",
            last("age", pl.col("age") - 1),
            last("employment", pl.col("employment") + 1),
        ),
        "other points for age than the pinned rule gives",
    ),
    "the last put first": (swapped, "above the row before"),
    "another serial": (
        change("public_list", last("serial", pl.col("serial") + 7)),
        "the serial is not its place",
    ),
    "somebody taken off the list": (without_the_last, f"expected at least {QUOTA} settled"),
    "somebody below the line": (with_one_below, "expected everyone at or above"),
    "another line": (
        change("rounds", (pl.col("cutoff") - 1).alias("cutoff")),
        "rounds: cutoff: expected",
    ),
    "another number of ties": (
        change("rounds", (pl.col("tied_at_cutoff") + 1).alias("tied_at_cutoff")),
        "tied_at_cutoff: expected",
    ),
    "a larger quota": (
        change("rounds", (pl.col("quota") + 1).alias("quota")),
        f"quota: expected {QUOTA}",
    ),
    "fewer applications": (
        change("rounds", (pl.col("applications") - 1).alias("applications")),
        "applications: expected",
    ),
    "more eligible": (
        change("rounds", (pl.col("eligible") + 1).alias("eligible")),
        "ranking: expected",
    ),
    "fewer rows delivered": (
        change("feeds", last("rows", pl.col("rows") - 1)),
        "feeds: other rows than the manifest gives",
    ),
    "another clause": (
        change("clauses", last("clause", pl.lit("as it pleases"))),
        "clauses: other rows than the pinned policy gives",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_list_does_not_add_up(name: str, public: Path, tmp_path: Path) -> None:
    how, expected = FORGERIES[name]
    found = audit_capsule(forged(public, tmp_path / "forged.capsule", how))
    assert not found.passed
    assert not found.findings  # every digest was made to agree
    assert expected in told(found)


def test_a_public_capsule_without_its_list_or_with_another_policy(
    public: Path, tmp_path: Path
) -> None:
    def no_list(members: Members) -> None:
        del members[f"{RUN}/public_list.parquet"]

    found = audit_capsule(forged(public, tmp_path / "a.capsule", no_list))
    assert "public_list.parquet: expected the file the manifest names, found none" in told(found)
    assert "FAILS  tables of the shape a run publishes" in told(found)
    age = f"{RUN}/pinned/policy/age.toml"

    def older(members: Members) -> None:
        members[age] = members[age].replace(b"value = 45", b"value = 50")

    found = audit_capsule(forged(public, tmp_path / "b.capsule", older))
    assert {each.file for each in found.findings} == {"pinned/policy/age.toml"}
    assert not found.passed


def test_scores_by_place_are_held_against_the_list(
    delivery: Path, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few apply here, so the places shown are nearer."""
    for module in ("flows.run.score", "flows.audit.capsule.public_checks"):
        monkeypatch.setattr(f"{module}.SEGMENTS", range(20, 81, 20))
    data = warehouse.parent / "data"
    run(Order(2020, delivery, tmp_path / "w", data, recheck=False))
    packed = pack(2020, tmp_path / "w", tmp_path / "a.capsule", public=True).file.path
    assert audit_capsule(packed).passed
    for place, expected in ((20, "place 20: expected"), (80, "expected totals that descend")):
        other = pl.when(pl.col("place") == place).then(pl.col("total") - place // 80 * -90 - 1)
        how = change("segments", other.otherwise("total").alias("total"))
        found = audit_capsule(forged(packed, tmp_path / "b.capsule", how))
        assert expected in told(found)
    high = pl.when(pl.col("place") == 60).then(pl.col("total") + 90).otherwise("total")
    how = change("segments", high.alias("total"))
    found = audit_capsule(forged(packed, tmp_path / "b.capsule", how))
    assert "expected less than the line" in told(found)


def test_a_run_that_was_tampered_with_is_not_packed(warehouse: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(warehouse, tmp_path / "w")
    path = directory(copy) / "scores.parquet"
    rows = pl.read_parquet(path)
    write_table(rows.with_columns(MORE[0].cast(rows.schema["tax"])), path)
    done = here("capsule", 2020, "--out", tmp_path / "a.capsule", "--warehouse", copy)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not as it was written, and was not packed" in done.stderr
    assert "scores.parquet: expected sha256" in done.stderr
    manifest = directory(copy) / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"recheck": true', '"recheck": false'))
    with pytest.raises(CheckFailed, match="edited after publication"):
        pack(2020, copy, tmp_path / "a.capsule")
    assert {each.name for each in tmp_path.iterdir()} == {"w"}


def test_what_cannot_be_packed_is_told_and_changes_nothing(warehouse: Path, tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.capsule", tmp_path / "a"
    kept.write_bytes(b"kept")
    known = directory(warehouse).name
    for arguments, expected in (
        ((2021, warehouse, new), "no round 2021; rounds: 2020"),
        ((2020, warehouse, new, "x"), f"no run x; runs: {known}"),
        ((2020, tmp_path, new), "expected a warehouse"),
        ((2020, warehouse, kept), f"expected a new file, found {kept}"),
        ((2020, warehouse, tmp_path), f"expected a new file, found {tmp_path}"),
        ((2020, warehouse, tmp_path / "no" / "a"), f"{tmp_path / 'no' / 'a'}: No such file"),
        ((2020, warehouse, kept / "a"), f"cannot write {kept / 'a'}: Not a directory"),
    ):
        with pytest.raises(Failure, match=re.escape(expected)) as failure:
            pack(*arguments)
        assert not isinstance(failure.value, CheckFailed)
    done = here("capsule", 2020, "--warehouse", warehouse, "--out", new, "--run", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"luohu: round 2020 has no run x; runs: {known}\n"
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(kept.name, b"kept")]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("how", ["size=100k", "ro"])
def test_a_full_or_read_only_disk_keeps_no_half_capsule(
    how: str, warehouse: Path, full: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let tests mount a disk")
    try:
        done = here("capsule", 2020, "--out", disk / "a.capsule", "--warehouse", warehouse)
        assert done.returncode == 2
        assert f"cannot write {disk / 'a.capsule'}: " in done.stderr
        assert list(disk.iterdir()) == []
        done = luohu("audit", full, env={"TMPDIR": str(disk)})
        assert "Traceback" not in done.stderr
        if how != "ro":  # where the folder named cannot be written to, Python takes another
            assert done.returncode == 2
            assert "No space left on device; TMPDIR names another folder" in done.stderr
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_later_format_is_told_from_damage(full: Path, tmp_path: Path) -> None:
    later = sealed(tmp_path / "later.capsule", b"packed in a way nobody knows yet", format_=3)
    done = here("audit", later)
    assert (done.returncode, done.stdout) == (2, "")
    assert "up to format 2, found format 3: audit with the newer luohu" in done.stderr

    def newer(members: Members) -> None:
        manifest = json.loads(members[f"{RUN}/manifest.json"])
        members[f"{RUN}/manifest.json"] = json.dumps({**manifest, "format": 9}).encode()

    inside = forged(full, tmp_path / "inside.capsule", newer, manifest=False)
    done = here("audit", inside)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{inside}: manifest.json: this version reads manifests up to format 3" in done.stderr


def test_what_is_no_capsule_and_options_that_go_with_a_round(full: Path, tmp_path: Path) -> None:
    for arguments, expected in (
        (("2020.capsule", WAREHOUSE, None), "or a capsule file, found no file 2020.capsule"),
        ((str(tmp_path), WAREHOUSE, None), f"or a capsule file, found a folder {tmp_path}"),
        ((str(full), WAREHOUSE, "x"), "--run and --warehouse go with a round"),
        ((str(full), tmp_path, None), "--run and --warehouse go with a round"),
        (("2020", tmp_path, None), "expected a warehouse"),
    ):
        with pytest.raises(Failure, match=re.escape(expected)):
            audit_any(*arguments)
    done = here("audit", "twenty")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected a round, say 2020, or a capsule file, found no file twenty" in done.stderr


CONTENTS = {
    "format": 1,
    "kind": "full",
    "round": 2020,
    "run_id": "0" * 16,
    "manifest": "0" * 64,
    "left_out": {},
    "receipts": {"format": 1, "receipts": 0, "root": ""},
}


def listing(**sizes: int) -> tuple[str, bytes]:
    members = {name: {"bytes": size} for name, size in sizes.items()}
    return INDEX, json.dumps({**CONTENTS, "members": members}).encode()


def overlapping() -> bytes:
    """Many names for the same stored bytes, each as long as the whole."""
    data = archive_of(listing(**{f"a{at}": 10**5 for at in range(9)}), ("a0", b"x" * 10**5))
    made = bytearray(data)
    end = made.rindex(b"PK\x05\x06")
    entry = made.rindex(b"PK\x01\x02", 0, end)
    more = b"".join(bytes(made[entry:end]).replace(b"a0", f"a{at}".encode()) for at in range(1, 9))
    made[end:end] = more
    end += len(more)
    made[end + 8 : end + 12] = (10).to_bytes(2, "little") * 2
    size = int.from_bytes(made[end + 12 : end + 16], "little") + len(more)
    made[end + 12 : end + 16] = size.to_bytes(4, "little")
    return bytes(made)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a path upwards": (
        lambda: archive_of(listing(**{"../evil": 1}), ("../evil", b"x")),
        "expected names of files below a folder, found '../evil'",
    ),
    "a path upwards within": (
        lambda: archive_of(listing(**{"run/../../evil": 1}), ("run/../../evil", b"x")),
        "expected names of files below a folder",
    ),
    "an absolute path": (
        lambda: archive_of(listing(**{"/tmp/evil": 1}), ("/tmp/evil", b"x")),
        "expected names of files below a folder, found '/tmp/evil'",
    ),
    "a folder": (
        lambda: archive_of(listing(**{"run/": 0}), ("run/", b"")),
        "expected names of files below a folder",
    ),
    "a file nobody listed": (
        lambda: archive_of(listing(a=1), ("a", b"x"), ("b", b"x")),
        "expected each file it lists once and no other, found otherwise: 'b'",
    ),
    "a listed file that is not there": (
        lambda: archive_of(listing(a=1, b=1), ("a", b"x")),
        "expected each file it lists once and no other, found otherwise: 'b'",
    ),
    "a file that is also a folder": (
        lambda: archive_of(listing(**{"a": 1, "a/b": 1}), ("a", b"x"), ("a/b", b"x")),
        "cannot unpack",
    ),
    "another size than listed": (
        lambda: archive_of(listing(a=2), ("a", b"x")),
        "a: expected 2 bytes, found 1",
    ),
    "a bomb": (
        lambda: archive_of(
            listing(a=MOST_DEFLATED + 1), ("a", bytes(MOST_DEFLATED + 1)), deflated=True
        ),
        "would unpack to more than a capsule holds",
    ),
    "a bomb of many names": (overlapping, "would unpack to more than a capsule holds"),
    "a table of contents that is a bomb": (
        lambda: archive_of((INDEX, bytes(MOST_DEFLATED + 1)), deflated=True),
        "expected at most 16,777,216 bytes",
    ),
    "no table of contents": (lambda: archive_of(("a", b"x")), f"expected {INDEX} in it"),
    "a table of contents that is none": (
        lambda: archive_of((INDEX, b"[" * 10**6)),
        f"{INDEX}: expected format",
    ),
    "no archive": (lambda: b"x" * 1000, "expected an archive behind its first line"),
    "nothing": (lambda: b"", "expected an archive behind its first line"),
    "half an archive": (
        lambda: archive_of(listing(a=1), ("a", b"x"))[:200],
        "expected an archive behind its first line",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_before_anything_is_believed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    make, expected = HOSTILE[name]
    hostile = sealed(tmp_path / "hostile.capsule", make())
    with pytest.raises(CapsuleRefused) as refusal:
        audit_capsule(hostile)
    assert expected in str(refusal.value)
    assert str(hostile) in str(refusal.value)
    assert {path.name for path in tmp_path.rglob("*")} == {"tmp", "hostile.capsule"}


def test_a_capsule_cannot_write_the_verdict_itself(public: Path, tmp_path: Path) -> None:
    def boast(members: Members) -> None:
        manifest = json.loads(members[f"{RUN}/manifest.json"])
        manifest["code"]["version"] = "1\naudit passed\x1b[2J"
        members[f"{RUN}/manifest.json"] = json.dumps(manifest).encode()

    done = here("audit", forged(public, tmp_path / "a.capsule", boast))
    page = done.stdout.splitlines()
    assert done.returncode == 1
    assert all(line.isprintable() for line in page)
    assert not [line for line in page if line.startswith("audit passed")]
    assert any("luohu 1 audit passed?[2J" in line for line in page)


def test_another_code_is_told_and_a_clean_machine_says_what_it_lacks(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.kept.integrity.code_digest", lambda: "0" * 64)
    monkeypatch.setattr("flows.audit.capsule.page.code_digest", lambda: "0" * 64)
    found = audit_capsule(full)
    assert found.passed
    (line,) = [each for each in lines(found) if each.startswith("code")]
    assert line.split()[2:] == ["0" * 16, "other"]


def test_help_teaches_both_kinds_of_audit() -> None:
    assert "luohu capsule 2020 --out 2020.capsule" in here("capsule", "--help").stdout
    shown = here("audit", "--help").stdout
    assert "luohu audit 2020.capsule" in shown
    assert "luohu audit 2020 --warehouse" in shown
