-- Trial measures art. 5(5): the best single item, an award or the full years in a position in a
-- high-tech firm, a start-up, or an incubator or service body.  Years run from the day the position was
-- taken up to its end or the reference date; a 29 February is the 28th in other years.

WITH kinds AS (
    SELECT unnest($positions, recursive := true)
),
held AS (
    SELECT
        person,
        kind,
        held_from,
        least(coalesce(held_to, $reference_date), $reference_date) AS until,
        year(until) - year(held_from) AS years_begun
    FROM feeds.positions
    WHERE held_from <= $reference_date
),
full_years AS (
    SELECT
        person,
        kind,
        CASE
            WHEN held_from + to_years(years_begun) <= until THEN years_begun
            ELSE years_begun - 1
        END AS years
    FROM held
),
items AS (
    SELECT person, centipoints FROM facts.awards
    UNION ALL
    SELECT person, least(centipoints_at_most, centipoints_per_year * years) AS centipoints
    FROM full_years
    JOIN kinds USING (kind)
)
SELECT person, least($centipoints_at_most, coalesce(max(items.centipoints), 0)) AS centipoints
FROM feeds.applications
LEFT JOIN items USING (person)
GROUP BY person;
