-- Trial measures art. 5(2), data contract 5, residence: every home filed counts, registered or not.

CREATE VIEW facts.homes AS
SELECT * FROM facts.spells;
