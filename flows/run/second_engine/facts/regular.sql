-- Data contract 4, counted months: the months in which all five insurances were paid on time.  They are
-- the same for each of the five, so that only the other months are looked at one by one.

CREATE TABLE facts.regular AS
SELECT person, month
FROM facts.insurance
WHERE pension = $counted_status
  AND medical = $counted_status
  AND unemployment = $counted_status
  AND injury = $counted_status
  AND maternity = $counted_status;
