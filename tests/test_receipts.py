"""Receipts: complete, checked by a file that knows nothing of us, and every forgery found."""

import gzip
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from commands import here
from reference import hostile
from test_against_reference import specification

import flows.explain.receipts.compose
from flows.common.failures import CheckFailed, NotFound
from flows.common.files import sha256, sha256_of, write_json, write_table
from flows.common.settings import DATA, Order
from flows.explain.receipts import proved, receipt
from flows.explain.receipts.bulk import VERIFIER, write_receipts
from flows.explain.receipts.seal import sealed
from flows.explain.receipts.tree import leaf_hash, proof, root
from flows.run.stages import Outcome, run

Json = dict[str, Any]
Change = Callable[[Json], object]
ROUNDS = [(2018, 0), (2019, 1), (2020, 2), (2022, 3), (2026, 4)]
PEOPLE = 50
QUOTA = 10  # so that there is a line to fall below


@pytest.fixture(scope="module")
def hostile_rounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both editions, hostile deliveries: a warehouse with its database, receipts of everybody."""
    folder = tmp_path_factory.mktemp("hostile")
    data = Path(shutil.copytree(DATA, folder / "data"))
    for year, seed in ROUNDS:
        path = data / "rounds" / f"{year}.toml"
        path.write_text(path.read_text().replace("quota = 6000", f"quota = {QUOTA}"))
        order = Order(year, folder / f"feeds-{year}", folder, data, recheck=False)
        hostile.write_feeds(order.feeds, specification(order), seed, PEOPLE, dirty=True)
        run(order)
        (folder / f"{year}.root").write_text(
            write_receipts(folder, year, folder / f"{year}.jsonl").root
        )
    return folder


@pytest.fixture(scope="module")
def check(verifier: ModuleType) -> Callable[[Json], list[str]]:
    """Its check of one receipt."""
    return verifier.check


def lines(folder: Path, year: int) -> list[bytes]:
    return (folder / f"{year}.jsonl").read_bytes().splitlines()


def everybody(folder: Path) -> list[Json]:
    return [json.loads(line) for year, _ in ROUNDS for line in lines(folder, year)]


def compact(content: Json) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def resealed(content: Json) -> Json:
    """A receipt as a careful forger would hand it in: its own digest fits."""
    body = {name: each for name, each in content.items() if name != "sha256"}
    return json.loads(sealed(compact(body)))


def verify(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    """The verifier as a citizen runs it: a file of its own, no site-packages, another folder."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)],
        input=stdin, capture_output=True, check=False, cwd="/",
    )  # fmt: skip
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.mark.slow
@pytest.mark.parametrize(("year", "seed"), ROUNDS)
def test_every_receipt_of_a_hostile_round_is_verified(
    year: int, seed: int, hostile_rounds: Path, tmp_path: Path
) -> None:
    alone = Path(shutil.copy(VERIFIER, tmp_path / "check_it.py"))
    written = hostile_rounds / f"{year}.jsonl"
    top = (hostile_rounds / f"{year}.root").read_text()
    done = verify(alone, written, "--root", top)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    accepted = pl.read_parquet(next(hostile_rounds.glob(f"runs/{year}/*/scores.parquet")))
    assert done.stdout == f"{accepted.height} checked, 0 with differences; root {top}\n"
    numbers = [json.loads(line)["application_no"] for line in lines(hostile_rounds, year)]
    assert numbers == sorted(accepted["application_no"])
    assert accepted.height > PEOPLE * 9 // 10


def test_the_rounds_would_tell(hostile_rounds: Path) -> None:
    """Every reason, every kind of home month, every indicator and condition both ways is there."""
    reasons: set[str | None] = set()
    counted_as: set[tuple[str, str | None, str | None]] = set()
    held: dict[str, set[bool]] = {}
    points: dict[str, set[int]] = {}
    for each in everybody(hostile_rounds):
        spans = each["facts"]["insurance"] + each["facts"]["insurance_outside"]
        reasons |= {span["why"] for span in spans}
        for name, rule in each["indicators"].items():
            counted_as |= {(name, s["counts_as"], s["why"]) for s in rule.get("months", [])}
            points.setdefault(rule["rule"], set()).add(rule["centipoints"])
        for name, rule in each["conditions"].items():
            held.setdefault(name, set()).add(rule["holds"])
    assert reasons == {
        None, "not_insured", "back_paid", "agency_back_paid", "other_insurance_only",
        "recorded_after_reference_date", "before_first_month", "after_reference_date",
    }  # fmt: skip
    assert counted_as == {
        *(("residence", part, None)
          for part in ("own_early", "own_late", "dormitory_late", "rented_late")),
        *(("residence", None, why)
          for why in ("counts_by_employment", "no_home", "not_registered")),
        *(("job_housing", part, None) for part in ("home", "home_and_job")),
        *(("job_housing", None, why) for why in ("no_own_home", "no_home", "home_not_outside")),
    }  # fmt: skip
    assert all(both == {True, False} for both in held.values()), held
    assert len(held) == 6
    assert len(points) == 17
    assert all(len(different) > 1 for different in points.values()), points


