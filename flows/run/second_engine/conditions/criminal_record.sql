-- Measures art. 4(4): no criminal record.
-- A row of whatever date is one.

SELECT person, person NOT IN (SELECT person FROM feeds.criminal_records) AS holds
FROM feeds.applications;
