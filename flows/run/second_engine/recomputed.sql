-- The scorecard of a bucket as it is kept until all are ranked: whole numbers of 64 bits, which a Parquet file has.

SELECT
    person,
    application_no,
    CAST(@indicator AS BIGINT) AS @indicator,
    CAST(total AS BIGINT) AS total,
    @condition,
    eligible
FROM results.scorecard;
