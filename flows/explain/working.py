"""How points come about: the parts of an indicator before and after rounding, and what was found.

The numbers are those of the receipt; here they only become sentences.
"""

from typing import Any

from flows.common.points import in_text
from flows.explain.words import Values, Words

DECIMALS = 4  # shown of a fraction before it is rounded
HUNDRED = 100  # centipoints a point
TIMES = "×"
PERIODS = ("early", "late")  # residence counts months of homes in two
QUIET = ("denominator", "at_most", "age")  # say nothing on their own


def working(rule: dict[str, Any], found: Values, words: Words) -> list[str]:
    """The parts of an indicator that have something to show, how they make its points, and what was
    found."""
    values = values_of(rule, found)
    parts = parts_to_show(rule["parts"])
    lines = [part_line(part, values, words) for part in parts]
    shown = [*lines, *together(rule, parts, words), *facts(rule, found, words)]
    return shown or [nothing(rule, found, words)]


def values_of(rule: dict[str, Any], found: Values) -> Values:
    """All a sentence about a rule may name: dates of the round, values in force, the evidence."""
    in_force = {name: each["value"] for name, each in rule["values"].items()}
    flags = {
        name: value
        for part in rule.get("parts", [])
        for name, value in part.items()
        if isinstance(value, bool)
    }
    return {**found, **in_force, **flags, **rule["evidence"]}


def parts_to_show(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts that count something; of calendar years all, as a year without tax decides."""
    counting = [part for part in parts if counts(part)]
    years = any(is_year(part) for part in counting)
    return [part for part in parts if part in counting or (years and is_year(part))]


def is_year(part: dict[str, Any]) -> bool:
    """Whether a part is of one calendar year, and named for it."""
    return named(part["part"])[0] == "year"


def named(part: str) -> tuple[str, Values]:
    """The words of a part, and what fills them: one sentence for all years, one for all kinds of
    home of a period."""
    of, _, last = part.rpartition("_")
    if of == "year":
        return of, {"year": last}
    return (last, {"home": of}) if last in PERIODS and of != "default" else (part, {})


def counts(part: dict[str, Any]) -> bool:
    """Whether a part has points, or anything it was worked out from."""
    shown = (value for name, value in part.items() if name not in QUIET)
    return any(isinstance(value, int) and not isinstance(value, bool) and value for value in shown)


def part_line(part: dict[str, Any], values: Values, words: Words) -> str:
    """One part: what it is times its rate, before rounding and after."""
    name, filled = named(part["part"])
    if months := part.get("months"):
        filled |= {"held": values.get(f"months_{part['part']}")}
        filled |= {"centipoints_a_year": part["numerator"] // months}
    what = words.say("part", name, **{**values, **part, **filled})
    exact = decimal(part["numerator"], part["denominator"] * HUNDRED)
    made = in_text(part["centipoints"])
    limited = part.get("at_most") == part["centipoints"] and part["numerator"] > part["centipoints"]
    if limited:
        return words.say("combined", "limited", what=what, exact=exact, points=made)
    if part["numerator"] % part["denominator"]:
        return words.say("combined", "rounded", what=what, exact=exact, points=made)
    return words.say("combined", "exact" if TIMES in what else "worth", what=what, points=made)


def together(rule: dict[str, Any], parts: list[dict[str, Any]], words: Words) -> list[str]:
    """How several parts make the points of the indicator, and which limit cut them."""
    if not parts:
        return []
    each = [part["centipoints"] for part in parts]
    made = max(each) if rule["combined"] == "largest" else sum(each)
    lines = []
    if len(parts) > 1:
        lines.append(words.say("combined", rule["combined"], points=in_text(made)))
    if made != rule["centipoints"]:
        name = "at_most" if made > rule["centipoints"] else "at_least"
        limit, after = in_text(rule[name]), in_text(rule["centipoints"])
        lines.append(words.say("combined", name, limit=limit, points=after))
    return lines


def nothing(rule: dict[str, Any], found: Values, words: Words) -> str:
    """What is said when there is nothing to count."""
    claims = found["claims_education"] or not rule["rule"].startswith("education")
    return words.say("none", rule["rule"] if claims else "not_claimed", **found)


def facts(rule: dict[str, Any], found: Values, words: Words) -> list[str]:
    """What a rule found, in sentences; counts of zero only when there is nothing else to say."""
    if not rule["evidence"]:
        return []
    values = values_of(rule, found)
    lines = words.lines("fact", rule["rule"], values)
    return lines or words.lines("fact", rule["rule"], values, zeros=True)


def decimal(numerator: int, denominator: int) -> str:
    """A fraction as a decimal number, cut off after some places and then ending in dots."""
    size = abs(numerator) * 10**DECIMALS
    whole, left = divmod(size, denominator)
    text = f"{whole // 10**DECIMALS}.{whole % 10**DECIMALS:0{DECIMALS}}"
    sign = "-" if numerator < 0 else ""
    return f"{sign}{text}…" if left else f"{sign}{text.rstrip('0').rstrip('.')}"
