"""Policy and rounds as data: what cannot be trusted raises and says where; nothing has a gap."""

import shutil
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cases import FOLDER, ROOT, worked
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.dataclasses import dataclass
from typer.testing import CliRunner

from flows.audit import audit
from flows.cli import app
from flows.explain.what_if.applicant import Bounds
from flows.run.second_engine.values import values_in_force
from flows.run.stages import Outcome
from schemas.columns import CODES
from transforms import counted_months
from transforms.conditions import CONDITIONS, retirement_age
from transforms.editions import edition
from transforms.indicators import INDICATORS, education_deduction_limited
from transforms.policy import PolicyError, params, rule, stated
from transforms.rounds import load_round, rounds
from transforms.units import STRICT, Centipoints

POLICY = ROOT / "data" / "policy"
ROUNDS = ROOT / "data" / "rounds"
RULES = CONDITIONS | INDICATORS
EDITIONS = tomllib.loads((POLICY / "editions.toml").read_text(encoding="utf-8"))["edition"]
FIRST = EDITIONS[0]["date"]
LATEST = EDITIONS[-1]["date"]
NO_RULE = {"counted_months", "editions"}
A_DAY = timedelta(days=1)

GOOD = """\
title = "Bonus"
title_zh = "加分"
clause = "Measures art. 99"

[centipoints]
meaning = "Points of the bonus"
unit = "centipoints"
[[centipoints.from]]
date = 2018-01-01
cite = "Measures 2018, art. 99"
value = 100
[[centipoints.from]]
date = 2020-01-01
cite = "Measures 2020, art. 99"
value = 200
"""


def day(text: str) -> date:
    """A date as it is written."""
    return date.fromisoformat(text)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A copy of the policy folder, to spoil."""
    return Path(shutil.copytree(POLICY, tmp_path / "policy"))


@pytest.fixture
def round_files(tmp_path: Path) -> Path:
    """A copy of the round files, to spoil."""
    return Path(shutil.copytree(ROUNDS, tmp_path / "rounds"))


def spoil(path: Path, old: str, new: str) -> None:
    """Replace the first of some text in a file, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def bonus(folder: Path, old: str = "", new: str = "") -> Path:
    """A rule file that is right but for one replacement."""
    path = folder / "bonus.toml"
    path.write_text(GOOD, encoding="utf-8")
    if old:
        spoil(path, old, new)
    return folder


def values(entry: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every dated entry below a value, with the name it is under."""
    for name, below in entry.items():
        if isinstance(below, dict):
            yield from ((name, dated) for dated in below["from"])


def policy_texts() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every file of the policy folder."""
    for path in sorted(POLICY.glob("*.toml")):
        yield path, tomllib.loads(path.read_text(encoding="utf-8"))


def dates_in(value: Any) -> Iterator[date]:
    """Every date written anywhere in a file."""
    if isinstance(value, date):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from dates_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from dates_in(each)


def require_every_edition(folder: Path) -> None:
    """Require the rules of each edition in a policy folder."""
    for entry in EDITIONS:
        edition(folder, entry["date"])


@dataclass(frozen=True, config=STRICT)
class Bonus:
    """The values of a rule that is not in the law."""

    centipoints: Centipoints


# --- values in force -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "value", "act"),
    [
        ("2018-01-01", 100, "2018"),
        ("2019-12-31", 100, "2018"),
        ("2020-01-01", 200, "2020"),
        ("2030-06-01", 200, "2020"),
    ],
)
def test_the_last_value_on_or_before_the_date(
    tmp_path: Path, on: str, value: int, act: str
) -> None:
    """A value is in force from its date until the next."""
    found = rule(Bonus, bonus(tmp_path), "bonus", day(on))
    assert found.values == {"centipoints": value}
    assert (found.title, found.title_zh, found.clause) == ("Bonus", "加分", "Measures art. 99")
    assert found.clause_zh is None  # no run pinned before there was one has it
    assert found.dated["centipoints"].cite == f"Measures {act}, art. 99"


def test_value_not_yet_in_force(tmp_path: Path) -> None:
    """Before its first date there is no value: the file, the value and the date are named."""
    expected = r"^bonus\.toml: centipoints has no value in force on 2017-12-31$"
    with pytest.raises(PolicyError, match=expected):
        rule(Bonus, bonus(tmp_path), "bonus", day("2017-12-31"))


