-- Data contract 7: an indicator the edition does not have is null.

SELECT person, CAST(NULL AS BIGINT) AS centipoints
FROM feeds.applications;
