-- Trial measures art. 5(6): points once for own income tax, or the own share of company tax, that is
-- above zero in each of the years before and reaches the amount in all of them together; points off
-- for each violation since a day.  A payment belongs to the year of its treasury date (入库日期).

WITH yearly AS (
    SELECT 'income' AS tax, person, year(treasury_date) AS year, sum(amount_fen) AS fen
    FROM feeds.tax
    WHERE list_contains($income_kinds, income_kind)
    GROUP BY person, year(treasury_date)
    UNION ALL
    SELECT 'company' AS tax, person, year, attributed_fen AS fen
    FROM feeds.company_tax
),
together AS (
    SELECT tax, person, sum(fen) AS fen
    FROM yearly
    WHERE year BETWEEN $year - $years AND $year - 1 AND fen > 0
    GROUP BY tax, person
    HAVING count(*) = $years
),
earned AS (
    SELECT DISTINCT person
    FROM together
    WHERE fen >= CASE tax WHEN 'income' THEN $fen_at_least ELSE $company_fen_at_least END
),
violations AS (
    SELECT person, count(*) AS number
    FROM feeds.tax_violations
    WHERE decided_on BETWEEN $violations_from AND $reference_date
    GROUP BY person
)
SELECT
    person,
    CASE WHEN person IN (SELECT person FROM earned) THEN $centipoints ELSE 0 END
    + $centipoints_per_violation * coalesce(violations.number, 0) AS centipoints
FROM feeds.applications
LEFT JOIN violations USING (person);
