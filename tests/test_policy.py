"""Policy and rounds as data: what cannot be trusted raises and says where; nothing has a gap."""

import shutil
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cases import FOLDER, ROOT, load_cases

from transforms.conditions import CONDITIONS
from transforms.counted_months import Params as CountedMonths
from transforms.indicators import INDICATORS
from transforms.policy import Edition, PolicyError, edition, params, rule
from transforms.rounds import load_round, rounds
from transforms.scorecard import require_rules

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


def build(on: date) -> Edition:
    """The edition in force, with the `Params` of every rule it lists filled."""
    built = edition(POLICY, on)
    params(CountedMonths, built.counted_months)
    for listed in (*built.conditions.values(), *built.indicators.values()):
        params(RULES[listed.name].Params, listed)
    return built


def require_every_edition(folder: Path) -> None:
    """Require the rules of each edition in a policy folder."""
    for entry in EDITIONS:
        require_rules(edition(folder, entry["date"]))


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
    found = rule(bonus(tmp_path), "bonus", day(on))
    assert found.values == {"centipoints": value}
    assert (found.title, found.title_zh, found.clause) == ("Bonus", "加分", "Measures art. 99")
    assert found.clause_zh is None  # no run pinned before there was one has it
    assert found.dated["centipoints"].cite == f"Measures {act}, art. 99"


def test_value_not_yet_in_force(tmp_path: Path) -> None:
    """Before its first date there is no value: the file, the value and the date are named."""
    expected = r"^bonus\.toml: centipoints has no value in force on 2017-12-31$"
    with pytest.raises(PolicyError, match=expected):
        rule(bonus(tmp_path), "bonus", day("2017-12-31"))


def test_repealed_value(tmp_path: Path) -> None:
    """A cite without a value repeals from its date on, not before."""
    folder = bonus(tmp_path, "value = 200\n", "")
    assert rule(folder, "bonus", day("2019-12-31")).values == {"centipoints": 100}
    expected = (
        r"^bonus\.toml: centipoints has no value in force on 2020-01-01: repealed by Measures 2020"
    )
    with pytest.raises(PolicyError, match=expected):
        rule(folder, "bonus", day("2020-01-01"))


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
        ('clause = "Measures art. 99"\n', "", "clause is missing"),
        ('title = "Bonus"', 'title = "Bonus"\nclause_zh = 99', "clause_zh is missing"),
        ('title_zh = "加分"', "", "title_zh is missing"),
        ('title = "Bonus"', 'title = "Bonus"\nbonus = 5', "bonus lacks"),
        ('title = "Bonus"', 'title = "Bonus"\ntitle = "Bonus"', "overwrite"),
        ("value = 100", "value = 100\nvalue = 100", "overwrite"),
        ("value = 100", "value = 0100", "bonus.toml: "),
    ],
)
def test_a_file_that_cannot_be_trusted(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each mistake raises, also when the entry it is in is not the one in force."""
    folder = bonus(tmp_path, old, new)
    with pytest.raises(PolicyError) as raised:
        rule(folder, "bonus", day("2020-07-17"))
    assert str(raised.value).startswith("bonus.toml: ")
    assert message in str(raised.value)


def test_repeated_table_is_refused(tmp_path: Path) -> None:
    """TOML refuses a key that is there twice; we name the file."""
    folder = bonus(tmp_path, GOOD, GOOD + '[centipoints]\nmeaning = "again"\n')
    with pytest.raises(PolicyError, match=r"^bonus\.toml: .*centipoints"):
        rule(folder, "bonus", day("2020-07-17"))


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
    built = edition(policy, LATEST)
    module = INDICATORS["employment"]
    with pytest.raises(
        PolicyError, match=r"^employment\.toml in force on 2020-07-16 lacks centipoints_per_month$"
    ):
        params(module.Params, built.indicators["employment"])


def test_value_no_rule_knows(policy: Path) -> None:
    """A value more than the rule has is as wrong as one less."""
    path = policy / "employment.toml"
    more = GOOD[GOOD.index("[centipoints]") :].replace("centipoints]", "bonus]")
    path.write_text(
        path.read_text(encoding="utf-8") + more.replace("centipoints.", "bonus."), encoding="utf-8"
    )
    built = edition(policy, LATEST)
    with pytest.raises(
        PolicyError, match=r"^employment\.toml in force on 2020-07-16 has unknown bonus; expected"
    ):
        params(INDICATORS["employment"].Params, built.indicators["employment"])


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
    ],
)
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
            build(each)
        else:
            with pytest.raises(PolicyError, match=str(each)):
                build(each)


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
    on = {case.made.policy_date for case in load_cases()}
    of_date = {each: edition(POLICY, each).name for each in on}
    worked = {(of_date[case.made.policy_date], case.rule) for case in load_cases()}
    assert listed - worked == set()
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
        made = load_round(ROUNDS, year)
        assert made.year == year
        assert made.cite.strip()
        build(made.policy_date)


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
    made = load_round(round_files, 2020)
    assert made.permit_date == made.reference_date == day("2019-12-31")
    spoil(round_files / "2020.toml", "quota =", "permit_date = 2020-06-30\nquota =")
    assert load_round(round_files, 2020).permit_date == day("2020-06-30")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2019-12-31", "2018-12-31", "reference_date is 2018-12-31, expected 2019-12-31"),
        ("2019-12-31", "2019-12-30", "reference_date is 2019-12-30, expected 2019-12-31"),
        ("insured_in = 2020-06-01", "insured_in = 2020-06-15", "insured_in is 2020-06-15"),
        ("year = 2020", "year = 2021", "year is 2021, expected 2020"),
        ("quota = 6000", "quota = -1", "quota is -1"),
        ("quota = 6000", "quota = 6000.0", "quota is 6000.0"),
        ("quota = 6000", "quota = true", "quota is True"),
        ("quota = 6000\n", "", "lacks quota"),
        ("policy_date = 2020-07-17", "", "lacks policy_date"),
        ("policy_date = 2020-07-17", 'policy_date = "2020-07-17"', "expected a date"),
        ("policy_date = 2020-07-17", "policy_date = 2020-07-17T00:00:00", "expected a date"),
        ("quota = 6000", "quota = 6000\nquotas = 1", "has unknown quotas; expected"),
        ("quota = 6000", "quota = 6000\nquota = 6000", "overwrite"),
    ],
)
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
