-- Measures art. 10: false material bars the applicant, and the employer that helped, in the year of
-- the finding and the years after it.  In the year of the finding it bars whenever it falls.

WITH barring AS (
    SELECT person, employer
    FROM feeds.sanctions
    WHERE $year BETWEEN year(found_on) AND year(found_on) + $years_after
)
SELECT
    person,
    NOT EXISTS (SELECT 1 FROM barring WHERE barring.person = applications.person)
    AND NOT EXISTS (SELECT 1 FROM barring WHERE barring.employer = applications.employer) AS holds
FROM feeds.applications;
