-- Trial measures art. 5(9): points off for each administrative detention (行政拘留) from the day the
-- measures commenced to the reference date.

SELECT person, $centipoints_per_detention * count(decided_on) AS centipoints
FROM feeds.applications
LEFT JOIN (
    SELECT person, decided_on
    FROM feeds.detentions
    WHERE decided_on BETWEEN $counts_from AND $reference_date
) USING (person)
GROUP BY person;
