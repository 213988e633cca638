"""What is the same in all letters of a round: the act, clauses, sources, dates and ways to contest."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flows.common.languages import Language
from flows.explain.law import law
from flows.explain.receipts.source import Source
from flows.explain.words import Words
from flows.process.rules import Rules, rules
from flows.public.letters.phases import kinds, spans_of, times, windows
from flows.public.letters.round_state import Standing
from schemas.feeds import FEEDS
from transforms.policy import Rule

WORDS = Path(__file__).with_name("words.toml")


@cache
def words_of_letters() -> Words:
    """The words of explain's page in Chinese, and those of letters."""
    words = Words(Language.zh)
    words.tree |= tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return words


@dataclass(frozen=True)
class Common:
    """Everything a letter says that is not about its addressee."""

    round: int
    state: str
    published_on: date | None
    rehearsal: bool
    act: str
    clauses: Mapping[str, str | None]  # by file name of the rule
    sources: Mapping[str, str]  # by condition or indicator
    windows: tuple[str, ...]
    times: Mapping[str, str]  # by code of the phase
    timetable: tuple[tuple[str, str], ...]
    kinds: Mapping[str, str]  # of contesting


def common(run: Source, of_round: Standing, data: Path, *, rehearsal: bool) -> Common:
    """What all letters of a run say; raises PolicyError where the phases of the round are wrong."""
    words, its_rules = words_of_letters(), rules(data)
    year = run.this_round.year
    phases = spans_of(data, year)
    in_force = law(run.edition, words)
    of_phases = times(phases, its_rules, words)
    return Common(
        round=year,
        state=of_round.state,
        published_on=of_round.published_on,
        rehearsal=rehearsal,
        act=in_force.act,
        clauses=in_force.clauses,
        sources={
            name: sources(name, rule, run, its_rules, words)
            for listed in (run.edition.conditions, run.edition.indicators)
            for name, rule in listed.items()
        },
        windows=tuple(windows(phases, its_rules, words)),
        times=of_phases,
        timetable=tuple(
            (title["title_zh"], of_phases[code]) for code, title in its_rules.phases.items()
        ),
        kinds={str(each.kind): str(each.kind_zh) for each in kinds(its_rules)},
    )


def sources(name: str, rule: Rule, run: Source, its_rules: Rules, words: Words) -> str:
    """The departments whose records a condition or an indicator rests on, each with what it delivers."""
    fewer: Any = words.tree["rests_on"].get(rule.name)
    feeds = [each for each in fewer or its_rules.subject(name).feeds if run.had(each)]
    by_department: dict[str, list[str]] = {}
    for feed in feeds:
        by_department.setdefault(departments(feed, words), []).append(words.say("feed", feed))
    return words.listed(
        words.say("from", "of", feeds=words.listed(of), department=department)
        for department, of in by_department.items()
    )


def departments(feed: str, words: Words) -> str:
    """Who delivers a feed, by their full names."""
    full: dict[str, str] = words.tree["department"]
    return words.listed(full.get(each, each) for each in FEEDS[feed].department.split(", "))
