-- Measures art. 5(3), release of 2020-07-16, Q&A 6: what employment and residence earned during the
-- study period is taken back, 3.5 points a year.  Months are the counted ones in the window that ends
-- with the graduation month; of rows with the most points the latest decides, then the least months.

WITH best AS (
    SELECT DISTINCT person, graduated_on, window_months
    FROM facts.credentials
    QUALIFY rank() OVER (PARTITION BY person ORDER BY centipoints DESC, graduated_on DESC) = 1
),
studied AS (
    SELECT person, graduated_on, window_months, count(*) AS months
    FROM facts.counted
    JOIN best USING (person)
    WHERE month BETWEEN
        CAST(date_trunc('month', graduated_on) - to_months(window_months - 1) AS DATE)
        AND graduated_on
    GROUP BY person, graduated_on, window_months
),
least_studied AS (
    SELECT person, min(coalesce(months, 0)) AS months
    FROM best
    LEFT JOIN studied USING (person, graduated_on, window_months)
    GROUP BY person
)
SELECT
    person,
    -half_up($centipoints_per_year * coalesce(months, 0), 12) AS centipoints
FROM feeds.applications
LEFT JOIN least_studied USING (person);