def test_repealed_value(tmp_path: Path) -> None:
    """A cite without a value repeals from its date on, not before."""
    folder = bonus(tmp_path, "value = 200\n", "")
    assert rule(Bonus, folder, "bonus", day("2019-12-31")).values == {"centipoints": 100}
    expected = (
        r"^bonus\.toml: centipoints has no value in force on 2020-01-01: repealed by Measures 2020"
    )
    with pytest.raises(PolicyError, match=expected):
        rule(Bonus, folder, "bonus", day("2020-01-01"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cite = "Measures 2018, art. 99"\n', "", "centipoints lacks cite"),
        ("date = 2018-01-01\n", "", "centipoints lacks date"),
        ("date = 2018-01-01", 'date = "2018-01-01"', "centipoints has an entry without a date"),
        ("date = 2018-01-01", "date = 2018-01-01T00:00:00", "has an entry without a date"),
        ("date = 2020-01-01", "date = 2018-01-01", "centipoints: date 2018-01-01 is repeated"),
        ("date = 2020-01-01", "date = 2017-01-01", "centipoints: date 2017-01-01 is out of order"),
        ("value = 200", "value = 200\nnote = 1", "centipoints has unknown note; expected"),
        ('unit = "centipoints"', 'units = "centipoints"', "centipoints lacks unit"),
        ('meaning = "Points of the bonus"\n', "", "centipoints lacks meaning"),
        ('meaning = "Points of the bonus"', "meaning = 7", "centipoints has no meaning"),
        ('unit = "centipoints"', 'unit = "points"', 'unit: expected "centipoints", found "points"'),
        ('unit = "centipoints"', "unit = 7", 'unit: expected "centipoints", found 7'),
        ("value = 100", "value = " + "9" * 5000, "bonus.toml: "),
        ('clause = "Measures art. 99"\n', "", "clause is missing"),
        ('title = "Bonus"', 'title = "Bonus"\nclause_zh = 99', "clause_zh is missing"),
        ('title_zh = "加分"', "", "title_zh is missing"),
        ('title_zh = "加分"', 'title_zh = " "', "title_zh is missing"),
        ('title = "Bonus"', 'title = "Bonus"\nbonus = 5', "has unknown bonus"),
        ('title = "Bonus"', 'title = "Bonus"\ntitle = "Bonus"', "overwrite"),
        ("value = 100", "value = 100\nvalue = 100", "overwrite"),
        ("value = 100", "value = 0100", "bonus.toml: "),
        (
            'title = "Bonus"',
            r'title = "\u001b[2J"',
            "title: expected a text without control characters",
        ),
        ("art. 99", r"art. \u202e99", "clause: expected a text without control"),
        ("2018, art. 99", r"\u009b", "centipoints.from[0].cite: expected a text without control"),
        ('title = "Bonus"', 'title = "Bonus"\n"\\u0007" = 1', "a key: expected a text without"),
    ],
)
def test_a_file_that_cannot_be_trusted(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each mistake raises, also when the entry it is in is not the one in force."""
    folder = bonus(tmp_path, old, new)
    with pytest.raises(PolicyError) as raised:
        rule(Bonus, folder, "bonus", day("2020-07-17"))
    assert str(raised.value).startswith("bonus.toml")
    assert message in str(raised.value)


def test_repeated_table_is_refused(tmp_path: Path) -> None:
    """TOML refuses a key that is there twice; we name the file."""
    folder = bonus(tmp_path, GOOD, GOOD + '[centipoints]\nmeaning = "again"\n')
    with pytest.raises(PolicyError, match=r"^bonus\.toml: .*centipoints"):
        rule(Bonus, folder, "bonus", day("2020-07-17"))


def test_missing_file(policy: Path) -> None:
    """A rule an edition lists must have its file."""
    (policy / "tax.toml").unlink()
    with pytest.raises(PolicyError, match=r"^tax\.toml is not in "):
        edition(policy, LATEST)


def test_missing_value_of_a_listed_rule(policy: Path) -> None:
    """A value that begins too late is an error of the whole edition, never a zero."""
    for entry in tomllib.loads((policy / "law.toml").read_text(encoding="utf-8"))["years"]["from"]:
        spoil(
            policy / "law.toml",
            f'date = {entry["date"]}\ncite = "{entry["cite"]}"',
            f'date = {LATEST + A_DAY}\ncite = "{entry["cite"]}"',
        )
    expected = rf"^law\.toml: years has no value in force on {LATEST}$"
    with pytest.raises(PolicyError, match=expected):
        edition(policy, LATEST)


def test_misspelt_value(policy: Path) -> None:
    """A name that the rule does not know raises, and so does the one it misses."""
    spoil(policy / "employment.toml", "[centipoints_per_month]", "[centipoints_a_month]")
    spoil(policy / "employment.toml", "[[centipoints_per_month.", "[[centipoints_a_month.")
    with pytest.raises(PolicyError, match=r"^employment\.toml lacks centipoints_per_month$"):
        edition(policy, LATEST)


TWO_RATES = """
[centipoints_per_year_own]
meaning = "Points for twelve months in an own home"
unit = "centipoints"
[[centipoints_per_year_own.from]]
date = 2017-01-01
cite = "Measures art. 5(2)"
value = 100

[centipoints_per_year_other]
meaning = "Points for twelve months in a rented home or a dormitory"
unit = "centipoints"
[[centipoints_per_year_other.from]]
date = 2017-01-01
cite = "Measures art. 5(2)"
value = 50
"""


def as_earlier_runs_pinned_it(folder: Path, name: str) -> None:
    """Residence as its file was before it had a table of kinds."""
    path = folder / f"{name}.toml"
    path.write_text(path.read_text("utf-8").partition("\n[kinds]")[0] + TWO_RATES, "utf-8")


@pytest.mark.parametrize("name", ["residence", "residence_unregistered"])
def test_policy_of_earlier_runs_has_the_values_of_today(policy: Path, name: str) -> None:
    """For both engines; what its file says is told as it stands."""
    make = RULES[name].Params
    today = rule(make, policy, name, day("2020-07-17"))
    in_sql = values_in_force(policy, name, day("2020-07-17"))
    as_earlier_runs_pinned_it(policy, name)
    earlier = rule(make, policy, name, day("2020-07-17"))
    assert params(make, earlier) == params(make, today)
    assert values_in_force(policy, name, day("2020-07-17")) == in_sql
    assert earlier.dated["centipoints_per_year_own"].value == 100
    assert "kinds" not in earlier.dated
    spoil(policy / f"{name}.toml", "value = 50", "value = 50.5")
    with pytest.raises(PolicyError, match=r"centipoints_per_year_other.*found 50\.5"):
        rule(make, policy, name, day("2020-07-17"))


def test_policy_of_both_forms_is_refused(policy: Path) -> None:
    """A file states one or the other."""
    path = policy / "residence.toml"
    path.write_text(path.read_text("utf-8") + TWO_RATES, "utf-8")
    with pytest.raises(PolicyError, match="has unknown centipoints_per_year_other"):
        rule(RULES["residence"].Params, policy, "residence", day("2020-07-17"))


def test_value_no_rule_knows(policy: Path) -> None:
    """A value more than the rule has is as wrong as one less."""
    path = policy / "employment.toml"
    more = GOOD[GOOD.index("[centipoints]") :].replace("centipoints]", "bonus]")
    path.write_text(
        path.read_text(encoding="utf-8") + more.replace("centipoints.", "bonus."), encoding="utf-8"
    )
    with pytest.raises(PolicyError, match=r"^employment\.toml has unknown bonus; expected"):
        edition(policy, LATEST)


# --- the type, unit and bounds of every value -----------------------------------------------------

AGE = "age.toml: full_until_age.from[2017-01-01].value: expected a whole number of years from 0 to 120"
POINTS = "expected a whole number of centipoints from 0 to 10000"
DELAYS = "retirement_age.toml: delays.from[2026-01-01].value"
LESS = "age.toml: centipoints_less_per_year.from[2017-01-01].value"
TITLES = "honour.toml: titles.from[2017-01-01].value"
TIERS = "innovation.toml: financing_tiers.from[2020-07-16].value"
MONTH = "expected the first day of a month from 1900-01-01 to 2199-12-31"
FIRST_MONTH = "residence.toml: first_month.from[2017-01-01].value"
KINDS = "tax.toml: income_kinds.from[2020-07-16].value"
SIX = "[110101, 110102, 110105, 110106, 110107, 110108]"
DISTRICTS = "job_housing.toml: six_districts.from[2017-01-01].value"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        # another type
        ("age", "value = 45\n", "value = 45.5\n", f"{AGE}, found 45.5"),
        ("age", "value = 45\n", "value = 45.0\n", f"{AGE}, found 45.0"),
        ("age", "value = 45\n", "value = 1e3\n", f"{AGE}, found 1000.0"),
        ("age", "value = 45\n", "value = nan\n", f"{AGE}, found NaN"),
        ("age", "value = 45\n", "value = true\n", f"{AGE}, found true"),
        ("age", "value = 45\n", 'value = "45"\n', f'{AGE}, found "45"'),
        ("age", "value = 45\n", "value = []\n", f"{AGE}, found []"),
        ("age", "value = 45\n", "value = {}\n", f"{AGE}, found {{}}"),
        ("age", "value = 45\n", "value = 2017-01-01\n", f"{AGE}, found 2017-01-01"),
        ("age", "value = 45\n", 'value = "4\\n5\\u001B"\n', "age.toml: full_until_age.from[0].value: expected a text without control characters"),
        ("residence", "value = 1998-07-01", "value = 1998-07-01T00:00:00", f"{FIRST_MONTH}: {MONTH}, found 1998-07-01T00:00:00"),
        ("residence", "value = 1998-07-01", "value = 199807", f"{FIRST_MONTH}: {MONTH}, found 199807"),
        ("counted_months", 'value = "paid"', "value = 1", "counted_months.toml: counted_status.from[2017-01-01].value: expected one of paid, back_paid, agency_back_paid, found 1"),
        ("honour", 'value = [\n  "model_worker_national",', 'value = [\n  ["model_worker_national"],', f'{TITLES}[0]: expected a text that is not blank, found ["model_worker_national"]'),
        ("job_housing", f"value = {SIX}", "value = 110101", f"{DISTRICTS}: expected a list, found 110101"),
        ("job_housing", "value = { first = 110100, last = 110199 }", "value = [110100, 110199]", "job_housing.toml: beijing_districts.from[2017-01-01].value: expected a table, found [110100, 110199]"),
        # beyond its bounds
        ("age", "value = 45\n", "value = -1\n", f"{AGE}, found -1"),
        ("age", "value = 45\n", "value = 121\n", f"{AGE}, found 121"),
        ("age", "value = 45\n", f"value = {10**9}\n", f"{AGE}, found {10**9}"),
        ("age", "value = 45\n", f"value = {10**30}\n", f"{AGE}, found {10**30}"),
        ("age", "value = 45\n", f"value = 0x{'f' * 5000}\n", f"{AGE}, found a number of thousands of digits"),
        ("age", "value = 45\n", f"value = [{'1, ' * 99}]\n", f"{AGE}, found [{'1, ' * 26}1..."),
        ("law", "value = -3000", "value = 3000", "law.toml: centipoints_per_detention.from[2017-01-01].value: expected a whole number of centipoints from -10000 to 0, found 3000"),
        ("employment", "value = 25", "value = -25", f"employment.toml: centipoints_per_month.from[2017-01-01].value: {POINTS}, found -25"),
        ("social_insurance", "value = 84", "value = 0", "social_insurance.toml: months.from[2017-01-01].value: expected a whole number of months from 1 to 1200, found 0"),
        ("innovation", "value = 1000", "value = 10001", "innovation.toml: share_bp_at_least.from[2020-07-16].value: expected a whole number of basis points from 0 to 10000, found 10001"),
        ("tax", "value = 10_000_000\n", "value = -1\n", f"tax.toml: fen_at_least.from[2020-07-16].value: expected a whole number of fen from 0 to {10**15}, found -1"),
        ("residence", "value = 1998-07-01", "value = 1998-07-15", f"{FIRST_MONTH}: {MONTH}, found 1998-07-15"),
        ("residence", "value = 1998-07-01", "value = 0998-07-01", f"{FIRST_MONTH}: {MONTH}, found 0998-07-01"),
        ("job_housing", "110108", "11010", f"{DISTRICTS}[5]: expected a whole number of six digits, a code of GB/T 2260, found 11010"),
        ("social_insurance", 'value = "back_paid"', 'value = "paid_back"', 'social_insurance.toml: back_paid_status.from[2017-01-01].value: expected one of paid, back_paid, agency_back_paid, found "paid_back"'),
        ("tax", '"wage", "labour"', '"wages", "labour"', f'{KINDS}[0].kinds[0]: expected one of wage, labour, comprehensive, business, other, found "wages"'),
        # a table or a list that is not whole
        ("retirement_age", "birth_months_per_month = 4, ", "", f"{DELAYS}[0] lacks birth_months_per_month"),
        ("retirement_age", "months_at_most = 60", "months_at_most = 60, cap = 1", f"{DELAYS}[2] has unknown cap"),
        ("retirement_age", "months_at_most = 60", "months_at_most = 60.0", f"{DELAYS}[2].months_at_most: expected a whole number of months from 0 to 1200, found 60.0"),
        ("retirement_age", "per_month = 2", "per_month = 0", f"{DELAYS}[2].birth_months_per_month: expected a whole number of months from 1 to 1200, found 0"),
        ("retirement_age", "1975-01-01", "1975-01-02", f"{DELAYS}[2].born_from: {MONTH}, found 1975-01-02"),
        ("retirement_age", '"female_50"', '"male_60"', f'{DELAYS}: expected retirement_class once, not repeated, found ["male_60"]'),
        ("retirement_age", ", female_50 = 50", "", "retirement_age.toml: years.from[2017-01-01].value lacks female_50"),
        ("retirement_age", "female_50 = 50", "female_5O = 50", "retirement_age.toml: years.from[2017-01-01].value lacks female_50"),
        ("education", "has_degree = false,", "has_degree = 0,", "education.toml: credentials.from[2020-07-16].value[0].has_degree: expected true or false, found 0"),
        ("education", "window_months = 48", "window_month = 48", "education.toml: credentials.from[2020-07-16].value[4] lacks window_months"),
        ("education", 'level = "bachelor",       has_diploma = false', 'level = "bachelor",       has_diploma = true', 'education.toml: credentials.from[2020-07-16].value: expected level, has_diploma, has_degree once, not repeated, found ["bachelor", true, true]'),
        ("honour", "moral_model_national", "moral_model_capital", f'{TITLES}: expected each once, not repeated, found ["moral_model_capital"]'),
        ("job_housing", f"value = {SIX}", "value = []", f"{DISTRICTS}: expected at least one in the list, found []"),
        ("job_housing", "first = 110100, last = 110199", "first = 110199, last = 110100", 'job_housing.toml: beijing_districts.from[2017-01-01].value: expected first not above last, found {"first": 110199, "last": 110100}'),
        ("innovation", "fen_at_least = 500_000_000", "fen_at_least = 3_000_000_000", f"{TIERS}: expected fen_at_least to ascend, found [3000000000, 2000000000]"),
        ("innovation", "fen_at_least = 500_000_000, centipoints = 200", "fen_at_least = 500_000_000", f"{TIERS}[0] lacks centipoints"),
        ("tax", "from_year = 1994", "from_year = 2020", f"{KINDS}: expected from_year to ascend, found [2020, 2019]"),
        # a date that is not in force
        ("age", '2020-07-16\ncite = "Release of 2020-07-16, Q&A 10"\nvalue = 400', '2020-07-16\ncite = "-"\nvalue = 400\n[[centipoints_less_per_year.from]]\ndate = 2090-01-01\ncite = "-"\nvalue = 0.5', f"{LESS.replace('2017', '2090')}: {POINTS}, found 0.5"),
        ("age", 'above 45 nothing"\nvalue = 2000', 'above 45 nothing"\nvalue = "all"', f'{LESS}: {POINTS}, found "all"'),
        # another unit
        ("age", 'unit = "years"', 'unit = "months"', 'age.toml: full_until_age.unit: expected "years", found "months"'),
        ("education", 'unit = "centipoints, months"', 'unit = "points, months"', 'education.toml: credentials.unit: expected "centipoints, months", found "points, months"'),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense(
    policy: Path, file: str, old: str, new: str, message: str
) -> None:
    """The file, the value, its date, what was expected and what was found are told, in one line."""
    spoil(policy / f"{file}.toml", old, new)
    with pytest.raises(PolicyError) as raised:
        edition(policy, LATEST)
    assert str(raised.value) == message


class Leaf(NamedTuple):
    """A plain value somewhere in a policy file."""

    make: type
    file: str
    path: tuple[str | int, ...]
    value: Any

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join(map(str, self.path))}"


PARAMS = {
    **{name: module.Params for name, module in RULES.items()},
    "counted_months": counted_months.Params,
    "what_if": Bounds,
}
TEXTS = {
    **{
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in POLICY.glob("*.toml")
    },
    "what_if": tomllib.loads((ROOT / "data" / "what_if.toml").read_text(encoding="utf-8")),
}


def leaves(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every plain value below a value, with the way to it."""
    below = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in below:
        if isinstance(each, dict | list):
            yield from leaves(each, (*path, key))
        else:
            yield (*path, key), each


LEAVES = [
    Leaf(make, file, path, value)
    for file, make in PARAMS.items()
    for path, value in leaves(TEXTS[file])
    if "value" in path
]
WHOLE = [leaf for leaf in LEAVES if type(leaf.value) is int]


def load_with(leaf: Leaf, other: Any) -> None:
    """Load the file of a value with another in its place, as of the last edition."""
    text = deepcopy(TEXTS[leaf.file])
    within = text
    for key in leaf.path[:-1]:
        within = within[key]
    within[leaf.path[-1]] = other
    stated(leaf.make, leaf.file, text, max(LATEST, date(2026, 4, 20)))


def require_told(leaf: Leaf, other: Any) -> None:
    """Require that another value in the place of one is told by file, key and date."""
    key, _, place, *_ = leaf.path
    dated = TEXTS[leaf.file][key]["from"][place]["date"]
    with pytest.raises(PolicyError) as raised:
        load_with(leaf, other)
    assert str(raised.value).startswith(f"{leaf.file}.toml: {key}.from[{dated}].value")
    assert ": expected " in str(raised.value)
    assert ", found " in str(raised.value)


def test_the_values_are_all_there() -> None:
    """The walk below meets every rule that has a value, and loads each as it is."""
    assert len(WHOLE) > 100
    assert {leaf.file for leaf in LEAVES} == {
        name for name, make in PARAMS.items() if make.__dataclass_fields__
    }
    for leaf in LEAVES:
        load_with(leaf, leaf.value)


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_no_value_of_another_type_passes(leaf: Leaf) -> None:
    """Each value of each file in turn, as every type that TOML has and none."""
    moment = datetime(2020, 7, 16)  # noqa: DTZ001 (TOML's local time)
    others = [True, False, 0, 1, 2.0, "2", moment, moment.time(), date(2020, 7, 1), [], {}, None]
    for other in (*others, str(leaf.value), [leaf.value], {"value": leaf.value}):
        if type(other) is not type(leaf.value):
            require_told(leaf, other)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(WHOLE),
    st.floats() | st.booleans() | st.text() | st.none() | st.dates() | st.datetimes(),
)
def test_nothing_passes_for_a_whole_number(leaf: Leaf, other: Any) -> None:
    """Not even the same amount as a float."""
    require_told(leaf, other)
    require_told(leaf, float(leaf.value))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(WHOLE), st.integers(10**16, 10**40), st.sampled_from([-1, 1]))
