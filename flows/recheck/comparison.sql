-- What this engine says of every application, and what is about to be published, in the same columns;
-- points in centipoints.  An application that a table has not is null in its columns.

CREATE TABLE results.recomputed AS
SELECT scorecard.*, ranking.total AS ranked_total, rank, settled, serial
FROM results.scorecard
LEFT JOIN results.ranking USING (application_no);

CREATE TABLE results.published AS
SELECT
    application_no,
    CAST(100 * employment AS BIGINT) AS employment,
    CAST(100 * residence AS BIGINT) AS residence,
    CAST(100 * education AS BIGINT) AS education,
    CAST(100 * education_deduction AS BIGINT) AS education_deduction,
    CAST(100 * job_housing AS BIGINT) AS job_housing,
    CAST(100 * innovation AS BIGINT) AS innovation,
    CAST(100 * tax AS BIGINT) AS tax,
    CAST(100 * age AS BIGINT) AS age,
    CAST(100 * honour AS BIGINT) AS honour,
    CAST(100 * law AS BIGINT) AS law,
    CAST(100 * scores.total AS BIGINT) AS total,
    residence_permit,
    retirement_age,
    social_insurance,
    criminal_record,
    employer,
    not_barred,
    eligible,
    CAST(100 * ranking.total AS BIGINT) AS ranked_total,
    rank,
    settled,
    serial
FROM published.scores
FULL JOIN published.eligibility USING (application_no)
FULL JOIN published.ranking USING (application_no);
