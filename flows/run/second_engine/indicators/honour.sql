-- Measures art. 5(8): points for a model worker, a moral model or a bravery title; not cumulative.
-- It is awarded, and not revoked, by the reference date.

SELECT
    person,
    CASE
        WHEN person IN (
            SELECT person
            FROM feeds.honours
            WHERE list_contains($titles, title)
              AND awarded_on <= $reference_date
              AND (revoked_on IS NULL OR revoked_on > $reference_date)
        ) THEN $centipoints
        ELSE 0
    END AS centipoints
FROM feeds.applications;
