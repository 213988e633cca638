-- Measures art. 5(4), release of 2020-07-16, Q&A 3 and 7: points for every twelve months with an own
-- home outside the six districts (城六区), and more for every twelve of those with the job outside as
-- well; December of the year before must still be such a month.  Outside is a code of a district of
-- Beijing that is not one of the six.

WITH homes AS (
    SELECT person, greatest(first, month_number($counts_from)) AS first, last
    FROM facts.spells
    WHERE kind = 'own'
      AND district BETWEEN $beijing_districts['first'] AND $beijing_districts['last']
      AND NOT list_contains($six_districts, district)
      AND last >= month_number($counts_from)
),
-- a month counts once: of each spell only what lies after the latest month of those before it
ahead AS (
    SELECT
        person,
        last,
        greatest(
            first,
            coalesce(
                max(last) OVER (
                    PARTITION BY person
                    ORDER BY first, last
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) + 1,
                first
            )
        ) AS first
    FROM homes
),
lived AS (
    SELECT
        person,
        CAST(sum(greatest(0, last - first + 1)) AS BIGINT) AS months,
        max(last) = month_number($reference_date) AS in_december
    FROM ahead
    GROUP BY person
),
worked AS (
    SELECT person, count(*) AS months
    FROM facts.insurance
    JOIN ahead USING (person)
    WHERE month >= $counts_from
      AND month_number(month) BETWEEN first AND last
      AND work_district BETWEEN $beijing_districts['first'] AND $beijing_districts['last']
      AND NOT list_contains($six_districts, work_district)
    GROUP BY person
)
SELECT
    person,
    CASE
        WHEN in_december THEN least(
            $centipoints_at_most,
            $centipoints_per_year_home * (lived.months // 12)
            + $centipoints_per_year_job * (coalesce(worked.months, 0) // 12)
        )
        ELSE 0
    END AS centipoints
FROM feeds.applications
LEFT JOIN lived USING (person)
LEFT JOIN worked USING (person);
