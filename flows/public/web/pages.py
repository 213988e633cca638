"""Templates, style and words that all pages share, those of the server and those of the static site.

A page asks `at` for every address (`addresses.py`): so the server and a folder of files have the same ones.
"""

import re
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from flows.common.points import in_text
from flows.public.web.addresses import SERVER, Addresses
from flows.run.report import charts
from flows.run.report.written_numbers import number

TEMPLATES = Path(__file__).parent / "templates"
OF_REPORT = Path(charts.__file__).parent / "templates"  # its charts
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
MONTH = re.compile(r"(\d{4})-(\d{2})")


def zh_day(value: str | date) -> str:
    """A day or month as it is written in Chinese."""
    if isinstance(value, date):
        day = value.date() if isinstance(value, datetime) else value
        return zh_day(day.isoformat())
    if found := DAY.fullmatch(value):
        return f"{found[1]}年{int(found[2])}月{int(found[3])}日"
    if found := MONTH.fullmatch(value):
        return f"{found[1]}年{int(found[2])}月"
    return value


def points(centipoints: int, places: int = 2) -> str:
    """Centipoints as points, with a true minus."""
    text = in_text(centipoints) if places else str(centipoints // 100)
    return text.replace("-", "\N{MINUS SIGN}")


@cache
def environment() -> Environment:
    """The templates; whatever they show is escaped, and a name they lack raises."""
    templates = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(TEMPLATES), PrefixLoader({"report": FileSystemLoader(OF_REPORT)})]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(zh_day=zh_day, points=points, number=number)
    templates.globals.update(height=charts.HEIGHT, top=charts.TOP, row_height=charts.ROW)
    return templates


def page(template: str, /, at: Addresses = SERVER, **content: Any) -> str:
    """A page, with the addresses it writes; the server's, where nothing else is said."""
    return environment().get_template(template).render(at=at, asset=at.asset, **content)
