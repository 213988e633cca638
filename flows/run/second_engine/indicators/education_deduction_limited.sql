-- Trial measures art. 5(3): what employment and residence earned during the study period is taken
-- back, 3.5 points a year, at most what the level adds.  Months are the counted ones from enrolment to
-- graduation, however long; without an enrolment those of the window that ends with graduation.  Of
-- rows with the most points the latest decides, then the least months.

WITH best AS (
    SELECT DISTINCT
        person,
        level,
        graduated_on,
        CASE
            WHEN enrolled_on IS NULL
                THEN CAST(date_trunc('month', graduated_on) - to_months(window_months - 1) AS DATE)
            ELSE date_trunc('month', enrolled_on)
        END AS studied_from
    FROM facts.credentials
    QUALIFY rank() OVER (PARTITION BY person ORDER BY centipoints DESC, graduated_on DESC) = 1
),
studied AS (
    SELECT person, graduated_on, studied_from, count(*) AS months
    FROM facts.counted
    JOIN (SELECT DISTINCT person, graduated_on, studied_from FROM best) USING (person)
    WHERE month BETWEEN studied_from AND graduated_on
    GROUP BY person, graduated_on, studied_from
),
deductions AS (
    SELECT
        person,
        least(
            half_up($centipoints_per_year * coalesce(months, 0), 12),
            CASE level
                WHEN 'junior_college' THEN $centipoints_at_most['junior_college']
                WHEN 'bachelor' THEN $centipoints_at_most['bachelor']
                WHEN 'master' THEN $centipoints_at_most['master']
                WHEN 'doctor' THEN $centipoints_at_most['doctor']
            END
        ) AS centipoints
    FROM best
    LEFT JOIN studied USING (person, graduated_on, studied_from)
)
SELECT person, -coalesce(min(deductions.centipoints), 0) AS centipoints
FROM feeds.applications
LEFT JOIN deductions USING (person)
GROUP BY person;
