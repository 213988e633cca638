-- Release of 2020-07-16, Q&A 4, data contract 4, residence: a dormitory or a rented home counts only if
-- it was registered by the reference date; others are left out before anything is counted.
-- A view with a session variable, as facts.insurance.

CREATE VIEW facts.homes AS
SELECT *
FROM facts.spells
WHERE kind = 'own' OR registered_on <= getvariable('reference_date');
