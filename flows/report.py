"""The page of a run: `report.html`, for officials and the public."""

from html import escape
from pathlib import Path

import polars as pl


def write_report(work: Path) -> None:
    """Write `report.html` from the tables in the work folder."""
    made = pl.read_parquet(work / "rounds.parquet").row(0, named=True)
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in made.items()
    )
    page = (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><title>积分落户</title>'
        f"<table>{rows}</table></html>\n"
    )
    (work / "report.html").write_text(page, encoding="utf-8", newline="\n")
