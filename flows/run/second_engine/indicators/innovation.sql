-- Measures art. 5(5), release of 2020-07-16, Q&A 8: the best single item, an award or a share in a
-- technology firm that was financed.  The share was held all of the year before, in a firm that is
-- high-tech or a technology SME and insured the applicant in December; what the firm received in the
-- years before decides.

WITH received AS (
    SELECT employer, sum(amount_fen) AS fen
    FROM feeds.financings
    WHERE year(received_on) BETWEEN $year - $financing_years AND $year - 1
    GROUP BY employer
),
tiers AS (
    SELECT unnest($financing_tiers, recursive := true)
),
financed AS (
    SELECT shareholdings.person, tiers.centipoints
    FROM feeds.shareholdings
    JOIN feeds.employers USING (employer)
    JOIN received USING (employer)
    JOIN tiers ON received.fen >= tiers.fen_at_least
    JOIN facts.insurance
        ON insurance.person = shareholdings.person
        AND insurance.employer = shareholdings.employer
        AND insurance.month = date_trunc('month', $reference_date)
    WHERE share_bp >= $share_bp_at_least
      AND held_from <= make_date($year - 1, 1, 1)
      AND (held_to IS NULL OR held_to >= $reference_date)
      AND (high_tech OR tech_sme)
),
items AS (
    SELECT person, centipoints FROM facts.awards
    UNION ALL
    SELECT person, centipoints FROM financed
)
SELECT person, least($centipoints_at_most, coalesce(max(items.centipoints), 0)) AS centipoints
FROM feeds.applications
LEFT JOIN items USING (person)
GROUP BY person;
