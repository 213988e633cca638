-- Data contract 7: the public list has everybody who settles, by serial, with name, month of birth and
-- employer as filed and the points.  Every serial on which it differs from this engine, with
-- both sides in the same columns, points in centipoints; a serial nobody has stands for an application.

WITH recomputed AS (
    SELECT
        application_no,
        serial,
        people.name,
        strftime(birth_date, '%Y-%m') AS birth_month,
        employers.name AS employer,
        CAST(@indicator AS BIGINT) AS @indicator,
        CAST(scorecard.total AS BIGINT) AS total
    FROM results.ranking
    JOIN results.scorecard USING (person)
    JOIN feeds.applications USING (person, application_no)
    JOIN feeds.people USING (person, application_no)
    LEFT JOIN feeds.employers ON employers.employer = applications.employer
    WHERE settled
),
published AS (
    SELECT
        coalesce(application_no, 'serial ' || serial) AS application_no,
        serial,
        public_list.name,
        public_list.birth_month,
        public_list.employer,
        CAST(100 * public_list.@indicator AS BIGINT) AS @indicator,
        CAST(100 * public_list.total AS BIGINT) AS total
    FROM published.public_list
    LEFT JOIN recomputed USING (serial)
)
SELECT recomputed, published
FROM recomputed
FULL JOIN published ON recomputed.serial = published.serial
WHERE recomputed IS DISTINCT FROM published;
