"""What every report is made of: its frame, its style, and sentences and tables in two languages."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from string import Template
from typing import Any

NONE = "—"

STYLE = """
:root { color-scheme: light; --ink: #1d232b; --muted: #55606e; --rule: #d5dce4; --wash: #f4f6f9;
  --settled: #1b6ca8; --below: #8797a8; --line: #c8102e; }
* { box-sizing: border-box; }
body { margin: 0; border-top: 6px solid var(--line); background: #fff; color: var(--ink);
  font: 16px/1.6 "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei",
  "PingFang SC", "Heiti SC", sans-serif;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; }
header, main, footer { max-width: 1000px; margin: 0 auto; padding: 0 32px; }
header { padding-top: 34px; }
h1 { margin: 0; font-size: 30px; line-height: 1.3; }
h1 .en { display: block; margin: 4px 0 0; font-size: 17px; }
h2 { margin: 0 0 14px; padding-bottom: 6px; border-bottom: 2px solid var(--ink); font-size: 21px; }
.en { color: var(--muted); font-size: .86em; font-weight: 400; margin-left: .2em; }
p .en { margin-left: 0; }
.pins { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 14px 0 0; padding: 0;
  list-style: none; font-size: 14px; }
code { font: 13px/1.5 ui-monospace, "SFMono-Regular", Consolas, monospace; }
section { margin: 40px 0 0; }
dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 0; }
dl div { padding: 12px 16px; border: 1px solid var(--rule); border-radius: 6px;
  background: var(--wash); }
dl div.line { display: flex; flex-direction: column; justify-content: center;
  grid-row: span 2; padding: 12px 22px; background: #fff; border: 2px solid var(--line); }
dt { font-size: 15px; line-height: 1.4; }
dt .en { display: block; margin: 0; }
dd { margin: 4px 0 0; font-size: 27px; line-height: 1.2; font-weight: 700;
  font-variant-numeric: tabular-nums; }
.line dt { font-size: 17px; }
.line dd { color: var(--line); font-size: 50px; }
figure { margin: 0 0 24px; }
figcaption, caption { text-align: left; font-weight: 600; }
figcaption { margin-bottom: 6px; line-height: 1.8; }
caption { padding-bottom: 8px; }
.keys { display: flex; flex-wrap: wrap; gap: 0 22px; font-size: 15px; font-weight: 400; }
.keys i { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
i.settled { background: var(--settled); }
i.below { background: var(--below); }
i.tied { background: var(--line); }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 720px; height: auto; stroke-linejoin: round; }
table { width: 100%; margin: 0 0 24px; border-collapse: collapse; font-size: 15px; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--rule); text-align: left;
  vertical-align: baseline; }
