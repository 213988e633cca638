"""Which phase of a round holds at a moment: half open, bare days, open ends, gaps."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.common.failures import BadUsage, ProcessRefused
from flows.common.settings import DATA, HOME
from flows.process.judge import row_for
from flows.process.rules import rules
from transforms.editions import edition
from transforms.phases import CODES, Phases, Standing, as_text, in_beijing, spans, standing
from transforms.policy import PolicyError
from transforms.rounds import load_round

RULES = rules()
TICK = timedelta(microseconds=1)
OF_2021 = spans("2021", load_round(DATA / "rounds", 2021).phases)


def at(text: str) -> datetime:
    return in_beijing(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("moment", "code", "in_gap"),
    [
        ("2000-01-01", "filing", False),  # nobody knows when it began: open backwards
        ("2021-05-14T19:59:59.999999", "filing", False),
        ("2021-05-14T20:00", "filing", True),
        ("2021-05-15", "summary", False),
        ("2021-06-03T23:59:59", "summary", False),  # a bare day in `to` is within the phase
        ("2021-06-04", "summary", True),
        ("2021-06-04T08:00", "query", False),
        ("2021-06-04T00:00:00+00:00", "query", False),  # the same moment, told in another zone
        ("2021-06-11T12:00:00Z", "query", True),
        ("2021-07-12", "publication", False),
        ("2023-12-31T23:59", "registration", False),
        ("2024-01-01", None, False),
    ],
)
def test_the_phase_of_a_moment(moment: str, code: str | None, in_gap: bool) -> None:
    assert standing(OF_2021, at(moment)) == Standing(code, in_gap)


def test_before_the_first_phase_none_holds_and_the_last_lasts_for_ever() -> None:
    of_2020 = spans("2020", load_round(DATA / "rounds", 2020).phases)
    assert standing(of_2020, at("2020-07-17T07:59")) == Standing(None)
    assert standing(of_2020, at("2150-01-01")) == Standing("publication")


@st.composite
def some_phases(draw: st.DrawFn) -> Phases:
    """Phases whose bounds ascend, some of them left out, as days or as times."""
    codes = [code for code in CODES if draw(st.booleans())]
    days = sorted(
        draw(st.sets(st.integers(1, 4000), min_size=2 * len(codes), max_size=2 * len(codes)))
    )
    found: dict[str, Any] = {}
    start = datetime(2021, 1, 1)  # noqa: DTZ001 (as a round file has it)
    for place, code in enumerate(codes):
        begins, ends = (start + timedelta(days=each) for each in days[2 * place : 2 * place + 2])
        as_days = draw(st.booleans())
        phase: dict[str, Any] = {"cite": "here", "from": begins.date() if as_days else begins}
        if draw(st.booleans()):
            # a bare day reaches to the midnight after it
            phase["to"] = (ends - timedelta(days=1)).date() if as_days else ends
        if place == 0 and draw(st.booleans()):
            del phase["from"]
        found[code] = phase
    return found  # type: ignore[return-value]


@given(some_phases(), st.integers(-24, 4100 * 24))
def test_phases_hold_as_a_plain_replay_says(phases: Phases, hours: int) -> None:
    moment = at("2021-01-01") + timedelta(hours=hours)
    expected, ended = None, True
    last = list(phases)[-1] if phases else None
    for code in CODES:
        if code in phases:
            phase: Any = phases[code]  # type: ignore[literal-required]
            begins, ends = phase.get("from"), phase.get("to")
            if begins is None or in_beijing(begins) <= moment:
                expected = code
                after = timedelta(days=ends is not None and not isinstance(ends, datetime))
                ended = ends is not None and moment >= in_beijing(ends) + after
    found = standing(spans("here", phases), moment)
    if expected is None or (ended and expected == last):
        assert found == Standing(None)
    else:
        assert found == Standing(expected, in_gap=ended)


@given(some_phases())
def test_phases_follow_each_other_and_are_told_as_json(phases: Phases) -> None:
    found = spans("here", phases)
    bounds = [each for span in found for each in span[1:] if each]
    assert bounds == sorted(bounds)
    assert [span.code for span in found] == list(phases) == list(as_text(phases))


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ({"filing": {"from": date(2021, 5, 2), "to": date(2021, 5, 1)}},
         "here: phases.filing.to: expected an end after 2021-05-02 00:00, found 2021-05-02 00:00"),
        ({"filing": {"from": date(2021, 5, 1)}, "query": {"to": date(2021, 6, 1)}},
         "here: phases.query lacks from, as phases.filing has no to"),
        ({"filing": {"to": date(2021, 5, 1)}, "summary": {"from": date(2021, 5, 1)}},
         "here: phases.summary.from: expected a moment not before 2021-05-02 00:00, where phases.filing ends, found 2021-05-01 00:00"),
        ({"query": {"from": date(2021, 5, 1)}, "filing": {"from": date(2021, 5, 2)}},
         "here: phases.query.from: expected a moment after 2021-05-02 00:00, where phases.filing begins, found 2021-05-01 00:00"),
    ],
)  # fmt: skip
def test_phases_that_overlap_name_file_and_key(phases: Any, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        spans("here", phases)
    assert str(refused.value) == message


def test_a_phase_without_from_begins_where_the_one_before_ends() -> None:
    phases: Any = {"filing": {"to": date(2021, 5, 1)}, "summary": {"to": date(2021, 6, 1)}}
    assert standing(spans("here", phases), at("2021-05-02")) == Standing("summary")


# --- What may be done when ------------------------------------------------------------------------

IN = {"filing": "2021-05-01", "summary": "2021-05-20", "query": "2021-06-05",
      "recheck": "2021-06-20", "publication": "2021-07-13", "registration": "2022-01-01",
      "gap after filing": "2021-05-14T21:00", "gap after query": "2021-06-11T21:00",
      "after all": "2024-05-01"}  # fmt: skip
ALWAYS = set(IN)
TO_RECHECK = {"filing", "summary", "query", "recheck", "gap after filing", "gap after query"}
MAY = {
    ("deliver", None): TO_RECHECK,
    ("appeal file", "review"): {"filing", "summary"},  # nothing is filed in a gap
    ("appeal file", "appeal"): {"query"},
    ("appeal withdraw", None): TO_RECHECK,
    ("appeal decide", None): TO_RECHECK,
    ("publish", None): {"recheck", "publication"},
    ("objection file", None): {"publication"},
    ("objection decide", None): {"publication", "registration"},
    ("settle", None): {"registration"},
    **{(each, None): ALWAYS for each in ("run", "sanction", "retract", "tick")},
}


@pytest.mark.parametrize(("operation", "kind"), MAY)
@pytest.mark.parametrize("place", IN)
def test_the_table_of_the_contract(operation: str, kind: str | None, place: str) -> None:
    def asked(**more: Any) -> str | None:
        return row_for(
            RULES, operation, "rounds/2021.toml", OF_2021, at(IN[place]), kind=kind, **more
        ).kind

    if place in MAY[operation, kind]:
        assert asked() == kind
        return
    with pytest.raises(
        ProcessRefused, match=rf"^{operation}: belongs to .+; 20.+--override"
    ) as refused:
        asked()
    wanted = RULES.of(operation)[0].phases[0] if kind is None else None
    assert wanted is None or RULES.titled(wanted) in str(refused.value)
    assert asked(override=True) == kind


def test_the_kind_of_an_appeal_follows_from_the_phase_or_is_told() -> None:
    def kind(moment: str, **more: Any) -> str | None:
        return row_for(RULES, "appeal file", "here", OF_2021, at(moment), **more).kind

    assert kind("2021-05-20") == "review"
    assert kind("2021-06-05") == "appeal"
    with pytest.raises(BadUsage, match=r"^--kind: expected one of review, appeal with --override"):
        kind("2021-07-13", override=True)
    assert kind("2021-07-13", override=True, kind="appeal") == "appeal"
    came = at("2021-05-20")
    assert kind("2021-07-13", override=True, received_on=came) == "review"
    with pytest.raises(ProcessRefused, match=r"^--received-on: what is entered late needs"):
        kind("2021-07-13", received_on=came)
    with pytest.raises(BadUsage, match=r"^--received-on: expected a time up to 2021-05-20 00:00"):
        kind("2021-05-20", override=True, received_on=at("2021-05-21"))


def test_what_a_round_does_not_say_no_override_replaces() -> None:
    of_2026 = spans("2026", load_round(DATA / "rounds", 2026).phases)
    for more in ({}, {"override": True}):
        with pytest.raises(ProcessRefused) as refused:
            row_for(RULES, "settle", "rounds/2026.toml", of_2026, at("2026-11-01"), **more)
        assert str(refused.value) == (
            "settle: belongs to registration 落户办理, and rounds/2026.toml has none of these: add"
            " [phases.registration] there, with from, to and cite; no override replaces it"
        )
    assert row_for(RULES, "run", "rounds/2026.toml", (), at("2026-11-01")).name == "run"


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    assert in_beijing(datetime(2021, 6, 4, tzinfo=UTC)) == at("2021-06-04T08:00")


READ_BY = {"insurance": {"social_insurance"}, "counted": {"social_insurance"},
           "careers": {"social_insurance"}, "applicants": {"applications"},
           "credential": {"applications", "education"}}  # fmt: skip


@pytest.mark.parametrize("year", [2018, 2020])
def test_a_subject_rests_on_what_its_rules_read(year: int) -> None:
    """Every feed that a rule of an edition asks for is one that a decision on it may name."""
    day = load_round(DATA / "rounds", year).policy_date
    of_year = edition(DATA / "policy", day)
    for kind in ("indicators", "conditions"):
        for name, rule in getattr(of_year, kind).items():
            text = "".join(  # of the rule, and of the one that it is like
                (HOME / "transforms" / kind / f"{each}.py").read_text(encoding="utf-8")
                for each in (rule.name, name)
            )
            read = set(re.findall(r"facts\.feeds\[\"(\w+)\"\]", text))
            for part in re.findall(r"facts\.(\w+)", text):
                read |= READ_BY.get(part, set())
            assert read, name
            # who applied, every rule may ask; months only order credentials of equal points
            beside = {"applications"} | ({"social_insurance"} if name == "education" else set())
            assert read - beside <= set(RULES.subject(name).feeds), name
