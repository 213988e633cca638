-- Measures and trial measures art. 5(5), data contract 4 and 5, innovation: what each award by the
-- reference date is worth; one of municipal scope has a limit of its own.

CREATE TABLE facts.awards AS
SELECT
    person,
    CASE
        WHEN scope = 'municipal' THEN least(100 * points, $municipal_centipoints_at_most)
        ELSE 100 * points
    END AS centipoints
FROM feeds.awards
WHERE awarded_on <= $reference_date;
