-- Data contract 4: what an insurance month is worth looking at for.  In a regular month all five were
-- paid on time, so that it is the same for each of them; only of the other months, which are few, is
-- each status kept.

CREATE TABLE facts.regular AS
SELECT person, month
FROM facts.insurance
WHERE pension = $counted_status
  AND medical = $counted_status
  AND unemployment = $counted_status
  AND injury = $counted_status
  AND maternity = $counted_status;

CREATE TABLE facts.irregular AS
SELECT person, month, pension, medical, unemployment, injury, maternity
FROM facts.insurance
WHERE pension IS DISTINCT FROM $counted_status
   OR medical IS DISTINCT FROM $counted_status
   OR unemployment IS DISTINCT FROM $counted_status
   OR injury IS DISTINCT FROM $counted_status
   OR maternity IS DISTINCT FROM $counted_status;