thead th { border-bottom: 1.5px solid var(--ink); line-height: 1.4; vertical-align: bottom; }
thead .en { display: block; margin: 0; }
tbody th { font-weight: 400; }
tfoot th, tfoot td { font-weight: 700; border-bottom: 1.5px solid var(--ink); }
.n, .t1 thead th:nth-child(n+2), .t2 thead th:nth-child(n+3), .t3 thead th:nth-child(n+4) {
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.t3 tbody th, .t3 td:nth-child(2) { white-space: nowrap; }
tbody tr:hover { background: var(--wash); }
footer { margin-top: 24px; padding-top: 14px; padding-bottom: 40px; color: var(--muted);
  font-size: 14px; }
@media (max-width: 720px) {
  header, main, footer { padding-left: 16px; padding-right: 16px; }
  h1 { font-size: 24px; }
  dl { grid-template-columns: 1fr 1fr; }
  dl div.line { grid-row: auto; grid-column: span 2; }
}
@media print {
  @page { size: A4; margin: 14mm; }
  body { border: 0; font-size: 12px; }
  header, main, footer { padding: 0; max-width: none; }
  h1 { font-size: 22px; }
  h2 { font-size: 16px; margin-bottom: 8px; }
  section { margin-top: 20px; }
  dt, .line dt, .keys, .pins { font-size: 11px; }
  dd { font-size: 20px; }
  .line dd { font-size: 36px; }
  table { font-size: 11px; }
  th, td { padding: 3px 6px; }
  code, footer { font-size: 10px; }
  tfoot { display: table-row-group; }
  .wide { overflow: visible; }
  svg { min-width: 0; }
  dl div, figure, tr { break-inside: avoid; }
  h2, caption, figcaption { break-after: avoid; }
}
"""

PAGE = Template("""<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>北京市积分落户 $year 年度运行报告</title>
<style>$style</style>
</head>
<body>
<header>
<h1>北京市积分落户 $year 年度运行报告 <span class="en" lang="en">Beijing points-based
household registration: report on the round of $year</span></h1>
<ul class="pins">
<li>办法版本 <span class="en" lang="en">Edition</span> <b>$edition</b></li>
<li>政策日期 <span class="en" lang="en">Policy date</span> <b>$policy_date</b></li>
<li>积分截至 <span class="en" lang="en">Facts up to</span> <b>$reference_date</b></li>
<li>运行编号 <span class="en" lang="en">Run</span> <code>$run_id</code></li>
</ul>
</header>
<main>
$sections
</main>
<footer>
本页由本次运行的数据表生成，只含汇总数字，不含个人信息。同样的输入生成同样的页面。<br>
<span lang="en">Made from the tables of this run: counts and means only, nothing about one person.
The same input gives the same page.</span>
</footer>
</body>
</html>
""")


def both(zh: str, en: str) -> str:
    """Chinese, and English beside it."""
    return f'{escape(zh)} <span class="en" lang="en">{escape(en)}</span>'


def section(zh: str, en: str, *parts: str) -> str:
    """A headed part of the page."""
    return "\n".join((f"<section>\n<h2>{both(zh, en)}</h2>", *parts, "</section>"))


def paragraph(zh: str, en: str) -> str:
    """A sentence in both languages."""
    return f'<p>{escape(zh)}<br><span class="en" lang="en">{escape(en)}</span></p>'


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    total: Sequence[Any] | None = None,
    texts: int = 1,
) -> str:
    """A table: the first column heads its row, columns from `texts` on hold numbers."""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "\n".join(table_row(row, texts) for row in rows)
    foot = "" if total is None else f"<tfoot>\n{table_row(total, texts)}\n</tfoot>"
    return (
        f'<div class="wide"><table class="t{texts}"><caption>{caption}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>{foot}</table></div>"
    )


def table_row(row: Sequence[Any], texts: int) -> str:
    """A row of a table: its heading, texts, numbers."""
    words = "".join(f"<td>{cell}</td>" for cell in row[1:texts])
    numbers = "".join(f'<td class="n">{number(cell)}</td>' for cell in row[texts:])
    return f'<tr><th scope="row">{row[0]}</th>{words}{numbers}</tr>'


def number(value: object) -> str:
    """A count with thousands separators, points with two decimals, a text as it is."""
    if value is None:
        return NONE
    if isinstance(value, (Decimal, float)):
        return f"{value:z,.2f}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else str(value)


def difference(value: Decimal | float | None) -> str:
    """Points with their sign."""
    return NONE if value is None else ("+" if value > 0 else "") + number(value)


def figure(svg: str, zh: str, en: str, keys: str = "") -> str:
    """A drawing with its caption; on a telephone it scrolls rather than shrinks."""
    caption = f"<figcaption>{both(zh, en)}{keys}</figcaption>"
    return f'<figure>{caption}\n<div class="wide">{svg}</div></figure>'


def legend(*parts: tuple[str, str, str]) -> str:
    """What the colours mean: class, Chinese, English."""
    keys = (f'<span><i class="{kind}"></i>{both(zh, en)}</span>' for kind, zh, en in parts)
    return f'<span class="keys">{"".join(keys)}</span>'
