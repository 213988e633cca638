"""What is wrong with a form, in Chinese and beside the field it is about."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from flows.common.vocabulary import vocabulary
from flows.public.facts import MOST_ROWS
from schemas.words import of_check

ROW = re.compile(r"feeds\.(\w+)\[(\d+)\](?:\.(\w+))?")
NOTHING = ("nothing", "null", '""')
BY_KIND = {
    "day": "应为日历上的日期，例如 2016年5月1日",
    "month": "应为月份，例如 2010年1月",
    "year": "应为四位数的年度，例如 2024",
    "yuan": "应为金额，最多两位小数，例如 36000.50",
    "percent": "应为百分数，最多两位小数，例如 12.5",
    "whole": "应为整数",
}
MISSING = "没有填写"
BY_BEGINNING = (
    ("another month", "与另一行的月份重叠"),
    ("another ", "与另一行重复"),
    ("a month not before", "结束月份早于开始月份"),
    ("a round from", "没有这个年度"),
)
# the field that asks for a column
ASKED = {
    "has_diploma": "held",
    "has_degree": "held",
    "treasury_date": "year",
    "month": "from",
    "pension": "status",
}


class Wrong(NamedTuple):
    """One thing that is wrong: the step and field it is about, as far as the form has one."""

    step: str
    field: str
    label: str
    message: str


def in_chinese(faults: list[tuple[str, str, str]], steps: list[dict[str, Any]]) -> Iterator[Wrong]:
    """Faults of facts as the form shows them."""
    for path, expected, came in faults:
        yield of_row(path, expected, came, steps) or of_field(path, expected, came, steps)


def of_row(path: str, expected: str, came: str, steps: list[dict[str, Any]]) -> Wrong | None:
    """A fault of a row of a table."""
    at_row = ROW.fullmatch(path)
    if not at_row:
        return None
    feed, number, column = at_row[1], int(at_row[2]), at_row[3] or ""
    for step in steps:
        for table in step.get("table", []):
            if table["feed"] == feed:
                name = ASKED.get(column, column)
                field = next((each for each in table["fields"] if each["name"] == name), None)
                label: str = f"{table['row']} {number + 1}"
                at = f"{feed}.{number}.{field['name']}" if field else ""
                label += f"：{field['label']}" if field else ""
                return Wrong(step["name"], at, label, said(field, expected, came))
    called = vocabulary("zh")["feed"].get(feed, feed)
    return Wrong("", "", f"{called} {number + 1}", said(None, expected, came))


def of_field(path: str, expected: str, came: str, steps: list[dict[str, Any]]) -> Wrong:
    """A fault of a field that stands alone, or of the whole."""
    for step in steps:
        for field in step.get("field", []):
            if field["path"] == path:
                return Wrong(step["name"], path, field["label"], said(field, expected, came))
    if path == "feeds":
        return Wrong("", "", "全部记录", f"最多 {MOST_ROWS:,} 行，月份逐一计算；现有 {came} 行")
    return Wrong("", "", "文件", "不是可以计算的内容")


def said(field: dict[str, Any] | None, expected: str, came: str) -> str:
    """What is wrong in one sentence."""
    if came in NOTHING:
        return MISSING
    if words := next((each for begin, each in BY_BEGINNING if expected.startswith(begin)), None):
        return words
    checks = vocabulary("zh")["expected"]
    if name := next((each for each in checks if known(each) == expected), None):
        return "结束早于开始" if name == "in_order" else f"应为{checks[name]}"
    return BY_KIND.get(field["kind"] if field else "", "不是可以选择的值")


def known(check: str) -> str | None:
    """What a check expects, in the words of the fault."""
    try:
        return of_check(check)
    except KeyError:
        return None
