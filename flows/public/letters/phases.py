"""When the phases of a round are, until when a result can be contested, and what of it is unknown."""

from datetime import datetime, timedelta
from pathlib import Path

from flows.explain.words import Words
from flows.ledger.operations import APPEAL_FILE
from flows.process.rules import Operation, Rules
from transforms.phases import BEIJING, Span, Spans, spans
from transforms.rounds import load_round


def spans_of(data: Path, year: int) -> Spans:
    """The phases of a round as its file has them today: an extended window renames no run."""
    return spans(f"rounds/{year}.toml", load_round(data / "rounds", year).phases)


def times(of_round: Spans, rules: Rules, words: Words) -> dict[str, str]:
    """When each phase is, by its code."""
    known = {span.code: span for span in of_round}
    return {code: when(known.get(code), words) for code in rules.phases}


def kinds(rules: Rules) -> list[Operation]:
    """The ways to contest a result (复查, 申诉), in the order of their phases."""
    return rules.of(APPEAL_FILE)


def windows(of_round: Spans, rules: Rules, words: Words) -> list[str]:
    """Each way to contest a result, and when it is open."""
    known, say = times(of_round, rules, words), words.say
    in_phase = {
        code: say("time", "in_phase", phase=title["title_zh"], time=known[code])
        for code, title in rules.phases.items()
    }
    return [
        say(
            "contest",
            "window",
            kind=each.kind_zh,
            times=say("time", "several").join(in_phase[code] for code in each.phases),
        )
        for each in kinds(rules)
    ]


def when(span: Span | None, words: Words) -> str:
    """From when until when, as far as it is known."""
    begins = clock(span.begins) if span and span.begins else None
    ends = clock(span.ends, last=True) if span and span.ends else None
    if begins and ends:
        return words.say("time", "from_to", begins=begins, ends=ends)
    if begins or ends:
        return words.say("time", "begins" if begins else "ends", begins=begins, ends=ends)
    return words.say("time", "unknown")


def clock(moment: datetime, *, last: bool = False) -> str:
    """A moment of Beijing; midnight is the day it begins, or as an end the day before it."""
    moment = moment.astimezone(BEIJING)
    whole_day = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    day = moment - timedelta(days=1) if whole_day and last else moment
    text = f"{day.year}年{day.month}月{day.day}日"
    if whole_day:
        return text
    return f"{text}{moment.hour}时" + (f"{moment.minute:02}分" if moment.minute else "")
