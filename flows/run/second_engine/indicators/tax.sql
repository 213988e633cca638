-- Measures art. 5(6), release of 2020-07-16, Q&A 3 and 9: with income tax above zero in each of the
-- years before, points for each year of the full amount; points off for each violation.  A payment
-- belongs to the year of its treasury date (入库日期); the kinds of income that count depend on it.

WITH kinds AS (
    SELECT unnest(kinds) AS income_kind, from_year, until_year
    FROM (
        SELECT *, lead(from_year) OVER (ORDER BY from_year) AS until_year
        FROM (SELECT unnest($income_kinds, max_depth := 2))
    )
),
yearly AS (
    SELECT person, year(treasury_date) AS year, sum(amount_fen) AS fen
    FROM feeds.tax
    JOIN kinds USING (income_kind)
    WHERE treasury_date BETWEEN make_date($year - $years, 1, 1) AND make_date($year - 1, 12, 31)
      AND year(treasury_date) >= from_year
      AND (until_year IS NULL OR year(treasury_date) < until_year)
    GROUP BY person, year(treasury_date)
),
earned AS (
    SELECT person, count(*) FILTER (fen >= $fen_at_least) AS years
    FROM yearly
    WHERE fen > 0
    GROUP BY person
    HAVING count(*) = $years
),
violations AS (
    SELECT person, count(*) AS number
    FROM feeds.tax_violations
    WHERE year(decided_on) BETWEEN $year - $violation_years AND $year - 1
    GROUP BY person
)
SELECT
    person,
    $centipoints_per_year * coalesce(earned.years, 0)
    + $centipoints_per_violation * coalesce(violations.number, 0) AS centipoints
FROM feeds.applications
LEFT JOIN earned USING (person)
LEFT JOIN violations USING (person);
