-- Measures art. 5(3): the highest credential recognised by the state, of each who claims education.
-- Each row is judged alone; what a row is worth stands in facts/credentials.sql.

SELECT person, coalesce(max(credentials.centipoints), 0) AS centipoints
FROM feeds.applications
LEFT JOIN facts.credentials USING (person)
GROUP BY person;
