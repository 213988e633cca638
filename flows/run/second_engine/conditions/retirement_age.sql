-- Measures art. 4(2): on the reference date the statutory retirement age is not yet reached.
-- The class gives the years; whoever is born from a certain month on is delayed by one month for every
-- started group of birth months, up to a limit.  The day reached is clipped to the month's last.

WITH delays AS (
    SELECT
        unnest(
            CAST(
                $delays AS STRUCT(
                    retirement_class VARCHAR,
                    born_from DATE,
                    birth_months_per_month INTEGER,
                    months_at_most INTEGER
                )[]
            ),
            recursive := true
        )
),
delayed AS (
    SELECT
        person,
        least(
            months_at_most,
            (month_number(birth_date) - month_number(born_from)) // birth_months_per_month + 1
        ) AS months
    FROM feeds.applications
    JOIN delays USING (retirement_class)
    WHERE birth_date >= born_from
)
SELECT
    person,
    $reference_date < CAST(
        birth_date + to_months(
            12 * CASE retirement_class
                WHEN 'male_60' THEN $years['male_60']
                WHEN 'female_55' THEN $years['female_55']
                WHEN 'female_50' THEN $years['female_50']
            END + coalesce(delayed.months, 0)
        ) AS DATE
    ) AS holds
FROM feeds.applications
LEFT JOIN delayed USING (person);
