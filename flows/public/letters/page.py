"""The page of a letter: one HTML file that needs nothing else, for A4 and for a screen."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

HERE = Path(__file__).parent / "templates"


@cache
def template() -> Template:
    """The template, compiled; whatever it shows is escaped, and a name it lacks raises."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["style"] = Markup((HERE / "letter.css").read_text(encoding="utf-8"))  # noqa: S704 (our own)
    return made.get_template("letter.html")


def page(content: dict[str, Any]) -> bytes:
    """A letter as a file."""
    return template().render(content).encode()
