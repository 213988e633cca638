"""The report on what came in: conditions that failed, deliveries, and rows set aside."""

from collections.abc import Sequence
from html import escape

import polars as pl

from flows.report.page import both, paragraph, section, table

# in the order of the data contract
FEEDS = {
    "applications": "申请",
    "residence_permits": "居住证",
    "criminal_records": "刑事犯罪记录",
    "detentions": "行政拘留",
    "social_insurance": "社会保险",
    "employers": "用人单位",
    "housing": "住所",
    "education": "学历学位",
    "tax": "个人纳税",
    "company_tax": "企业纳税份额",
    "tax_violations": "涉税违法",
    "awards": "创新奖项",
    "shareholdings": "持股",
    "financings": "股权融资",
    "positions": "任职",
    "honours": "荣誉称号",
    "sanctions": "虚假材料认定",
}
CHECKS = {
    "parse": "格式可读",
    "not_null": "不为空值",
    "not_empty": "不为空文本",
    "not_blank": "不全为空白",
    "not_too_long": "不超过200字",
    "utf_8": "UTF-8 编码",
    "plain_text": "无控制字符",
    "without_id_number": "不含身份号码",
    "application_no_shape": "申请编号格式",
    "within_limits": "日期数值在限值内",
    "known_value": "代码在表内",
    "in_range": "数值在范围内",
    "positive": "数值为正",
    "in_order": "起止日期先后",
    "not_after_received_on": "不晚于接收日",
    "first_day": "月份为首日",
    "six_digits": "区划代码六位",
    "id_number": "身份号码校验",
    "credit_code": "信用代码校验",
    "person_or_employer": "身份号码或信用代码",
    "agrees_with_person_id": "与身份号码一致",
    "some_status": "至少一项缴费状态",
    "some_certificate": "至少一项证书",
    "conflicting_duplicate": "同键不矛盾",
}


def titles(clauses: pl.DataFrame, kind: str, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Chinese and English title of conditions or indicators; the column where it has none."""
    rows = clauses.filter(pl.col("kind") == kind).select("name", "title_zh", "title").iter_rows()
    known = {name: (zh, en) for name, zh, en in rows}
    return {name: known.get(name, (name, name)) for name in names}


def conditions_section(clauses: pl.DataFrame, held: pl.DataFrame) -> str:
    """How many applications fail each condition of the edition."""
    names = clauses.filter(pl.col("kind") == "condition")["name"].to_list()
    rows = [
        (both(*title), held.height - failing, failing)
        for name, title in titles(clauses, "condition", names).items()
        for failing in [int((~held[name]).sum())]
    ]
    heads = (both("条件", "Condition"), both("符合", "Met"), both("不符合", "Not met"))
    caption = both("一份申请可有多项不符合", "An application may fail several")
    return section("申请条件", "Conditions", table(caption, heads, rows))


def delivery_section(feeds: pl.DataFrame, rejects: pl.DataFrame) -> str:
    """What the departments delivered, and which rows were set aside for which check."""
    counts = ("rows", "accepted", "quarantined", "duplicates", "strangers")
    place = {feed: at for at, feed in enumerate(FEEDS)}
    in_order = sorted(
        feeds.iter_rows(named=True), key=lambda each: (place.get(each["feed"], 99), each["feed"])
    )
    rows = [
        (feed_name(each["feed"]), escape(each["department"]), *(each[name] for name in counts))
        for each in in_order
    ]
    total = (both("合计", "Total"), "", *(int(feeds[name].sum()) for name in counts))
    heads = (
        both("数据", "Feed"),
        both("部门", "Department"),
        both("行数", "Rows"),
        both("采用", "Accepted"),
        both("隔离", "Quarantined"),
        both("重复", "Duplicates"),
        both("非申请人", "Strangers"),
    )
    caption = both("各部门报送数据", "What the departments delivered")
    return section(
        "数据质量",
        "Data quality",
        table(caption, heads, rows, total=total, texts=2),
        rejects_table(rejects, [each["feed"] for each in in_order]),
    )


def rejects_table(rejects: pl.DataFrame, feeds: Sequence[str]) -> str:
    """Quarantined rows by feed and failed check."""
    if rejects.is_empty():
        return paragraph("没有被隔离的行。", "No row was quarantined.")
    found = (
        rejects.group_by("feed", "check_name")
        .agg(
            columns=pl.col("column_name").unique().sort().str.join(", "),
            rows=pl.struct("file", "row_number").n_unique(),
        )
        .sort("rows", "check_name", descending=[True, False])
    )
    rows = [
        (feed_name(feed), check_name(check), f"<code>{escape(columns)}</code>", count)
        for each in sorted({*feeds, *found["feed"]}, key=[*feeds, *found["feed"]].index)
        for feed, check, columns, count in found.filter(pl.col("feed") == each).iter_rows()
    ]
    heads = (
        both("数据", "Feed"),
        both("未通过的检查", "Failed check"),
        both("字段", "Columns"),
        both("行数", "Rows"),
    )
    caption = both(
        "被隔离的行，一行可有多项未通过", "Quarantined rows; a row may fail several checks"
    )
    return table(caption, heads, rows, texts=3)


def feed_name(feed: str) -> str:
    """A feed in both languages."""
    return both(FEEDS.get(feed, feed), feed.replace("_", " "))


def check_name(check: str) -> str:
    """A check in both languages."""
    return both(CHECKS.get(check, check), check.replace("_", " "))
