-- Whole-number helpers for every other file.  A month is known by its number, year * 12 + month - 1,
-- where its distance to another one matters; hu(a/b) of the data contract is half_up(a, b).

CREATE MACRO month_number(day) AS year(day) * 12 + month(day) - 1;

CREATE MACRO half_up(a, b) AS (2 * a + b) // (2 * b);  -- neither is negative
