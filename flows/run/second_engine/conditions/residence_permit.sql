-- Measures art. 4(1): the applicant holds a residence permit (居住证) on the permit date.
-- One permit valid on that day is enough; one without an end is open.

SELECT
    person,
    person IN (
        SELECT person
        FROM feeds.residence_permits
        WHERE valid_from <= $permit_date
          AND (valid_to IS NULL OR valid_to >= $permit_date)
    ) AS holds
FROM feeds.applications;