def test_no_number_is_too_large_to_be_told(leaf: Leaf, size: int, sign: int) -> None:
    """No bound is left out, at either end."""
    require_told(leaf, sign * size)


def test_tables_by_code_have_every_code() -> None:
    """A code that is new is missing in policy of before: here it is said whether it may be."""
    for table, codes in (
        (retirement_age.YearsByClass, "retirement_class"),
        (education_deduction_limited.AtMostByLevel, "education_level"),
    ):
        assert list(table.__annotations__) == CODES[codes]


def test_a_run_with_a_wrong_value_reads_and_publishes_nothing(
    delivery: Path, tmp_path: Path
) -> None:
    """Exit status 2, one line, no warehouse."""
    data = Path(shutil.copytree(ROOT / "data", tmp_path / "data"))
    spoil(data / "policy" / "age.toml", "value = 45\n", "value = 45.5\n")
    warehouse = tmp_path / "w"
    order = ["run", "2020", "--feeds", str(delivery), "--data", str(data), "--direct"]
    done = CliRunner().invoke(app, [*order, "--warehouse", str(warehouse)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"luohu: {AGE}, found 45.5\n"
    assert not warehouse.exists()


def test_a_simulation_with_a_wrong_value_writes_nothing(tmp_path: Path) -> None:
    data = Path(shutil.copytree(ROOT / "data", tmp_path / "data"))
    spoil(data / "policy" / "age.toml", "value = 45\n", "value = 45.5\n")
    order = ["simulate", "2020", "--out", str(tmp_path / "feeds"), "--data", str(data)]
    done = CliRunner().invoke(app, order)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"luohu: {AGE}, found 45.5\n"
    assert not (tmp_path / "feeds").exists()


def test_an_audit_finds_a_wrong_value_in_the_pinned_policy(
    published: tuple[Path, Outcome], tmp_path: Path
) -> None:
    """What was pinned was right; what lies there now is told, and nothing breaks."""
    warehouse = Path(shutil.copytree(published[0], tmp_path / "w"))
    (path,) = warehouse.glob("runs/2020/*/pinned/policy/age.toml")
    spoil(path, "value = 45\n", "value = 45.5\n")
    found = audit(2020, warehouse)
    assert not found.passed
    told = [each.message for each in found.findings if "45.5" in each.message]
    assert told == [f"the run cannot be repeated to its end: {AGE}, found 45.5"]


# --- editions ------------------------------------------------------------------------------------


def test_no_edition_yet() -> None:
    """Before the first edition there is nothing to score by."""
    before = FIRST - A_DAY
    expected = rf"^editions\.toml: edition has no value in force on {before}$"
    with pytest.raises(PolicyError, match=expected):
        edition(POLICY, before)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("counted_months = ", "counted = ", "lacks counted_months"),
        ("cite = ", "source = ", "lacks cite"),
        ("conditions = ", "order = []\nconditions = ", "has unknown order"),
        ("name = ", "name = 1\nname = ", "overwrite"),
        ('name = "trial"', "name = 7", "edition[7].name: expected a text that is not blank, found 7"),
        ("published = 2016-08-11", 'published = "2016"', "edition[trial].published: expected a day"),
        ('name = "trial"', 'name = "\\n"', 'edition[ ].name: expected a text that is not blank, found "'),
        ('age = "age"', "age = 45", "edition[trial].indicators.age: expected a text that is not"),
        ("conditions = {", "conditions = 5 # {", "edition[trial].conditions: expected a table, found 5"),
        ("[[edition]]", "[[editions]]", "expected [[edition]] tables and nothing else"),
    ],
)  # fmt: skip
def test_edition_that_cannot_be_trusted(policy: Path, old: str, new: str, message: str) -> None:
    """An edition says all of what it must, and no more."""
    spoil(policy / "editions.toml", old, new)
    with pytest.raises(PolicyError) as raised:
        edition(policy, LATEST)
    assert str(raised.value).startswith("editions.toml: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(("days", "problem"), [(0, "repeated"), (-1, "out of order")])
def test_editions_ascend(policy: Path, days: int, problem: str) -> None:
    """Two editions of one day, or in the wrong order, are refused."""
    path = policy / "editions.toml"
    text = path.read_text(encoding="utf-8")
    last = text[text.rindex("[[edition]]") :]
    again = LATEST + timedelta(days=days)
    path.write_text(
        text + "\n" + last.replace(f"\ndate = {LATEST}", f"\ndate = {again}"), encoding="utf-8"
    )
    with pytest.raises(PolicyError, match=rf"^editions\.toml: edition: date {again} is {problem}$"):
        edition(policy, LATEST)


def test_no_gap_in_time() -> None:
    """An edition builds on every date written in the policy and on the day before; not earlier."""
    written = {each for _, text in policy_texts() for each in dates_in(text)}
    days = sorted(written | {each - A_DAY for each in written})
    assert FIRST in days
    for each in days:
        if each >= FIRST:
            edition(POLICY, each)
        else:
            with pytest.raises(PolicyError, match=str(each)):
                edition(POLICY, each)


def test_every_value_has_a_cite() -> None:
    """Each dated value rests on a text, and so does each edition."""
    bare = [
        f"{path.name}: {name} from {dated.get('date')}"
        for path, text in policy_texts()
        if path.name != "editions.toml"
        for name, dated in values(text)
        if not str(dated.get("cite", "")).strip()
    ]
    assert bare == []
    assert all(entry["cite"].strip() for entry in EDITIONS)


def test_every_rule_has_a_case() -> None:
    """Whatever an edition lists has worked examples under that edition."""
    listed = {
        (entry["name"], name)
        for entry in EDITIONS
        for kind in ("conditions", "indicators")
        for name in entry[kind].values()
    }
    assert listed - worked() == set()
    assert {name for _, name in listed} == set(RULES)


def test_file_stems_agree() -> None:
    """A rule, its numbers and its cases share one stem."""
    numbers = {path.stem for path in POLICY.glob("*.toml")}
    assert numbers - NO_RULE == set(RULES)
    code = {
        path.stem
        for folder in ("conditions", "indicators")
        for path in (ROOT / "transforms" / folder).glob("*.py")
    }
    assert code - {"__init__"} == set(RULES)
    assert {name: module.__name__.split(".")[-1] for name, module in RULES.items()} == {
        name: name for name in RULES
    }
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == set(RULES) | {"total", "ranking"}


# --- rounds --------------------------------------------------------------------------------------


def test_every_round_loads() -> None:
    """Each round file is right, and its edition builds."""
    assert rounds(ROUNDS)
    for year in rounds(ROUNDS):
        this_round = load_round(ROUNDS, year)
        assert this_round.year == year
        assert this_round.cite.strip()
        edition(POLICY, this_round.policy_date)


def test_unknown_round_lists_those_there_are() -> None:
    """A year without a file is an error that helps."""
    there = ", ".join(map(str, rounds(ROUNDS)))
    with pytest.raises(PolicyError, match=rf"^there is no round 1999; rounds: {there}$"):
        load_round(ROUNDS, 1999)


def test_no_rounds_at_all(tmp_path: Path) -> None:
    """An empty folder says so."""
    with pytest.raises(PolicyError, match=r"^there is no round 2020; rounds: none$"):
        load_round(tmp_path, 2020)


def test_permit_date_is_the_reference_date_unless_given(round_files: Path) -> None:
    """The round decides on which day the permit must be valid."""
    this_round = load_round(round_files, 2020)
    assert this_round.permit_date == this_round.reference_date == day("2019-12-31")
    spoil(round_files / "2020.toml", "quota =", "permit_date = 2020-06-30\nquota =")
    assert load_round(round_files, 2020).permit_date == day("2020-06-30")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2019-12-31", "2018-12-31", "reference_date: expected 2019-12-31, found 2018-12-31"),
        ("2019-12-31", "2019-12-30", "reference_date: expected 2019-12-31, found 2019-12-30"),
        ("insured_in = 2020-06-01", "insured_in = 2020-06-15", "insured_in: expected the first day"),
        ("year = 2020", "year = 2021", "year: expected 2020, found 2021"),
        ("year = 2020", "year = 2020.0", "year: expected a year from 1900 to 2199, found 2020.0"),
        ("quota = 6000", "quota = -1", "quota: expected a whole number of places from 0 to"),
        ("quota = 6000", "quota = 6000.0", "0, found 6000.0"),
        ("quota = 6000", "quota = true", "0, found true"),
        ("quota = 6000", f"quota = {10**9}", f"0, found {10**9}"),
        ("quota = 6000", 'quota = 6000\nreceived_on = "2020-08-01"', "received_on: expected a day from"),
        ("from = 2020-07-17T08:00:00", "from = 20200717", "phases.filing.from: expected a day from"),
        ("to = 2020-09-04", 'to = "2020-09-04"', "phases.summary.to: expected a day from"),
        ("to = 2020-09-04", "until = 2020-09-04", "phases.summary has unknown until"),
        ("to = 2020-09-04", "to = 2020-09-05", "phases.query.from: expected a moment not before 2020-09-06 00:00, where phases.summary ends, found 2020-09-05 08:00"),
        ("to = 2020-09-04", "to = 2020-08-15", "phases.summary.to: expected an end after 2020-08-16 00:00"),
        ("from = 2020-10-15", "from = 2020-10-14T23:59:59", "phases.publication.from: expected a moment not before 2020-10-15 00:00"),
        ("[phases.filing]", "[phases.file]", "phases has unknown file"),
        ('cite = "Release of 2020-07-16, Q&A 11"\n[phases.summary]', "cite = 7\n[phases.summary]", "phases.filing.cite: expected a text that is not blank, found 7"),
        ('cite = "Release of 2020-07-16, Q&A 11"\n[phases.summary]', "[phases.summary]", "phases.filing lacks cite"),
        ("settled = 6032", "settled = 6032.0", "published.settled: expected a whole number of people"),
        ("settled = 6032", "setled = 6032", "published has unknown setled"),
        ("cutoff_centipoints = 9713", 'cutoff_centipoints = "97.13"', 'to 100000, found "97.13"'),
        ("[published]", "[[published]]", "published: expected a table, found [{"),
        ("quota = 6000\n", "", "lacks quota"),
        ("policy_date = 2020-07-17", "", "lacks policy_date"),
        ("policy_date = 2020-07-17", 'policy_date = "2020-07-17"', "policy_date: expected a day from"),
        ("policy_date = 2020-07-17", "policy_date = 2020-07-17T00:00:00", "policy_date: expected a day from"),
        ("quota = 6000", "quota = 6000\nquotas = 1", "has unknown quotas; expected"),
        ("quota = 6000", "quota = 6000\nquota = 6000", "overwrite"),
    ],
)  # fmt: skip
def test_a_round_that_cannot_be_trusted(
    round_files: Path, old: str, new: str, message: str
) -> None:
    """Each mistake raises and names the file."""
    spoil(round_files / "2020.toml", old, new)
    with pytest.raises(PolicyError) as raised:
        load_round(round_files, 2020)
    assert "2020.toml: " in str(raised.value) or "2020.toml " in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('employment = "employment"', 'employment = "employer"', "names employer, expected one of"),
        ('employer = "employer"', 'employer = "honour"', "names honour, expected one of"),
    ],
)
def test_an_edition_may_list_rules_of_its_kind_only(
    policy: Path, old: str, new: str, message: str
) -> None:
    spoil(policy / "editions.toml", old, new)
    with pytest.raises(PolicyError, match=message):
        require_every_edition(policy)


def test_an_empty_cite_is_no_cite(policy: Path) -> None:
    path = policy / "age.toml"
    path.write_text(
        path.read_text().replace('cite = "Release of 2020-07-16, Q&A 10"', 'cite = " "')
    )
    with pytest.raises(PolicyError, match="2020-07-16 has no cite"):
        edition(policy, LATEST)
