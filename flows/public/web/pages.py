"""Templates, style and words that all pages share, those of the server and those of the static site.

A page says through `asset` where its style lies: the server below /static, a folder beside itself.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
MONTH = re.compile(r"(\d{4})-(\d{2})")


@cache
def static() -> dict[str, bytes]:
    """Style and script by name."""
    return {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir())}


@cache
def digest(name: str) -> str:
    """What changes whenever the file does, so that a browser may keep it."""
    return hashlib.sha256(static()[name]).hexdigest()[:12]


def served(name: str) -> str:
    """The address of style or script on the server."""
    return f"/static/{name}?v={digest(name)}"


def zh_day(text: str) -> str:
    """A day or month as Chinese has it."""
    if found := DAY.fullmatch(text):
        return f"{found[1]}年{int(found[2])}月{int(found[3])}日"
    if found := MONTH.fullmatch(text):
        return f"{found[1]}年{int(found[2])}月"
    return text


@cache
def environment() -> Environment:
    """The templates; whatever they show is escaped, and a name they lack raises."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["zh_day"] = zh_day
    return made


def page(template: str, /, **content: Any) -> str:
    """A page of the server."""
    return environment().get_template(template).render(asset=served, **content)
