-- Filing system (各区段分值): the totals at every thousandth place up to the last one it shows.  Every
-- such place with another total than this engine's, both in centipoints.

WITH placed AS (
    SELECT total, row_number() OVER (ORDER BY total DESC) AS place FROM results.ranking
),
recomputed AS (
    SELECT place, CAST(total AS BIGINT) AS total FROM placed WHERE place % 1000 = 0 AND place <= 6000
),
published AS (
    SELECT place, CAST(100 * total AS BIGINT) AS total FROM published.segments
)
SELECT place, recomputed.total, published.total
FROM recomputed
FULL JOIN published USING (place)
WHERE recomputed.total IS DISTINCT FROM published.total
ORDER BY place;
