-- Every application with more than one line in a table that is about to be published.

SELECT application_no, max(lines) AS lines
FROM (
    SELECT application_no, count(*) AS lines FROM published.scores GROUP BY application_no
    UNION ALL
    SELECT application_no, count(*) AS lines FROM published.eligibility GROUP BY application_no
    UNION ALL
    SELECT application_no, count(*) AS lines FROM published.ranking GROUP BY application_no
)
WHERE lines > 1
GROUP BY application_no;