def test_spans_tile_without_gap_or_overlap(hostile_rounds: Path) -> None:
    for each in everybody(hostile_rounds):
        first_month = each["counted_months"]["values"]["first_month"]["value"]
        tiled(each["facts"]["insurance"], first_month, each["reference_date"])
        counted = [s["months"] for s in each["facts"]["insurance"] if s["counted"]]
        assert sum(counted) == each["indicators"]["employment"]["parts"][0]["months_counted"]
        for name, first in (("residence", "first_month"), ("job_housing", "counts_from")):
            rule = each["indicators"][name]
            tiled(rule["months"], rule["values"][first]["value"], each["reference_date"])


def tiled(spans: list[Json], first_month: str, reference_date: str) -> None:
    """Every month from the first to December lies in exactly one span, and no two could be one."""
    months = []
    for span in spans:
        (y1, m1), (y2, m2) = (map(int, span[end].split("-")) for end in ("from", "to"))
        inside = range(y1 * 12 + m1, y2 * 12 + m2 + 1)
        assert len(inside) == span["months"] > 0
        months += inside
    first, last = (int(d[:4]) * 12 + int(d[5:7]) for d in (first_month, reference_date))
    assert months == list(range(first, last + 1))
    said = [{k: v for k, v in s.items() if k not in {"from", "to", "months"}} for s in spans]
    assert all(a != b for a, b in pairwise(said))


@pytest.mark.parametrize("year", [2018, 2020])
def test_bulk_and_single_are_the_same_bytes(year: int, hostile_rounds: Path) -> None:
    every = lines(hostile_rounds, year)
    for line in every[::12]:
        number = json.loads(line)["application_no"]
        assert compact(receipt(hostile_rounds, year, number)) == line
    done = here("explain", year, number, "--json", "--warehouse", hostile_rounds)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    top = (hostile_rounds / f"{year}.root").read_text()
    assert found.pop("proof")["root"] == top
    assert compact(found) == line
    checked = verify(VERIFIER, "-", "--root", top, stdin=done.stdout.encode())
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == f"1 checked, 0 with differences; root {top}, by proof\n"


