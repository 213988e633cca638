-- Trial measures art. 5(4): points for every twelve months after the home moved out of the six
-- districts (城六区), and for every twelve after home and job both did.  A month's home is the homes of
-- the first kind held, outside (inside) if one of them is; a home has moved out if the latest home
-- before the first month outside was inside, and a job likewise (data contract 5, job_housing).

WITH homes AS (
    SELECT
        person,
        list_position($home_kinds, kind) AS place,
        greatest(first, month_number($first_month)) AS first,
        last,
        district BETWEEN $beijing_districts['first'] AND $beijing_districts['last']
        AND NOT list_contains($six_districts, district) AS outside,
        list_contains($six_districts, district) AS inside
    FROM facts.spells
    WHERE last >= month_number($first_month)
      AND list_contains($home_kinds, kind)
),
-- the months that can count, a line a month and home held in it; somebody without a home outside since
-- then has no such month
housed AS (
    SELECT person, month, place, outside
    FROM homes
    JOIN (
        SELECT unnest(
            range(month_number($counts_from), month_number($reference_date) + 1)
        ) AS month
    ) ON month BETWEEN first AND last
    WHERE person IN (
        SELECT person FROM homes WHERE outside AND last >= month_number($counts_from)
    )
),
months_outside AS (
    SELECT DISTINCT person, month
    FROM housed
    QUALIFY rank() OVER (PARTITION BY person, month ORDER BY place) = 1 AND outside
),
first_outside AS (
    SELECT person, min(month) AS month FROM months_outside GROUP BY person
),
latest_before AS (
    SELECT person, max(least(last, month - 1)) AS month
    FROM homes
    JOIN first_outside USING (person)
    WHERE first < month
    GROUP BY person
),
moved AS (
    SELECT homes.person
    FROM homes
    JOIN latest_before ON latest_before.person = homes.person AND month BETWEEN first AND last
    QUALIFY rank() OVER (PARTITION BY homes.person ORDER BY place) = 1 AND inside
),
t AS (
    SELECT person, month FROM months_outside WHERE person IN (SELECT person FROM moved)
),
jobs AS (
    SELECT
        person,
        month,
        work_district BETWEEN $beijing_districts['first'] AND $beijing_districts['last']
        AND NOT list_contains($six_districts, work_district) AS outside,
        list_contains($six_districts, work_district) AS inside
    FROM facts.insurance
    WHERE person IN (SELECT person FROM t)
),
first_job_outside AS (
    SELECT person, min(month) AS since
    FROM jobs
    WHERE outside AND month >= $counts_from
    GROUP BY person
),
job_moved AS (
    SELECT person
    FROM jobs
    JOIN first_job_outside USING (person)
    WHERE month < since
    GROUP BY person
    HAVING arg_max(inside, month)
),
b AS (
    SELECT person, month_number(month) AS month
    FROM jobs
    JOIN job_moved USING (person)
    WHERE outside AND month >= $counts_from
),
counts AS (
    SELECT t.person, count(*) AS home, count(b.month) AS home_and_job
    FROM t
    LEFT JOIN b ON b.person = t.person AND b.month = t.month
    GROUP BY t.person
)
SELECT
    person,
    least(
        $centipoints_at_most,
        $centipoints_per_year_home_and_job * (coalesce(home_and_job, 0) // 12)
        + least(
            $centipoints_at_most_home,
            $centipoints_per_year_home * ((coalesce(home, 0) - coalesce(home_and_job, 0)) // 12)
        )
    ) AS centipoints
FROM feeds.applications
LEFT JOIN counts USING (person);
