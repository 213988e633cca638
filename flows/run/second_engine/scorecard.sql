-- Data contract 3 and 6: a line an accepted application, with its conditions, whether all hold, its
-- indicators and their plain sum; points in centipoints.  A line about an indicator or a condition stands
-- for a line about each.

CREATE TABLE results.scorecard AS
SELECT
    person,
    application_no,
    @indicator.centipoints AS @indicator,
    0
    + coalesce(@indicator.centipoints, 0)
    AS total,
    @condition.holds AS @condition,
    true
    AND @condition.holds
    AS eligible
FROM feeds.applications
JOIN indicators.@indicator USING (person)
JOIN conditions.@condition USING (person)
;
