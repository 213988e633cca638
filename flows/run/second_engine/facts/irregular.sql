-- Data contract 3 and 4: the months in which not all five insurances were paid on time, which are few,
-- with the status of each.

CREATE TABLE facts.irregular AS
SELECT person, month, pension, medical, unemployment, injury, maternity
FROM facts.insurance
WHERE pension IS DISTINCT FROM $counted_status
   OR medical IS DISTINCT FROM $counted_status
   OR unemployment IS DISTINCT FROM $counted_status
   OR injury IS DISTINCT FROM $counted_status
   OR maternity IS DISTINCT FROM $counted_status;
