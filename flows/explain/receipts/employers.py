"""The employers in a receipt: numbered within it, known by what they are registered as.

Number 1 filed the application; the others follow in the order in which they insured the applicant,
then firms the applicant only holds shares in.  No name and no credit code is shown.  An employer that
is in no register has no number.
"""

import polars as pl

from flows.explain.receipts.applicants import Applicants
from flows.explain.receipts.encode import an_object as json_object
from flows.explain.receipts.encode import arrays, listed, plain, quoted, text

FLAGS = ("registered_in_beijing", "tax_registered", "tax_paying", "high_tech", "tech_sme")
FILES, HOLDS = -1, 1 << 30  # before and after every month number


def numbers(whose: Applicants, spans: pl.DataFrame) -> pl.DataFrame:
    """person, employer, number, files (whether it filed the application), shown (in `employers`)."""
    filed = whose.feed("applications").select("person", "employer", order=pl.lit(FILES))
    held = whose.feed("shareholdings").select("person", "employer", order=pl.lit(HOLDS))
    insured = spans.lazy().select("person", "employer", order="first")
    known = pl.concat([filed, held, insured], how="vertical_relaxed").drop_nulls("employer")
    order = pl.col("order")
    return (
        known.group_by("person", "employer")
        .agg(
            first=order.min(),
            files=(order == FILES).any(),
            shown=order.is_in([FILES, HOLDS]).any(),
        )
        .sort("person", "first", "employer")
        .with_columns(number=pl.int_range(1, pl.len() + 1).over("person"))
        .drop("first")
        .collect()
    )


def employers(whose: Applicants, known: pl.DataFrame) -> pl.LazyFrame:
    """The employer that filed and the firms held, with what the rules look at."""
    register = whose.run.feed("employers").select("employer", *FLAGS, registered=pl.lit(value=True))
    sanctions = whose.run.feed("sanctions").drop_nulls("employer").sort("employer", "found_on")
    cash = whose.run.feed("financings").sort("employer", "received_on", "amount_fen")
    received = json_object(
        {"received_on": quoted("received_on"), "amount_fen": plain("amount_fen")}
    )
    rows = known.lazy().filter("shown")
    for each in (
        register,
        of_employer(sanctions, quoted("found_on"), "sanctions"),
        of_employer(cash, text(received), "financings"),
    ):
        rows = rows.join(each, on="employer", how="left", validate="m:1")
    fields = {
        "employer": plain("number"),
        "filed_application": plain("files"),
        "in_register": plain(pl.col("registered").fill_null(value=False)),
        **{name: plain(name) for name in FLAGS},
        "sanctions": pl.col("sanctions").fill_null("[]"),
        "financings": pl.col("financings").fill_null("[]"),
    }
    return listed(rows.sort("person", "number"), fields, "employers")


def of_employer(rows: pl.LazyFrame, item: pl.Expr, name: str) -> pl.LazyFrame:
    """Per employer an array of JSON texts."""
    items = rows.select(person="employer", **{name: item})
    return arrays(items, name).rename({"person": "employer"})


def numbered(rows: pl.LazyFrame, known: pl.DataFrame) -> pl.LazyFrame:
    """Rows with the number of their employer, in the order they came."""
    return rows.join(
        known.lazy().select("person", "employer", "number"),
        on=["person", "employer"],
        how="left",
        maintain_order="left",
        validate="m:1",
    )
