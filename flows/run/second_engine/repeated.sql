-- Everything that stands in more than one line of a table that is about to be published.

SELECT application_no, 'application' AS what, count(*) AS lines
FROM published.scores
GROUP BY application_no
HAVING lines > 1
UNION ALL
SELECT application_no, 'application', count(*) AS lines
FROM published.eligibility
GROUP BY application_no
HAVING lines > 1
UNION ALL
SELECT application_no, 'application', count(*) AS lines
FROM published.ranking
GROUP BY application_no
HAVING lines > 1
UNION ALL
SELECT 'serial ' || serial, 'public_list', count(*) AS lines
FROM published.public_list
GROUP BY serial
HAVING lines > 1
UNION ALL
SELECT 'line', 'place ' || place, count(*) AS lines
FROM published.segments
GROUP BY place
HAVING lines > 1
ORDER BY ALL;
