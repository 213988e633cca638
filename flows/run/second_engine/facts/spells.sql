-- Data contract, notation: a home covers exactly the months whose first day lies in start_date to
-- end_date, open without one.  Each home as its first and last such month up to December of the year
-- before; homes that cover no month are left out.

CREATE TABLE facts.spells AS
SELECT
    person,
    kind,
    district,
    registered_on,
    month_number(start_date) + CASE WHEN day(start_date) = 1 THEN 0 ELSE 1 END AS first,
    least(
        month_number(coalesce(end_date, $reference_date)), month_number($reference_date)
    ) AS last
FROM feeds.housing
WHERE first <= last;
