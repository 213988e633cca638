-- Measures art. 5(1): 3 points for a full year of social insurance, pro rata by month.
-- Every counted month earns the same.

SELECT person, $centipoints_per_month * coalesce(months, 0) AS centipoints
FROM feeds.applications
LEFT JOIN facts.longest USING (person);
