"""A page read as a browser without script reads it: what its form holds, and what a button sends."""

from html.parser import HTMLParser
from typing import Any

import httpx


class Page(HTMLParser):
    """The fields of the first form, its buttons, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.words: list[str] = []
        self.select: str | None = None
        self.forms = 0
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own: dict[str, Any] = dict(attrs)
        self.forms += tag == "form"
        if self.forms != 1:
            return
        if tag == "input" and own.get("type") != "file":
            self.fields[own["name"]] = own.get("value") or ""
        elif tag == "select":
            self.select = own["name"]
            self.fields[self.select] = ""
        elif tag == "option" and "selected" in own and self.select:
            self.fields[self.select] = own["value"]
        elif tag == "button":
            self.buttons.append(own["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.forms += 10

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class Reader:
    """Somebody without script: fills fields in and presses buttons."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/calculator"
        self.page = Page(self.kept(httpx.get(self.url, timeout=60)).text)

    def kept(self, given: httpx.Response) -> httpx.Response:
        assert given.status_code == 200, given.status_code
        assert "set-cookie" not in given.headers
        return given

    def sent(self, button: str, **fields: str) -> httpx.Response:
        assert button in self.page.buttons, (button, self.page.buttons)
        parts = {**self.page.fields, **fields, "go": button}
        files = {name: (None, value) for name, value in parts.items()}
        return self.kept(httpx.post(self.url, files=files, timeout=60))

    def press(self, button: str, fields: dict[str, str] | None = None) -> str:
        """Fill in and press; the text of the page that comes."""
        for name in fields or {}:
            assert name in self.page.fields, (name, sorted(self.page.fields))
        self.page = Page(self.sent(button, **(fields or {})).text)
        return self.page.text

    def save(self) -> str:
        """The file one gets."""
        given = self.sent("save")
        assert given.headers["content-disposition"].startswith("attachment")
        return given.text

    def load(self, text: str | bytes) -> str:
        """Load a file."""
        files = {"file": ("facts.json", text), "go": (None, "load"), "step": (None, "about")}
        self.page = Page(self.kept(httpx.post(self.url, files=files, timeout=60)).text)
        return self.page.text
