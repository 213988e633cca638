-- Data contract 7: the public list has everybody who settles, by serial, with name, month of birth and
-- employer as filed and the points.  Every serial on which it says anything else than this engine, with
-- both sides in the same columns, points in centipoints; a serial nobody has stands for an application.

WITH recomputed AS (
    SELECT
        application_no,
        serial,
        people.name,
        strftime(birth_date, '%Y-%m') AS birth_month,
        employers.name AS employer,
        CAST(employment AS BIGINT) AS employment,
        CAST(residence AS BIGINT) AS residence,
        CAST(education AS BIGINT) AS education,
        CAST(education_deduction AS BIGINT) AS education_deduction,
        CAST(job_housing AS BIGINT) AS job_housing,
        CAST(innovation AS BIGINT) AS innovation,
        CAST(tax AS BIGINT) AS tax,
        CAST(age AS BIGINT) AS age,
        CAST(honour AS BIGINT) AS honour,
        CAST(law AS BIGINT) AS law,
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
        CAST(100 * public_list.employment AS BIGINT) AS employment,
        CAST(100 * public_list.residence AS BIGINT) AS residence,
        CAST(100 * public_list.education AS BIGINT) AS education,
        CAST(100 * public_list.education_deduction AS BIGINT) AS education_deduction,
        CAST(100 * public_list.job_housing AS BIGINT) AS job_housing,
        CAST(100 * public_list.innovation AS BIGINT) AS innovation,
        CAST(100 * public_list.tax AS BIGINT) AS tax,
        CAST(100 * public_list.age AS BIGINT) AS age,
        CAST(100 * public_list.honour AS BIGINT) AS honour,
        CAST(100 * public_list.law AS BIGINT) AS law,
        CAST(100 * public_list.total AS BIGINT) AS total
    FROM published.public_list
    LEFT JOIN recomputed USING (serial)
)
SELECT recomputed, published
FROM recomputed
FULL JOIN published ON recomputed.serial = published.serial
WHERE recomputed IS DISTINCT FROM published;
