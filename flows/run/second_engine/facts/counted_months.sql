-- Measures art. 5(1), data contract 4, counted months: of the five insurances the one with the most
-- months paid on time counts, the first in their order where some have equally many.  Its months paid
-- on time are the counted ones; months paid back, whoever paid them, are not among them.

-- regular months add the same to each of the five: the others decide which one is the longest
CREATE TABLE facts.longest AS
WITH regular AS (
    SELECT person, count(*) AS months FROM facts.regular GROUP BY person
),
irregular AS (
    SELECT
        person,
        count(*) FILTER (pension = $counted_status) AS pension,
        count(*) FILTER (medical = $counted_status) AS medical,
        count(*) FILTER (unemployment = $counted_status) AS unemployment,
        count(*) FILTER (injury = $counted_status) AS injury,
        count(*) FILTER (maternity = $counted_status) AS maternity
    FROM facts.irregular
    GROUP BY person
),
each_insurance AS (
    UNPIVOT irregular
    ON pension, medical, unemployment, injury, maternity
    INTO NAME insurance VALUE months
),
longest AS (
    SELECT person, insurance, months
    FROM each_insurance
    WHERE list_contains($insurances, insurance)
    QUALIFY row_number() OVER (
        PARTITION BY person ORDER BY months DESC, list_position($insurances, insurance)
    ) = 1
)
SELECT
    person,
    insurance,
    coalesce(regular.months, 0) + coalesce(longest.months, 0) AS months
FROM regular
FULL JOIN longest USING (person);

CREATE TABLE facts.irregular_counted AS
SELECT person, month
FROM facts.irregular
JOIN facts.longest USING (person)
WHERE CASE insurance
    WHEN 'pension' THEN pension
    WHEN 'medical' THEN medical
    WHEN 'unemployment' THEN unemployment
    WHEN 'injury' THEN injury
    WHEN 'maternity' THEN maternity
END = $counted_status;

CREATE VIEW facts.counted AS
SELECT person, month FROM facts.regular
UNION ALL
SELECT person, month FROM facts.irregular_counted;
