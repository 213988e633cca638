-- Measures art. 5(9), release of 2020-07-16, Q&A 3: points off for each administrative detention
-- (行政拘留) of the calendar years before the application.

SELECT person, $centipoints_per_detention * count(decided_on) AS centipoints
FROM feeds.applications
LEFT JOIN (
    SELECT person, decided_on
    FROM feeds.detentions
    WHERE year(decided_on) BETWEEN $year - $years AND $year - 1
) USING (person)
GROUP BY person;
