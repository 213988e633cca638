"""People who are not on the published list: whatever is asked however often, only twenty and more show."""

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shown import shown_round

from flows.public.rounds.outside import FEWEST, outside
from flows.public.rounds.place_of_total import where
from flows.public.rounds.shown_round import ShownRound
from flows.public.rounds.typed import BadTotal, typed_total
from flows.public.web.round_page import round_page
from schemas.results import INDICATORS

Totals = list[int]


def drawn(seed: int, people: int, middle: int, spread: int, step: int = 1) -> Totals:
    """Totals around a middle."""
    by_chance = random.Random(seed)
    return [int(by_chance.gauss(middle, spread)) // step * step for _ in range(people)]


# what a round may be like -> its totals and its quota
ROUNDS: dict[str, tuple[Totals, int]] = {
    "crowded": (drawn(1, 3000, 8000, 600), 700),
    "in few steps": (drawn(2, 3000, 8000, 600, step=100), 700),
    "sparse": ([*drawn(3, 60, 9000, 300), *drawn(3, 90, 2000, 1500)], 50),
    "negative": (drawn(4, 400, -500, 2000), 120),
    "one below": ([*drawn(5, 40, 9000, 100), 3], 40),
    "nineteen below": ([9000] * 20 + list(range(8000, 8019)), 20),
    "twenty below": ([9000] * 20 + list(range(8000, 8020)), 20),
    "all alike": ([5000] * 500, 3),
    "tied at the lowest": ([9000] * 1049 + [100, 99, 99], 1000),
    "a pair past the middle": ([9000] * 1000 + [500 - n for n in range(48)] + [1, 1], 1000),
    "a crowd in one total": ([9000] * 30 + [500] * 700 + list(range(60)), 30),
    "everybody settles": (drawn(6, 300, 8000, 500), 1000),
    "tiny": ([5], 1),
    "no place": (drawn(7, 300, 8000, 500), 0),
    "nobody": ([], 10),
}


def probed(totals: Totals, this_round: ShownRound) -> range:
    """Every hundredth of a point from below the lowest to above the highest."""
    return range(min(totals, default=0) - 3, max(totals, default=0) + 4)


@pytest.mark.parametrize("name", ROUNDS)
def test_probing_every_hundredth_tells_of_nobody(name: str) -> None:
    totals, quota = ROUNDS[name]
    this_round = shown_round(totals, quota)
    line = this_round.line
    above = sorted(totals)
    answered = defaultdict(list)
    for total in probed(totals, this_round):
        found = where(this_round, total)
        exact = (
            1 + sum(each > total for each in above)
            if len(above) < 500
            else exact_place(above, total)
        )
        if line is None:
            assert (found.gap, found.place, found.about) == (None, None, None)
            continue
        assert found.gap == total - line
        if total >= line:
            assert (found.place, found.about) == (exact, None)
            continue
        assert found.place is None
        answered[found.about].append(total)
        if found.about is not None:
            assert found.about % 100 == 0
            assert abs(found.about - exact) <= 50, (total, exact, found)
    for about, given_to in answered.items():
        if about is not None:  # one answer, one stretch of totals, with people enough in it
            assert given_to == list(range(given_to[0], given_to[-1] + 1))
            assert sum(given_to[0] <= total <= given_to[-1] for total in totals) >= FEWEST


def exact_place(ascending: Sequence[int], total: int) -> int:
    return 1 + len(ascending) - bisect_right(ascending, total)


@pytest.mark.parametrize("name", ["crowded", "sparse", "in few steps"])
def test_a_place_is_given_wherever_it_may_be(name: str) -> None:
    """The rule of the contract, said once more: every hundred that twenty people stand in has its answer."""
    totals, quota = ROUNDS[name]
    this_round = shown_round(totals, quota)
    ascending = sorted(totals)
    below = [total for total in totals if total < this_round.line]
    hundreds = defaultdict(list)
    for total in below:
        hundreds[(exact_place(ascending, total) + 50) // 100 * 100].append(total)
    for hundred, people in hundreds.items():
        expected = hundred if len(people) >= FEWEST else None
        if min(people) > min(below):  # the lowest ones share theirs with whoever has less
            assert {where(this_round, total).about for total in people} == {expected}


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.integers(-300, 900), max_size=150),
    st.integers(0, 80),
    st.integers(0, 40),
    st.sampled_from([1, 7, 60]),
)
@example([100] * 20 + [50] * 19, 20, 0, 1)
@example([], 0, 0, 1)
def test_numbers_and_bars_are_of_twenty_and_more(
    totals: Totals, quota: int, ineligible: int, step: int
) -> None:
    totals = [total // step * step for total in totals]
    this_round = shown_round(totals, quota, ineligible=ineligible)
    others, line = this_round.outside, this_round.line
    below = [total for total in totals if line is None or total < line]
    # what can be worked out from the figures: nothing smaller than twenty, but where the law leaves nobody
    nobody_by_law = this_round.settled < quota
    if others.below is not None:
        assert others.below == len(below)
        assert others.eligible == len(totals)
        assert len(below) >= FEWEST or (nobody_by_law and not below)
    else:
        assert others.eligible is None
        assert others.means == {}
    if others.applications is not None:
        assert others.applications == len(totals) + ineligible
        known = this_round.settled if others.eligible is None else others.eligible
        assert others.applications - known >= FEWEST
    bars = [each for each in others.spans if line is None or each.low < line]
    assert all(each.people >= FEWEST for each in bars)
    assert sum(each.people for each in bars) in ({len(below)} if bars else {0})
    assert all(one.high == next_one.low for one, next_one in pairwise(bars))
    if bars and line is not None:
        assert bars[-1].high == line
        assert others.below is not None
    # of the list every bar is as it is
    listed = [each for each in others.spans if each not in bars]
    assert sum(each.people for each in listed) == this_round.settled
    assert all(place <= this_round.settled for place, _ in this_round.segments)


@pytest.mark.parametrize("name", ROUNDS)
def test_bars_and_answers_together_tell_of_twenty_and_more(name: str) -> None:
    """Where a bar begins, an answer turns too, or twenty people stand between: no difference tells of few."""
    totals, quota = ROUNDS[name]
    this_round = shown_round(totals, quota)
    line, others = this_round.line, this_round.outside
    bars = [each for each in others.spans if line is None or each.low < line]
    turns = {total for total, _ in others.answers[1:]}
    for edge in {bar.low for bar in bars[1:]} - turns:
        for total in turns:
            low, high = sorted((edge, total))
            between = sum(low <= each < high for each in totals)
            assert not between or between >= FEWEST, (edge, total)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=300, unique=True),
    st.integers(1, 60),
    st.integers(1, 100_000),
)
def test_how_low_the_lowest_is_shows_nowhere(totals: Totals, quota: int, lower: int) -> None:
    lowest = min(totals)
    other = [total - lower if total == lowest else total for total in totals]
    one, two = shown_round(totals, quota), shown_round(other, quota)
    if len(totals) > quota:
        assert one.outside.spans == two.outside.spans
        assert one.outside.answers == two.outside.answers


