-- Data contract 6: the line is the lowest total that settles; nobody eligible, no line.

SELECT
    count(*) AS eligible,
    count(*) FILTER (settled) AS settled,
    min(total) FILTER (settled) AS cutoff,
    count(*) FILTER (total = (SELECT min(total) FROM results.ranking WHERE settled))
        AS tied_at_cutoff
FROM results.ranking;
