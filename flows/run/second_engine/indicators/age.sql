-- Measures art. 5(7): full points up to an age on 1 January of the year before, less for each year
-- above, never below 0.  A birthday on that day is not yet completed (release of 2020-07-16, Q&A 10),
-- so that only the year of birth matters.

SELECT
    person,
    greatest(
        0,
        $centipoints_full
        - $centipoints_less_per_year * greatest(0, $year - 2 - year(birth_date) - $full_until_age)
    ) AS centipoints
FROM feeds.applications;
