-- Every application of a part of them on which the tables about to be published say anything else than
-- this engine, with both sides in the same columns, points in centipoints.  The rank is null for
-- applicants who are not ranked, and all is null on a side that does not know the application.  Ingest says
-- whom an employer's quarantined row marks for review; those whom a published reject names are marked in any
-- case (data contract 1).

WITH named AS (
    SELECT DISTINCT application_no
    FROM published.rejects
    WHERE feed <> 'applications' AND application_no IS NOT NULL
),
recomputed AS (
    SELECT
        application_no,
        CAST(@indicator AS BIGINT) AS @indicator,
        CAST(scorecard.total AS BIGINT) AS total,
        person IN (FROM feeds.needs_review)
        OR application_no IN (FROM named) AS needs_review,
        @condition,
        eligible,
        CAST(ranking.total AS BIGINT) AS ranked_total,
        rank,
        settled,
        serial
    FROM part.scorecard
    LEFT JOIN results.ranking USING (person)
),
published AS (
    SELECT
        application_no,
        CAST(100 * @indicator AS BIGINT) AS @indicator,
        CAST(100 * scores.total AS BIGINT) AS total,
        needs_review,
        @condition,
        eligible,
        CAST(100 * ranking.total AS BIGINT) AS ranked_total,
        rank,
        settled,
        serial
    FROM part.scores
    FULL JOIN part.eligibility USING (application_no)
    FULL JOIN part.ranking USING (application_no)
)
SELECT recomputed, published
FROM recomputed
FULL JOIN published ON recomputed.application_no = published.application_no
WHERE recomputed IS DISTINCT FROM published;
