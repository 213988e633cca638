"""Plain dates and the numbers of their months, for one applicant's rows."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from itertools import groupby

from transforms.months import number_of

Run = tuple[int, int]  # the first and the last of months that follow each other, by number


def first_day(number: int) -> date:
    """The first day of a month."""
    return date(number // 12, number % 12 + 1, 1)


def last_day(number: int) -> date:
    """The last day of a month."""
    first = first_day(number)
    return first.replace(day=monthrange(first.year, first.month)[1])


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; a day the month does not have becomes its last."""
    last = last_day(number_of(day) - months)
    return last.replace(day=min(day.day, last.day))


def runs(numbers: Iterable[int]) -> list[Run]:
    """Months as unbroken runs, ascending."""
    found = []
    for _, group in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        found.append((run[0], run[-1]))
    return found
