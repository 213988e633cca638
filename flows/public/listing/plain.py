"""Texts of departments as they may be shown and searched: without what steers, in one line.

Feeds refuse control characters already; a file that is opened elsewhere relies on nobody else.
"""

import re
import unicodedata

from schemas.steering import STEERING

LINES = re.compile("[\t\n\r\u0085\u2028\u2029]+")
# no XML may hold these, and none is a character
NONE = re.compile("[\ufdd0-\ufdef\ufffe\uffff\U0001fffe\U0001ffff\ud800-\udfff]")
UNSEEN = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]")
BLANKS = re.compile(r"[^\S\n]+")
# the dot within a name is typed in many ways
DOTS = str.maketrans(dict.fromkeys(".•‧∙⋅・●․◦⸱", "·"))


def plain(text: str | None) -> str:
    """A text as it is shown; empty where there is none."""
    return NONE.sub("", STEERING.sub("", LINES.sub(" ", text or "")))


def folded(text: str) -> str:
    """What is left of a text for search: no width, case, blank or unseen character, one kind of dot.

    Lines stay lines, so that many texts are folded at once.
    """
    one = unicodedata.normalize("NFKC", text).casefold()
    seen = UNSEEN.sub("", STEERING.sub("", unicodedata.normalize("NFKC", one)))
    return BLANKS.sub("", seen.translate(DOTS))