@pytest.mark.slow
def test_the_command_writes_the_same_compressed_or_not(
    published: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, plain = tmp_path / "all.jsonl.gz", tmp_path / "all.jsonl"
    done = here("receipts", 2020, "--out", packed, "--warehouse", published[0])
    assert (done.returncode, done.stderr) == (0, "")
    monkeypatch.setattr(
        flows.explain.receipts.compose, "CHUNK", 7
    )  # many chunks: the same bytes in order
    written = write_receipts(published[0], 2020, plain, published[1].run_id)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert f"root: {written.root}\n" in done.stdout
    assert f"{written.receipts:,} receipts" in done.stdout
    every = plain.read_bytes().splitlines()
    assert written.root == root(sorted(map(leaf_hash, every)))
    assert sorted(tmp_path.iterdir()) == [plain, packed]
    told = done.stdout.split("try: python ")[1].split()
    assert verify(*told).returncode == 0


def test_no_id_no_name_no_employer_in_any_receipt(
    published: tuple[Path, Outcome], delivery: Path, tmp_path: Path
) -> None:
    write_receipts(published[0], 2020, tmp_path / "all.jsonl")
    told: set[str] = set()
    for line in (tmp_path / "all.jsonl").read_bytes().splitlines():
        whole = json.loads(line)
        told |= {str(value_at(whole, path)) for path in leaves(whole)}
    text = "\n".join(told)
    people = pl.read_parquet(Path(published[1].directory) / "restricted" / "people.parquet")
    employers = pl.read_parquet(delivery / "employers")
    secret = [*people["person_id"], *people["name"]]
    secret += [*employers["employer_id"].drop_nulls(), *employers["name"].drop_nulls()]
    assert len(secret) > 500
    assert [each for each in set(secret) if each and each in text] == []
    assert people["application_no"][0] in text


def test_a_round_of_nobody_has_no_receipts(copied: Path, tmp_path: Path) -> None:
    (path,) = (copied / "applications").iterdir()
    pl.read_parquet(path).clear().write_parquet(path)
    run(Order(2020, copied, tmp_path, recheck=False))
    written = write_receipts(tmp_path, 2020, tmp_path / "all.jsonl")
    assert (written.receipts, written.root) == (0, root([]))
    assert (tmp_path / "all.jsonl").read_bytes() == b""


def test_an_application_without_any_record(copied: Path, tmp_path: Path) -> None:
    """Nothing on record is a receipt of zeros: one span, not insured."""
    path = min((copied / "applications").iterdir())
    rows = pl.read_parquet(path)
    lone = rows.head(1).with_columns(
        application_no=pl.lit("2020-LONE_1"),
        person_id=pl.lit("110101199001010090"),
        birth_date=pl.date(1990, 1, 1),
        employer_id=pl.lit("91110105MA00000012"),  # in no employers row either
    )
    pl.concat([rows, lone]).write_parquet(path)
    run(Order(2020, copied, tmp_path, recheck=False))
    found = receipt(tmp_path, 2020, "2020-LONE_1")
    assert [(s["from"], s["to"], s["why"]) for s in found["facts"]["insurance"]] == [
        ("1998-07", "2019-12", "not_insured")
    ]
    assert (found["total"], found["standing"]["rank"]) == ("20.00", None)
    assert verify(VERIFIER, "-", stdin=json.dumps(found, indent=3).encode()).returncode == 0
    write_receipts(tmp_path, 2020, tmp_path / "all.jsonl")
    assert compact(found) in (tmp_path / "all.jsonl").read_bytes().splitlines()


@pytest.mark.slow
def test_a_title_somebody_typed_is_not_told(copied: Path, tmp_path: Path) -> None:
    (path,) = (copied / "honours").iterdir()
    rows = pl.read_parquet(path)
    applicants = pl.read_parquet(copied / "applications")["person_id"].to_list()
    held = rows.filter(pl.col("person_id").is_in(applicants)).head(1)
    rows.extend(held.with_columns(title=pl.lit("王小明 11010119800101001X"))).write_parquet(path)
    run(Order(2020, copied, tmp_path, recheck=False))
    write_receipts(tmp_path, 2020, tmp_path / "all.jsonl")
    assert "王小明" not in (tmp_path / "all.jsonl").read_text(encoding="utf-8")
    assert verify(VERIFIER, tmp_path / "all.jsonl").returncode == 0


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every scalar in a receipt."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in inside:
        if isinstance(each, dict | list) and each:
            yield from leaves(each, (*path, name))
        else:
            yield (*path, name)


def value_at(content: Any, path: tuple[str | int, ...]) -> Any:
    for name in path:
        content = content[name]
    return content


@contextmanager
def flipped(content: Json, path: tuple[str | int, ...]) -> Iterator[Json]:
    """A receipt with one scalar changed, for a while."""
    inside, was = value_at(content, path[:-1]), value_at(content, path)
    inside[path[-1]] = (
        not was if isinstance(was, bool)
        else was + 1 if isinstance(was, int)
        else was + "9" if isinstance(was, str)
        else "9"
    )  # fmt: skip
    yield content
    inside[path[-1]] = was


@pytest.mark.slow
def test_any_flipped_value_is_found(
    hostile_rounds: Path, check: Callable[[Json], list[str]]
) -> None:
    whole = json.loads(max(lines(hostile_rounds, 2018), key=len))
    assert check(whole) == []
    places = list(leaves(whole))
    assert len(places) > 800
    missed = []
    for path in places[::3]:
        with flipped(whole, path) as changed:
            if not check(changed):
                missed.append(path)
    assert missed == []
    assert check(whole) == []


@pytest.mark.slow
def test_a_careful_forger_cannot_touch_what_follows_from_the_facts(
    hostile_rounds: Path, check: Callable[[Json], list[str]]
) -> None:
    """With the digest made to fit, everything worked out is still found by working it out."""
    whole = json.loads(max(lines(hostile_rounds, 2020), key=len))
    derived = [
        path
        for path in leaves(whole)
        if path[0] in {"conditions", "indicators", "total", "total_centipoints"}
        and path[2:3] not in {("title",), ("title_zh",), ("clause",), ("values",)}
    ]
    derived += [path for path in leaves(whole) if path[0] in {"made_from", "run_id"}]
    derived += [("facts", "insurance", 0, name) for name in ("from", "to", "months", "counted")]
    derived += [("counted_months", name) for name in ("insurance", "counted", "uncounted")]
    derived += [("standing", name) for name in ("eligible", "settled", "above_line", "line")]
    assert len(derived) > 300
    missed = []
    for path in derived:
        with flipped(whole, path) as changed:
            if not check(resealed(changed)):
                missed.append(path)
    assert missed == []


def span_unpaid(content: Json) -> None:
    """A counted span turned into one paid back."""
    span = next(s for s in content["facts"]["insurance"] if s["counted"])
    span[content["counted_months"]["insurance"]] = "back_paid"


def span_moved(content: Json) -> None:
    """A month of a counted span moved to the one before it; the tiling stays."""
    spans = content["facts"]["insurance"]
    at = next(i for i, s in enumerate(spans) if i and s["counted"] and s["months"] > 1)
    number = int(spans[at]["from"][:4]) * 12 + int(spans[at]["from"][5:]) - 1
    spans[at - 1]["to"] = spans[at]["from"]
    spans[at]["from"] = f"{(number + 1) // 12}-{(number + 1) % 12 + 1:02}"
    spans[at - 1]["months"] += 1
    spans[at]["months"] -= 1


def home_kept(content: Json) -> None:
    """A home that ended held two years longer, in which no other own home was held."""
    own_homes = [home for home in content["facts"]["housing"] if home["kind"] == "own"]
    for home in own_homes:
        ended = home["end_date"] or ""
        if "2001" < ended < "2014" and home["start_date"] < ended:
            until = f"{int(ended[:4]) + 2}-03-31"
            if not [
                other
                for other in own_homes
                if other is not home
                and other["start_date"] < until
                and (other["end_date"] or "9999") > ended
            ]:
                home["end_date"] = until
                return
    raise LookupError


def rounding(content: Json) -> None:
    """A part rounded down where the half goes up, the rest made to agree."""
    rule = content["indicators"]["residence"]
    part = next(p for p in rule["parts"] if p["numerator"] * 2 % (p["denominator"] * 2) > 5)
    for at in (part, rule):
        at["centipoints"] -= 1
    content["total_centipoints"] -= 1


def value_of(indicator: str, name: str, by: int) -> Change:
    """A policy value other than the one the points follow from."""

    def change(content: Json) -> None:
        rule = content["indicators"][indicator]
        if not rule["centipoints"]:
            raise LookupError
        rule["values"][name]["value"] += by

    return change


def fact(name: str, row: Any) -> Change:
    """A row added to the facts."""
    return lambda content: content["facts"][name].append(row)


def taken(name: str, needed: Callable[[Json], bool]) -> Change:
    """The rows of a fact that matters taken away."""

    def change(content: Json) -> None:
        if not needed(content):
            raise LookupError
        content["facts"][name].clear()

    return change


def own(name: str, value: Any) -> Change:
    return lambda content: content["facts"].update({name: value})


def without_condition(content: Json) -> None:
    """The condition that fails left out."""
    name = next(n for n, each in content["conditions"].items() if not each["holds"])
    del content["conditions"][name]


def kinder_rule(content: Json) -> None:
    """The trial edition's rule in a receipt of 2020."""
    content["indicators"]["residence"]["rule"] = "residence_unregistered"


FORGERIES: dict[str, tuple[Change, str]] = {
    "a counted span paid back": (span_unpaid, "counted_months"),
    "a month of a span": (span_moved, "counted_months"),
    "a home's last day": (home_kept, "indicators.residence.months"),
    "a rounding": (rounding, "indicators.residence.parts"),
    "a rate": (value_of("employment", "centipoints_per_month", 1), "indicators.employment"),
    "a cap": (value_of("age", "full_until_age", -60), "indicators.age"),
    "a cost": (value_of("law", "centipoints_per_detention", 1), "indicators.law"),
    "a detention": (fact("detentions", "2017-05-05"), "indicators.law"),
    "a violation": (fact("tax_violations", "2017-05-05"), "indicators.tax"),
    "a sentence": (fact("criminal_records", "1990-01-01"), "conditions.criminal_record"),
    "a sanction": (fact("sanctions", "2018-01-01"), "conditions.not_barred"),
    "an award": (
        fact("awards", {"scope": "national", "awarded_on": "2015-01-01", "points": 12}),
        "indicators.innovation",
    ),
    "credentials": (
        taken("education", lambda c: c["indicators"]["education"]["centipoints"] > 0),
        "indicators.education",
    ),
    "permits": (
        taken("residence_permits", lambda c: c["conditions"]["residence_permit"]["holds"]),
        "conditions.residence_permit",
    ),
    "taxes": (
        taken("tax", lambda c: any(p.get("fen") for p in c["indicators"]["tax"]["parts"])),
        "indicators.tax",
    ),
    "titles": (
        taken("honours", lambda c: c["indicators"]["honour"]["centipoints"] > 0),
        "indicators.honour",
    ),
    "a birthday": (own("birth_date", "1931-01-01"), "indicators.age"),
    "a condition left out": (without_condition, "conditions: rules"),
    "another rule": (kinder_rule, "indicators: rules"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_changed_fact_or_value_does_not_fit(
    name: str, hostile_rounds: Path, tmp_path: Path
) -> None:
    change, where = FORGERIES[name]
    for line in lines(hostile_rounds, 2020):
        forged = json.loads(line)
        try:
            change(forged)
        except (LookupError, StopIteration):
            continue  # nothing of the kind in this receipt
        if where == "indicators.age" and not json.loads(line)["indicators"]["age"]["centipoints"]:
            continue
        (tmp_path / "forged.json").write_bytes(compact(resealed(forged)))
        done = verify(VERIFIER, tmp_path / "forged.json")
        assert done.returncode == 1, (name, done.stdout, done.stderr)
        assert where in done.stdout
        assert "1 checked, 1 with differences" in done.stdout
        return
    pytest.fail(f"no receipt to try {name} on")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file holds no receipt"),
        (b"\n", "receipt 1 cannot be read"),
        (b"not json", "receipt 1 cannot be read"),
        (b"[1]", "expected an object"),
        (b'{"format":1,"format":1}', "a name stands twice"),
        (b'{"format":1.0}', "expected whole numbers"),
        (b'{"format":NaN}', "expected whole numbers"),
        (b'{"a":' * 100_000, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_bytes(content)
    done = verify(VERIFIER, tmp_path / "receipt.json")
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_with_a_receipt_in_it_is_told_from_a_receipt(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"round":2026,"receipt":{"format":2}}')
    done = verify(VERIFIER, tmp_path / "answer.json")
    assert done.returncode == 1
    assert "expected a receipt, found another object" in done.stdout
    assert "what stands in it as `receipt` may be one" in done.stdout


@pytest.mark.slow
def test_missing_torn_and_incomplete_files_are_told(hostile_rounds: Path, tmp_path: Path) -> None:
    done = verify(VERIFIER, tmp_path / "none.json")
    assert done.returncode == 2
    assert done.stderr.endswith("receipt 1 cannot be read: No such file or directory\n")
    packed = gzip.compress((hostile_rounds / "2020.jsonl").read_bytes())
    for torn in (packed[:-1000], packed[:1000] + b"x" + packed[1001:]):
        (tmp_path / "torn.jsonl.gz").write_bytes(torn)
        done = verify(VERIFIER, tmp_path / "torn.jsonl.gz")
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    whole = json.loads(lines(hostile_rounds, 2020)[0])
    for name in [*whole, ("facts", "housing"), ("standing", "line"), ("facts", "insurance")]:
        cut = deepcopy(whole)
        (cut if isinstance(name, str) else cut[name[0]]).pop(
            name if isinstance(name, str) else name[1]
        )
        done = verify(VERIFIER, "-", stdin=compact(cut))
        assert done.returncode == 1, name
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", ["missing", "twice", "swapped"])
def test_the_root_commits_to_all_receipts(how: str, hostile_rounds: Path, tmp_path: Path) -> None:
    every, top = lines(hostile_rounds, 2020), (hostile_rounds / "2020.root").read_text()
    other = {
        "missing": every[:-1],
        "twice": [*every, every[-1]],
        "swapped": [every[1], every[0], *every[2:]],
    }[how]
    (tmp_path / "some.jsonl").write_bytes(b"\n".join(other))
    done = verify(VERIFIER, tmp_path / "some.jsonl", "--root", top)
    assert done.returncode == 1
    if how == "missing":
        assert "0 with differences" in done.stdout
    else:
        assert "expected application numbers that ascend, each once" in done.stdout
    assert ("receipts are missing, added or changed" in done.stdout) == (how != "swapped")


def by_definition(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, read aloud."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = by_definition(hashes[:half]), by_definition(hashes[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_the_tree_is_that_of_rfc_6962() -> None:
    # the inputs and roots that Certificate Transparency implementations are tested with
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    inputs.append("606162636465666768696a6b6c6d6e6f")
    leaves = list(map(bytes.fromhex, inputs))
    assert root([]) == hashlib.sha256(b"").hexdigest()
    assert (
        root(map(leaf_hash, leaves[:1]))
        == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert (
        root(map(leaf_hash, leaves))
        == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    for size in range(1, 40):
        leaves = [b"%d" % number for number in range(size)]
        hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
        assert root(hashes) == by_definition(hashes).hex()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33])
def test_a_proof_leads_from_a_receipt_to_the_root_and_from_nothing_else(
    size: int, verifier: ModuleType
) -> None:
    hashes = [leaf_hash(b"receipt %d" % number) for number in range(size)]
    top = root(hashes)

    def leads(leaf: bytes, index: object, size: object, path: object) -> bool:
        told = {"index": index, "size": size, "path": path, "root": top}
        try:
            return verifier.proved_root(leaf, told) == top
        except ValueError:
            return False

    for index, leaf in enumerate(hashes):
        path = proof(hashes, index)
        assert leads(leaf, index, size, path)
        assert not leads(leaf_hash(b"another"), index, size, path)
        assert not leads(leaf, index, size, [*path, "00" * 32])
        for odd in (size, -1, True, str(index), None, 10**30):
            assert not leads(leaf, odd, size, path)
        for odd in (None, "", 0, index, {"a": 1}):
            assert not leads(leaf, index, odd, path) or odd == size
        assert not leads(leaf, index, size, "".join(path))
        for place, beside in enumerate(path):
            flipped = f"{int(beside, 16) ^ 1 << place:064x}"
            assert not leads(leaf, index, size, [*path[:place], flipped, *path[place + 1 :]])
            assert not leads(leaf, index, size, [*path[:place], beside.upper() + " "])
        if path:
            assert not leads(leaf, index, size, path[:-1])
            assert not leads(leaf, index, size, path[::-1]) or path == path[::-1]
            assert not leads(leaf, (index + 1) % size, size, path)
    with pytest.raises(IndexError):
        proof(hashes, size)


@pytest.fixture(scope="module")
def proved_receipt(hostile_rounds: Path) -> Json:
    """A receipt of 2020 as explain prints it."""
    number = json.loads(lines(hostile_rounds, 2020)[7])["application_no"]
    return proved(hostile_rounds, 2020, number)


FALSE_PROOFS: dict[str, Change] = {
    "a sibling": lambda c: c["proof"]["path"].__setitem__(2, "0" * 64),
    "one bit of a sibling": lambda c: c["proof"]["path"].__setitem__(
        0, f"{int(c['proof']['path'][0], 16) ^ 8:064x}"
    ),
    "the index": lambda c: c["proof"].update(index=c["proof"]["index"] ^ 1),
    "the size": lambda c: c["proof"].update(size=c["proof"]["size"] * 2),
    "a sibling too few": lambda c: c["proof"]["path"].pop(),
    "the root it names": lambda c: c["proof"].update(root="0" * 64),
    "the salt": lambda c: c.update(salt="0" * 64),
    "one bit of the salt": lambda c: c.update(salt=f"{int(c['salt'], 16) ^ 1:064x}"),
    "the total": lambda c: c.update(total="120.00"),
    "no proof at all": lambda c: c.pop("proof"),
    "a proof of another kind": lambda c: c.update(proof=[1]),
    "no salt": lambda c: c.pop("salt"),
}


@pytest.mark.parametrize("how", FALSE_PROOFS)
def test_a_false_proof_is_refused(
    how: str, hostile_rounds: Path, proved_receipt: Json, tmp_path: Path
) -> None:
    """Whatever a forger changes, and however carefully the receipt's own digest is made to fit."""
    forged = deepcopy(proved_receipt)
    FALSE_PROOFS[how](forged)
    top = (hostile_rounds / "2020.root").read_text()
    for careful in (False, True):
        if careful:
            bare = {name: each for name, each in forged.items() if name != "proof"}
            forged = resealed(bare) | ({"proof": forged["proof"]} if "proof" in forged else {})
        done = verify(VERIFIER, "-", "--root", top, stdin=json.dumps(forged, indent=2).encode())
        assert (done.returncode, done.stderr) == (1, ""), done.stdout
        assert "1 checked, 1 with differences" in done.stdout or f"expected {top}" in done.stdout


def test_a_receipt_of_another_round_is_under_its_own_root_only(
    hostile_rounds: Path, proved_receipt: Json, tmp_path: Path
) -> None:
    whole = json.dumps(proved_receipt).encode()
    for year, status in ((2020, 0), (2022, 1), (2018, 1)):
        top = (hostile_rounds / f"{year}.root").read_text()
        done = verify(VERIFIER, "-", "--root", top, stdin=whole)
        assert (done.returncode, done.stderr) == (status, "")
        assert done.stdout.startswith("1 checked, 0 with differences; root ")
        assert ("the proof does not lead there" in done.stdout) == bool(status)
    for no_root in ("", " ", top[:10], f"{top}0", "x" * 64):
        done = verify(VERIFIER, "-", "--root", no_root, stdin=whole)
        assert (done.returncode, done.stdout) == (2, "")
        assert "expected 64 hexadecimal digits" in done.stderr
    together = whole + b"\n" + lines(hostile_rounds, 2020)[0]
    done = verify(VERIFIER, "-", stdin=together)
    assert done.returncode == 2
    assert "expected a proof in every receipt or in none" in done.stderr


def test_a_neighbour_is_not_found_by_guessing(hostile_rounds: Path) -> None:
    """Who knows all of somebody's receipt but the salt cannot tell by the hashes whether it is so."""
    every = [json.loads(line) for line in lines(hostile_rounds, 2020)]
    hashes = sorted(leaf_hash(compact(each)) for each in every)
    shown = {
        beside
        for index in range(len(hashes))
        for beside in map(bytes.fromhex, proof(hashes, index))
    }
    assert shown & set(hashes)  # of most, the hash is shown to somebody
    for each in every:
        assert leaf_hash(compact(each)) in hashes
        for salt in ({}, {"salt": every[0]["salt"] if each is not every[0] else "0" * 64}):
            guess = {name: value for name, value in each.items() if name != "salt"} | salt
            ordered = {name: guess[name] for name in each if name in guess}
            assert leaf_hash(compact(resealed(ordered))) not in shown
    salts = {each["salt"] for each in every}
    assert len(salts) == len(every)
    assert all(len(salt) == 64 for salt in salts)


def test_a_place_in_the_tree_tells_nothing_of_the_numbers(hostile_rounds: Path) -> None:
    hashes = [leaf_hash(line) for line in lines(hostile_rounds, 2020)]
    places = [sorted(hashes).index(each) for each in hashes]
    in_order = sum(a < b for a, b in pairwise(places))
    assert len(places) / 4 < in_order < len(places) * 3 / 4


def test_salts_follow_from_the_people_and_from_nothing_that_is_published(
    published: tuple[Path, Outcome], delivery: Path, tmp_path: Path
) -> None:
    """The same inputs give the same salts elsewhere; a manifest holds nothing they follow from."""
    again = run(Order(2020, delivery, tmp_path))
    number = pl.read_parquet(Path(again.directory) / "scores.parquet")["application_no"][3]
    one, other = (receipt(where, 2020, number) for where in (published[0], tmp_path))
    assert compact(one) == compact(other)
    people = (Path(again.directory) / "restricted" / "people.parquet").read_bytes()
    key = hashlib.sha256(b"luohu salts 1\n" + people).digest()
    said = b"\0".join([b"receipt", one["run_id"].encode(), number.encode()])
    assert one["salt"] == hmac.new(key, said, "sha256").hexdigest()
    manifest = json.loads((Path(again.directory) / "manifest.json").read_text())
    for each in {*digests_in(manifest), *digests_in(one["made_from"])}:
        for way in (bytes.fromhex(each), each.encode()):
            for label in (b"", b"luohu salts 1\n"):
                assert hashlib.sha256(label + way).digest() != key
                assert hmac.new(label + way, said, "sha256").hexdigest() != one["salt"]


def digests_in(content: Any) -> Iterator[str]:
    for path in leaves(content):
        text = value_at(content, path)
        if isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text):
            yield text


def test_no_digest_in_a_receipt_is_that_of_a_feed(
    published: tuple[Path, Outcome], delivery: Path
) -> None:
    directory = Path(published[1].directory)
    number = pl.read_parquet(directory / "scores.parquet")["application_no"][3]
    found = proved(published[0], 2020, number)
    plain = {sha256(path) for path in delivery.rglob("*") if path.is_file()}
    plain |= {sha256(path) for path in directory.rglob("*.parquet")}
    assert len(plain) > 30
    assert not plain & set(digests_in(found))
    assert len([*digests_in(found["delivered"])]) == len(list(delivery.rglob("*.parquet")))
    assert sha256_of(found["made_from"])[:16] == found["run_id"]


def test_hashes_are_kept_and_made_again_where_they_do_not_fit(
    warehouse: Path, published: tuple[Path, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = pl.read_parquet(Path(published[1].directory) / "scores.parquet")["application_no"][3]
    first = proved(warehouse, 2020, number)
    (kept,) = (warehouse / ".receipts").iterdir()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    whole = kept.read_bytes()

    def none_made(*_: object) -> None:
        pytest.fail("the hashes were made again")

    with monkeypatch.context() as patched:
        patched.setattr("flows.explain.receipts.hashes_of", none_made)
        assert proved(warehouse, 2020, number) == first
    for spoilt in (b"", whole[:-1], whole[:-40], whole[:60] + b"x" + whole[61:]):
        kept.write_bytes(spoilt)
        assert proved(warehouse, 2020, number) == first
        assert kept.read_bytes() == whole
    kept.unlink()
    (kept.parent / f"{'0' * 16}-of-a-run-that-is-gone.leaves").write_bytes(b"")
    assert write_receipts(warehouse, 2020, warehouse / "all").root == first["proof"]["root"]
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.fixture
def warehouse(published: tuple[Path, Outcome], tmp_path: Path) -> Path:
    """A copy of the published warehouse to tamper with."""
    return Path(shutil.copytree(published[0], tmp_path / "warehouse"))


def test_unknown_and_quarantined_applications_are_told(
    hostile_rounds: Path, published: tuple[Path, Outcome]
) -> None:
    done = here("explain", 2020, "1", "--json", "--warehouse", published[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert "round 2020 has no application 1" in done.stderr
    rejects = pl.read_parquet(next(hostile_rounds.glob("runs/2020/*/rejects.parquet")))
    scored = pl.read_parquet(next(hostile_rounds.glob("runs/2020/*/scores.parquet")))
    refused = rejects.filter(
        pl.col("feed") == "applications",
        pl.col("application_no").is_not_null(),
        pl.col("application_no") != "",
        ~pl.col("application_no").is_in(scored["application_no"].implode()),
    )["application_no"]
    with pytest.raises(NotFound, match=r"was quarantined and is not scored: .*expected"):
        receipt(hostile_rounds, 2020, refused[0])
    with pytest.raises(NotFound, match="rounds: 2018, 2019, 2020"):
        receipt(hostile_rounds, 2021, "1")
    with pytest.raises(NotFound, match="luohu run"):
        receipt(hostile_rounds / "nowhere", 2020, "1")
    with pytest.raises(NotFound, match=r"no run 0000; runs: [0-9a-f]{16}"):
        write_receipts(hostile_rounds, 2020, hostile_rounds / "x", "0000")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("manifest.json", "edited after publication"),
        ("scores.parquet", "changed after the run"),
        ("accepted/housing.parquet", "changed after the run"),
        ("pinned/policy/tax.toml", "changed after the run"),
        ("", "expected the run"),
    ],
)
def test_no_receipt_of_a_run_that_is_gone_or_was_tampered_with(
    file: str, expected: str, warehouse: Path, published: tuple[Path, Outcome]
) -> None:
    (directory,) = warehouse.glob("runs/2020/*")
    number = pl.read_parquet(directory / "scores.parquet")["application_no"][0]
    if file:
        with (directory / file).open("ab") as opened:
            opened.write(b" ")
    else:
        shutil.rmtree(directory)
    done = here("explain", 2020, number, "--json", "--warehouse", warehouse)
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    out = warehouse / "all.jsonl"
    with pytest.raises(CheckFailed, match=expected):
        write_receipts(warehouse, 2020, out)
    assert not out.exists()
    assert list(warehouse.glob(".all*")) == []


def test_points_that_do_not_follow_stop_the_receipts(
    warehouse: Path, published: tuple[Path, Outcome]
) -> None:
    """A forger who changes points and makes the digests fit gets no receipt that hides it."""
    (directory,) = warehouse.glob("runs/2020/*")
    rows = pl.read_parquet(directory / "evidence.parquet")
    more = pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("1.00").cast(pl.Decimal(9, 2)))
    write_table(
        rows.with_columns((pl.col("points") + more.otherwise(0)).cast(pl.Decimal(9, 2))),
        directory / "evidence.parquet",
    )
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["outputs"]["evidence.parquet"]["sha256"] = sha256(directory / "evidence.parquet")
    write_json(manifest, directory / "manifest.json")
    (warehouse / "luohu.duckdb").unlink()  # it keeps the digest of the manifest
    with pytest.raises(
        CheckFailed, match=rf"employment: .* found 1 of {published[1].applications}"
    ):
        write_receipts(warehouse, 2020, warehouse / "all.jsonl", published[1].run_id)
    assert not (warehouse / "all.jsonl").exists()


def test_usage_is_told(published: tuple[Path, Outcome], tmp_path: Path) -> None:
    done = here("receipts", "--help")
    assert done.returncode == 0
    assert "luohu receipts 2020 --out" in done.stdout
    assert "verify_receipt.py" in done.stdout
    done = verify(VERIFIER, "--help")
    assert done.returncode == 0
    assert "verify_receipt.py receipt.json" in done.stdout
    (tmp_path / "link").symlink_to("elsewhere")  # as /dev/stdout is one, which would be replaced
    for out in (tmp_path, tmp_path / "none" / "all.jsonl", tmp_path / "link"):
        done = here("receipts", 2020, "--out", out, "--warehouse", published[0])
        assert done.returncode == 2
        assert str(out) in done.stderr


def test_the_verifier_imports_the_standard_library_only() -> None:
    import ast

    tree = ast.parse(VERIFIER.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
    years = [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is int
    ]
    assert not [year for year in years if 1990 <= year <= 2100]
