"""A total as somebody types it: points with at most two decimals, in half or full width."""

import re

WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {ord("−"): "-", ord("　"): " "}
TOTAL = re.compile(r"([+-]?)([0-9]{1,9})(?:\.([0-9]{0,9}))?")
MOST = 100_000  # centipoints: a thousand points
DECIMALS = 2

WRONG = {
    "empty": "请填写总积分，例如 97.13",
    "letters": "请只填写数字，例如 97.13",
    "decimals": "积分最多两位小数，例如 97.13",
    "range": "请填写 −1000 到 1000 之间的积分",
}


class BadTotal(ValueError):
    """A text that is no total; says what is expected, in Chinese."""


def typed_total(text: str) -> int:
    """A text as centipoints; raises BadTotal."""
    plain = text.translate(WIDE).strip().removesuffix("分").strip()
    if not plain:
        raise BadTotal(WRONG["empty"])
    found = TOTAL.fullmatch(plain)
    if not found:
        raise BadTotal(WRONG["letters"])
    sign, whole, part = found[1], found[2], (found[3] or "").rstrip("0")
    if len(part) > DECIMALS:
        raise BadTotal(WRONG["decimals"])
    total = int(whole) * 100 + int(part.ljust(DECIMALS, "0"))
    if total > MOST:
        raise BadTotal(WRONG["range"])
    return -total if sign == "-" else total
