-- Data contract 7: a condition the edition does not have is shown as true.

SELECT person, true AS holds
FROM feeds.applications;
