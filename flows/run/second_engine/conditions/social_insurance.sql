-- Measures art. 4(3): each of the five insurances has a status in every month of the seven years that
-- end with December of the year before, and of each at most five months are paid back (补缴).
-- Where the round names a month before filing, a row of that month is needed too, whenever recorded.

WITH regular AS (  -- each of the five has a status, and none is paid back
    SELECT person, count(*) AS months
    FROM facts.regular
    WHERE month >= CAST(date_trunc('month', $reference_date) - to_months($months - 1) AS DATE)
    GROUP BY person
),
irregular AS (
    SELECT
        person,
        count(*) FILTER (
            pension IS NOT NULL
            AND medical IS NOT NULL
            AND unemployment IS NOT NULL
            AND injury IS NOT NULL
            AND maternity IS NOT NULL
        ) AS months,
        greatest(
            count(*) FILTER (pension = $back_paid_status),
            count(*) FILTER (medical = $back_paid_status),
            count(*) FILTER (unemployment = $back_paid_status),
            count(*) FILTER (injury = $back_paid_status),
            count(*) FILTER (maternity = $back_paid_status)
        ) AS back_paid
    FROM facts.irregular
    WHERE month >= CAST(date_trunc('month', $reference_date) - to_months($months - 1) AS DATE)
    GROUP BY person
),
insured AS (
    SELECT DISTINCT person
    FROM feeds.social_insurance
    WHERE month = CAST($insured_in AS DATE)  -- every accepted row has a status
)
SELECT
    person,
    coalesce(regular.months, 0) + coalesce(irregular.months, 0) = $months
    AND coalesce(back_paid, 0) <= $back_paid_months_at_most
    AND (CAST($insured_in AS DATE) IS NULL OR person IN (SELECT person FROM insured)) AS holds
FROM feeds.applications
LEFT JOIN regular USING (person)
LEFT JOIN irregular USING (person);
