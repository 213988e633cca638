-- Measures art. 8, release of 2020-07-16, Q&A 16, data contract 6: only who is eligible is ranked, equal
-- totals share a rank (1, 2, 2, 4), and all settle who reach the total at the last place of the quota
-- (同分同落).  Serials follow the total downwards, then the application number by code point.

CREATE TABLE results.ranking AS
WITH placed AS (
    SELECT
        person,
        total,
        rank() OVER (ORDER BY total DESC) AS rank,
        row_number() OVER (ORDER BY total DESC, application_no) AS place
    FROM results.scorecard
    WHERE eligible
),
line AS (
    SELECT min(total) AS cutoff FROM placed WHERE place <= $quota  -- the lowest, if there are fewer
)
SELECT
    person,
    total,
    rank,
    coalesce(total >= cutoff, false) AS settled,
    CASE WHEN settled THEN 100000 * $year + place END AS serial
FROM placed
CROSS JOIN line;
