-- Data contract 3: an insurance row recorded after the reference date does not exist, nor does one of
-- a month before the earliest or after December of the year before (that of the reference date).
-- A view, so that only the columns a rule asks for are read; its two values are session variables.

CREATE VIEW facts.insurance AS
SELECT *
FROM feeds.social_insurance
WHERE recorded_on <= getvariable('reference_date')
  AND month BETWEEN getvariable('first_month') AND getvariable('reference_date');