def test_a_mean_below_the_line_never_tells_of_few() -> None:
    """A mean times the number of people is the sum: where nearly all have the same, it shows the others."""
    people, few = 500, 3

    def means(honoured: int) -> dict[str, int | None]:
        below = pl.DataFrame(
            {
                **{name: [0] * people for name in INDICATORS},
                "employment": list(range(4000, 4000 + people)),
                "honour": [2000] * honoured + [0] * (people - honoured),
            }
        ).with_columns(total=pl.sum_horizontal(INDICATORS))
        settled = pl.Series([9000] * 50, dtype=pl.Int64)
        return dict(outside(below, quota=50, applications=5000, settled=settled).means)

    assert means(few)["honour"] is None
    assert means(0)["honour"] is None  # and nobody is told apart from few
    assert means(people - few)["honour"] is None
    assert means(few)["employment"] == means(0)["employment"] == 4250
    assert means(few)["total"] is None  # less the others it would be the one that is left out
    assert means(FEWEST)["honour"] == 80


@pytest.mark.parametrize("name", ROUNDS)
def test_every_round_has_a_page(name: str) -> None:
    totals, quota = ROUNDS[name]
    this_round = shown_round(totals, quota)
    for total in (None, -5, 8000, 200_000):
        page = round_page(this_round, typed="8", asked=total)
        assert "同分怎么处理" in page
    if len(totals) - this_round.settled in range(1, FEWEST):
        assert "&lt;20" in page
        assert f">{len(totals):,}<" not in page


@pytest.mark.parametrize(
    ("totals", "quota", "says"),
    [
        ([9] * 3 + [8] * 40, 2, "同分的 3 人全部落户，共落户 3 人，比计划多 1 人"),
        ([9, 8, 7] + [1] * 40, 3, "都在计划的 3 人之内"),
        ([9, 8], 5, "2 人全部落户"),
        ([9, 8], 5, "其余 3 个名额没有使用"),
        ([], 5, "没有符合申请条件的申请人参加排名"),
        ([9] * 30, 0, "本年度计划落户 0 人"),
    ],
)
def test_how_equal_totals_were_treated(totals: Totals, quota: int, says: str) -> None:
    assert says in round_page(shown_round(totals, quota))


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("97.13", 9713), ("97", 9700), ("97.1", 9710), ("97.", 9700), ("９７．１３", 9713), (" 97.13分 ", 9713),
        ("-3", -300), ("−3.5", -350), ("－３", -300), ("+3", 300), ("97.130", 9713), ("0", 0), ("1000", 100_000),
        ("　97　", 9700), ("007", 700),
    ],
)  # fmt: skip
def test_a_total_is_read(text: str, total: int) -> None:
    assert typed_total(text) == total


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "请填写总积分"), ("  ", "请填写总积分"), ("分", "请填写总积分"), ("1e3", "数字"), ("abc", "数字"),
        ("97,13", "数字"), ("1_000", "数字"), ("97.13.1", "数字"), (".5", "数字"), ("٩٧", "数字"), ("²", "数字"),
        ("nan", "数字"), ("inf", "数字"), ("--3", "数字"), ("9" * 5000, "数字"), ("0x10", "数字"), ("97\x00", "数字"),
        ("97.133", "两位小数"), ("1000.01", "1000"), ("-99999", "1000"),
    ],
)  # fmt: skip
def test_what_is_no_total_is_told(text: str, says: str) -> None:
    with pytest.raises(BadTotal, match=says):
        typed_total(text)
