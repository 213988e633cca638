"""What can still be done (还能做什么): the coming years of an applicant of a past run, a section of the page.

It stands apart from what would have been enough then: that looks back, this looks ahead, by the rules of
each year as they are known today and against lines that go on growing as they did.
"""

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType

from flows.common.points import centipoints, in_text
from flows.common.rounds import edition_of, round_of
from flows.explain.coming_years import Lines, Year, coming_years, lines_of
from flows.explain.coming_years.going_on import latest_work
from flows.explain.coming_years.years import RETIRED
from flows.explain.page import width_of
from flows.explain.text_tables import REST, Column, strong, table, text
from flows.explain.what_if.accepted_rows import Records
from flows.explain.words import Words
from flows.kept.past_run import PastRun, pinned
from flows.kept.tables import table as table_of

MOST_YEARS = 8


def show_still_possible(past: PastRun, of: Records, words: Words) -> None:
    """Print the section."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = width = width_of(console)
    console.print(strong(f"\n{words.say('forward', 'heading')}", width))
    console.print(*still_possible(past, of, words, width), sep="\n")


def still_possible(past: PastRun, of: Records, words: Words, width: int) -> list[RenderableType]:
    """What is assumed, the first year that is enough, year by year."""
    this_round = pinned(past.directory, past.year).round()
    own = table_of(past.directory, "rounds").select(centipoints("cutoff")).collect().item()
    lines = lines_of(own={} if own is None else {past.year: own})
    years = [*coming_years(of, this_round, lines, most=MOST_YEARS)][1:]
    works = latest_work(of, this_round) is not None
    message = "\n".join(sentences(years, lines, words, works=works))
    return [text(message, width), *([by_year(years, words, width)] if years else [])]


def sentences(years: list[Year], lines: Lines, words: Words, *, works: bool) -> Iterator[str]:
    """What is assumed, and when the line is reached."""
    yield words.say("forward", "assumed_work" if works else "assumed_no_work")
    if any(not each.official for each in years):
        yield words.say("forward", "lines", growth=in_text(lines.growth))
    enough = next((each for each in years if each.enough), None)
    if enough and enough.line is not None:
        points, line = in_text(enough.total), in_text(enough.line)
        yield words.say("forward", "first", year=enough.year, points=points, line=line)
    elif years:
        yield words.say("forward", "never", year=years[-1].year)
    for each in years:
        if RETIRED in each.failing:
            yield words.say("forward", "retired", year=each.year)


def by_year(years: Iterable[Year], words: Words, width: int) -> RenderableType:
    """Each year: total, line, what lies between them, the conditions that fail."""
    cells = {"year": 8, "total": 10, "line": 12, "gap": 10}
    columns = [Column(words.say("forward", name), size, "right") for name, size in cells.items()]
    columns.append(Column(words.say("forward", "failing"), REST))
    rows = [
        [
            str(each.year),
            in_text(each.total),
            "" if each.line is None else in_text(each.line) + "*" * (not each.official),
            "" if each.line is None else in_text(each.total - each.line),
            words.listed(titles(each, words)),
        ]
        for each in years
    ]
    return table(columns, rows, width)


def titles(year: Year, words: Words) -> list[str]:
    """The conditions that fail, as the edition of the year calls them."""
    if not year.failing:
        return []
    rules = edition_of(round_of(year.year).policy_date).conditions
    return [rules[name].title_zh if words.zh else rules[name].title for name in year.failing]
