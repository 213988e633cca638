-- Measures art. 5(3), data contract 4: every row that may count for education, with its points and
-- the months before graduation in which insurance is deducted.  It must be verified, graduated by the
-- reference date, and belong to somebody who claims education; its level, diploma and
-- degree together decide what it is worth.

CREATE TABLE facts.credentials AS
WITH worth AS (
    SELECT unnest($credentials, recursive := true)
)
SELECT
    education.person,
    education.level,
    education.enrolled_on,
    education.graduated_on,
    worth.centipoints,
    worth.window_months
FROM feeds.education
JOIN feeds.applications USING (person)
JOIN worth USING (level, has_diploma, has_degree)
WHERE applications.claims_education
  AND education.verified
  AND education.graduated_on <= $reference_date;
