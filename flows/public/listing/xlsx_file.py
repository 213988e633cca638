"""The list as a workbook: texts as texts, points as numbers, and a sheet that says what it is.

Nothing in it knows the day it was made: the same rows of the same round are the same bytes.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from flows.common.points import in_text
from flows.public.listing.csv_file import COLUMNS
from flows.public.listing.held_list import Row
from flows.public.listing.plain import plain

WIDTHS = (12, 12, 12, 44, 10)
WIDTH_OF_INDICATOR = 14
BEIJING = timedelta(hours=8)
TITLE = "公示名单"
ABOUT = "说明"
AS_TEXT = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
XML = re.compile("<r>.*</r>", re.DOTALL)
PIECES = re.compile(
    "(?<=[<_])"
)  # three at least, and none holds `_x0041_`, which would be escaped twice
MEANINGS = {
    "公示编号": "年度加五位数字，按总积分从高到低编排，总积分相同的按申请编号编排",
    "姓名": "申请人姓名",
    "出生年月": "年-月",
    "单位": "申报单位；没有登记的为空",
    "总积分": "十项指标之和，两位小数",
}
OF_INDICATOR = "指标积分，两位小数；本年度没有这项指标的为空"


@dataclass(frozen=True)
class About:
    """What the second sheet says of a list, and the moment the file is dated with (Beijing time)."""

    title: str
    lines: tuple[tuple[str, str], ...]
    at: datetime


def list_xlsx(about: About, titles: Sequence[str], rows: Sequence[Row]) -> bytes:
    """A workbook of rows in their order."""
    written = io.BytesIO()
    # in memory: what stands in a temporary file is somebody's name
    book = Workbook(written, {"in_memory": True, **AS_TEXT})
    book.set_properties({"title": about.title, "created": about.at - BEIJING})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    points = book.add_format({"num_format": "0.00"})
    write_rows(book.add_worksheet(TITLE), titles, rows, head, points)
    write_about(book.add_worksheet(ABOUT), about, titles, head)
    book.close()
    return written.getvalue()


def write_rows(
    sheet: Worksheet, indicators: Sequence[str], rows: Sequence[Row], head: Format, points: Format
) -> None:
    """The list: one row a person below a header that stays."""
    titles = (*COLUMNS, *indicators)
    for column, title in enumerate(titles):
        width = WIDTHS[column] if column < len(WIDTHS) else WIDTH_OF_INDICATOR
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    for place, row in enumerate(rows, start=1):
        sheet.write_number(place, 0, row.serial)
        for column, text in enumerate((row.name, row.birth_month, row.employer), start=1):
            if text:
                write_text(sheet, place, column, text)
        for column, value in enumerate((row.total, *row.indicators), start=4):
            if value is not None:
                sheet.write_number(place, column, exact(value), points)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(titles) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def write_about(sheet: Worksheet, about: About, indicators: Sequence[str], head: Format) -> None:
    """What the list is, and what its columns hold."""
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 80)
    sheet.write_string(0, 0, about.title, head)
    sheet.write_string(0, 1, "", head)
    columns = [*MEANINGS.items(), *((title, OF_INDICATOR) for title in indicators)]
    for row, (name, text) in enumerate([*about.lines, ("", ""), *columns], start=1):
        write_text(sheet, row, 0, plain(name))
        write_text(sheet, row, 1, plain(text))


def write_text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """A text as it is; in pieces where XlsxWriter would take it for XML of its own and not escape it."""
    if XML.fullmatch(text):
        sheet.write_rich_string(row, column, *PIECES.split(text))
    else:
        sheet.write_string(row, column, text)


def exact(centipoints: int) -> Any:
    """Points as a number that is written with two decimals, never as a nearby float."""
    return Decimal(in_text(centipoints))
