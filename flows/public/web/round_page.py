"""What the page of a round shows: figures, charts and sentences."""

import json
from collections import Counter
from functools import cache
from typing import Any

from flows.common.settings import DATA
from flows.public.letters.common import words_of_letters
from flows.public.letters.phases import spans_of, when
from flows.public.rounds.place_of_total import Standing, where
from flows.public.rounds.shown_round import ShownRound
from flows.public.rounds.typed import MOST, WRONG
from flows.public.web.addresses import SERVER, Addresses
from flows.public.web.pages import page, points
from flows.run.report import charts
from transforms.rounds import rounds

Content = dict[str, Any]
PUBLICATION = "publication"  # the phase

# what is said of a total; a page without a server has them for its script
SAID = {
    "above": "{total} 分达到落户分值，高出 {gap} 分，在名单中排第 {place} 位。",
    "equal": "{total} 分正好是落户分值，在名单中排第 {place} 位。",
    "about": "{total} 分没有达到落户分值，低 {gap} 分，约排第 {place} 位（取整到百位）。",
    "first": "{total} 分没有达到落户分值，低 {gap} 分，约排在前 50 位。",
    "no_place": "{total} 分没有达到落户分值，低 {gap} 分。这一分数附近的人太少，不提供位次。",
    "no_line": "本年度没有落户分值，无法比较。",
}


def round_page(
    this_round: ShownRound, at: Addresses = SERVER, typed: str | None = None, asked: Any = None
) -> str:
    """The announcement of a round; `asked` is a total to be found in it, or what is wrong with `typed`."""
    standing = where(this_round, asked) if isinstance(asked, int) else None
    return page(
        "round.html",
        at,
        this_round=this_round,
        outside=this_round.outside,
        tie=tie(this_round),
        objections=None if this_round.preliminary else publicity(this_round.year),
        distribution=distribution(this_round),
        you=you(this_round, standing),
        means=means(this_round),
        typed=typed or "",
        wrong=asked if isinstance(asked, str) else None,
        standing=standing,
        said=standing and said(standing),
        for_script=None if at.served else for_script(this_round),
    )


def tie(this_round: ShownRound) -> list[str]:
    """How equal totals at the line were treated (同分同落), in sentences."""
    quota, settled, tied = this_round.quota, this_round.settled, this_round.tied
    if this_round.line is None:
        nobody = "没有符合申请条件的申请人参加排名" if quota else "本年度计划落户 0 人"
        return [f"{nobody}，因此没有落户分值，无人落户。"]
    line = points(this_round.line)
    if settled < quota:
        return [
            f"参加排名的申请人少于计划的 {quota:,} 人，{settled:,} 人全部落户。",
            f"落户分值是其中的最低分 {line} 分；其余 {quota - settled:,} 个名额没有使用。",
        ]
    found = [f"总积分由高到低排序，第 {quota:,} 位的总积分是 {line} 分，即本年度落户分值。"]
    if settled == quota:
        return [*found, f"总积分为 {line} 分的共 {tied:,} 人，都在计划的 {quota:,} 人之内。"]
    return [
        *found,
        f"高于落户分值的有 {settled - tied:,} 人，正好为落户分值的有 {tied:,} 人。",
        f"同分同落：同分的 {tied:,} 人全部落户，共落户 {settled:,} 人，比计划多 {settled - quota:,} 人。",
    ]


@cache
def publicity(year: int) -> str:
    """From when until when a published list may be objected to, as far as the round's file knows it."""
    found = (
        {span.code: span for span in spans_of(DATA, year)}
        if year in rounds(DATA / "rounds")
        else {}
    )
    return when(found.get(PUBLICATION), words_of_letters())


def spans(this_round: ShownRound) -> list[tuple[int, int, int]]:
    """The bars of the pool."""
    return [(each.low, each.high, each.people) for each in this_round.outside.spans]


def distribution(this_round: ShownRound) -> charts.Chart | None:
    """The pool with the line, where there is anybody to show."""
    bars = spans(this_round)
    return charts.spread(bars, this_round.outside.step, this_round.line) if bars else None


def you(this_round: ShownRound, standing: Standing | None) -> charts.Mark | None:
    """A total on the same chart."""
    bars = spans(this_round)
    if not bars or standing is None:
        return None
    return charts.mark(standing.total, charts.ends(bars, this_round.outside.step), this_round.line)


def said(standing: Standing) -> str:
    """Where a total stands, in a sentence."""
    given = standing.gap
    name = (
        "no_line" if given is None
        else ("above" if given else "equal") if standing.place is not None
        else "no_place" if standing.about is None
        else "about" if standing.about else "first"
    )  # fmt: skip
    place = standing.place if standing.place is not None else standing.about
    return SAID[name].format(
        total=points(standing.total), gap=points(abs(given or 0)), place=f"{place or 0:,}"
    )


def for_script(this_round: ShownRound) -> str:
    """What a page without a server needs to find a total: the list's totals, and the answers below."""
    bars = spans(this_round)
    totals = Counter(this_round.totals)
    return json.dumps(
        {
            "line": this_round.line,
            "totals": sorted(totals.items(), reverse=True),
            "answers": this_round.outside.answers,
            "ends": charts.ends(bars, this_round.outside.step) if bars else None,
            "base": charts.TOP + charts.HEIGHT,
            "edge": charts.EDGE,
            "most": MOST,
            "said": SAID,
            "wrong": WRONG,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def means(this_round: ShownRound) -> Content | None:
    """Mean points by indicator, of the list and below the line."""
    if not this_round.means and not this_round.outside.means:
        return None
    below = this_round.outside.means
    named = {**this_round.titles, "total": "总积分"}
    rows = [
        ((title, ""), this_round.means.get(name), below.get(name)) for name, title in named.items()
    ]
    bars, across = charts.pairs([(a or 0, b or 0) for _, a, b in rows[:-1]])
    return {"rows": rows, "bars": bars, "across": across}
