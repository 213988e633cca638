"""A copy of the code with one more feed, one more indicator and one more condition, as somebody adds them.

`ADDED` are files that come new, `EDITS` places in files there are: the list of what growth touches.
"""

from pathlib import Path

from commands import other_code

FEED = '''class Volunteering(OfPerson):
    """Hours of voluntary service on a day."""

    served_on: Date
    hours: Whole = pa.Field(gt=0)


class Sanctions(Feed):'''

INDICATOR = '''"""Voluntary service: points for full tens of hours."""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.evidence import COUNT, Evidence
from transforms.facts import Facts
from transforms.parts import Part, Parts, count
from transforms.rounds import Round
from transforms.units import STRICT, Centipoints

EVIDENCE: Evidence = {"hours_served": COUNT}


@dataclass(frozen=True, config=STRICT)
class Params:
    """What ten hours are worth."""

    centipoints_per_ten_hours: Centipoints


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The hours up to the reference date."""
    rows = facts.feeds["volunteering"].filter(pl.col("served_on") <= this_round.reference_date)
    return rows.group_by("person").agg(hours_served=pl.col("hours").sum())


def parts(p: Params, this_round: Round) -> Parts:
    """Full tens."""
    hours = count("hours_served")
    worth = p.centipoints_per_ten_hours
    return Parts([Part("service", hours // 10, worth, shown={"hours_served": hours})])
'''

CONDITION = '''"""No tax violation on record."""

import polars as pl
from pydantic.dataclasses import dataclass

from transforms.checks import Check, at_most
from transforms.evidence import COUNT, Evidence
from transforms.facts import Facts
from transforms.rounds import Round
from transforms.units import STRICT

EVIDENCE: Evidence = {"violations": COUNT}


@dataclass(frozen=True, config=STRICT)
class Params:
    """The rule has no values."""


def evidence(facts: Facts, p: Params, this_round: Round) -> pl.LazyFrame:
    """The violations on record."""
    return facts.feeds["tax_violations"].group_by("person").agg(violations=pl.len().cast(pl.Int64))


def checks(p: Params, this_round: Round) -> list[Check]:
    """There is none."""
    return [at_most("violations", 0)]
'''

ADDED = {
    "transforms/indicators/volunteering.py": INDICATOR,
    "transforms/conditions/tax_standing.py": CONDITION,
    "data/policy/volunteering.toml": """title = "Voluntary service"
title_zh = "志愿服务"
clause = "Invented: a tenth of a point for ten hours."

[centipoints_per_ten_hours]
meaning = "Points for ten hours"
unit = "centipoints"
[[centipoints_per_ten_hours.from]]
date = 2017-01-01
cite = "Invented"
value = 10
""",
    "data/policy/tax_standing.toml": """title = "Tax standing"
title_zh = "纳税状况"
clause = "Invented: no tax violation."
""",
    "flows/run/second_engine/indicators/volunteering.sql": """-- Invented: full tens of hours.

SELECT person, $centipoints_per_ten_hours * (coalesce(sum(hours), 0) // 10) AS centipoints
FROM feeds.applications
LEFT JOIN (FROM feeds.volunteering WHERE served_on <= $reference_date) USING (person)
GROUP BY person;
""",
    "flows/run/second_engine/conditions/tax_standing.sql": """-- Invented: no tax violation.

SELECT person, person NOT IN (SELECT person FROM feeds.tax_violations) AS holds
FROM feeds.applications;
""",
}

LAST_EDITION = 'honour = "honour", law = "law" }'
EDITS = (
    # the feed
    ("schemas/feeds.py", "class Sanctions(Feed):", FEED),
    (
        "schemas/feeds.py",
        '    "sanctions": Delivery(Sanctions, "人力社保"),\n',
        (
            '    "sanctions": Delivery(Sanctions, "人力社保"),\n'
            '    "volunteering": Delivery(Volunteering, "民政"),\n'
        ),
    ),
    (
        "data/canaries.toml",
        "[sanctions]\n",
        (
            '[volunteering]\ngood = { person_id = "110101198001010010", served_on = 2019-01-01, hours = 8 }\n'
            'bad = [{ column = "hours", expected = "positive", value = 0 }]\n\n[sanctions]\n'
        ),
    ),
    (
        "flows/explain/receipts/facts.py",
        '    "company_tax": {',
        '    "volunteering": {"served_on": quoted, "hours": plain},\n    "company_tax": {',
    ),
    *(
        (f"flows/common/words/{language}.toml", "[feed]\n", f'[feed]\nvolunteering = "{name}"\n')
        for language, name in (("en", "voluntary service"), ("zh", "志愿服务"))
    ),
    *(
        (f"flows/explain/words/{language}.toml", f"\n[{section}]\n", f"\n[{section}]\n{more}\n")
        for language in ("en", "zh")
        for section, more in {
            "record": 'volunteering = "{served_on}: {hours} hours"',
            # the indicator and the condition
            "fact": 'volunteering = ["hours: {hours_served}"]\ntax_standing = ["{violations}"]',
            "none": 'volunteering = "none on record"\ntax_standing = "none on record"',
            "part": 'service = "{hours_served} hours"',
            "check": 'violations = "at most {at_most} violations"',
        }.items()
    ),
    (
        "transforms/indicators/__init__.py",
        "    tax_three_year_total,\n)",
        "    tax_three_year_total,\n    volunteering,\n)",
    ),
    (
        "transforms/indicators/__init__.py",
        '    "age": age,\n',
        '    "age": age,\n    "volunteering": volunteering,\n',
    ),
    (
        "transforms/conditions/__init__.py",
        "    social_insurance,\n)",
        "    social_insurance,\n    tax_standing,\n)",
    ),
    (
        "transforms/conditions/__init__.py",
        '    "employer": employer,\n',
        '    "employer": employer,\n    "tax_standing": tax_standing,\n',
    ),
    (
        "data/policy/editions.toml",
        LAST_EDITION,
        LAST_EDITION.replace(" }", ', volunteering = "volunteering" }'),
    ),
    (
        "data/policy/editions.toml",
        'employer = "employer", not_barred',
        'employer = "employer", tax_standing = "tax_standing", not_barred',
    ),
    (
        "schemas/results.py",
        "    law: Points = nullable()\n",
        "    law: Points = nullable()\n    volunteering: Points = nullable()\n",
    ),
    (
        "schemas/results.py",
        "    not_barred: Flag = nullable()\n",
        "    not_barred: Flag = nullable()\n    tax_standing: Flag = nullable()\n",
    ),
    (
        "schemas/words.toml",
        "[table.shared]\n",
        (
            '[table.shared]\nvolunteering = ["Voluntary service", "points", "invented"]\n'
            'tax_standing = ["No tax violation", "", "invented"]\n'
        ),
    ),
    (
        "schemas/words.toml",
        "[key.shared]\n",
        '[key.shared]\nhours_served = "Hours of service"\nyears_completed = "Completed years"\n',
    ),
)


# beside: a rule that calls what it counts otherwise, so that its evidence has another form
RENAMED = tuple(
    ("transforms/indicators/age.py", old, old.replace("age", "years_completed"))
    for old in ('"age": YEARS', "        age=(this_round", 'pl.col("age")')
)


def grown(folder: Path) -> Path:
    """The copy; what is run with it as the current folder is run with its code."""
    code = other_code(folder, *EDITS, *RENAMED)
    for name, text in ADDED.items():
        (code / name).write_text(text, encoding="utf-8")
    return code


def touched() -> list[str]:
    """Every file that growth touches, in the copy."""
    return sorted({*ADDED, *(file for file, _, _ in EDITS)})
