-- Measures and trial measures art. 5(2): a year in an own home 1 point, in a rented home or a dormitory
-- 0.5, by month and never more than employment, own home first; release of 2020-07-16, Q&A 4: from the
-- border month on a rented home or a dormitory counts only as filed, before it every counted month
-- without an own home counts as rented.  Each part is rounded on its own (data contract 4, residence).
-- Which filed homes count, registered ones or all, is the edition's: facts.homes.

-- own home before dormitory before rent: the months of a kind are those of it and all kinds before it,
-- less those of the kinds before it
WITH parts (part, kinds, from_month, to_month) AS (
    VALUES
        ('own1', ['own'], month_number($first_month), month_number($filed_from) - 1),
        ('own2', ['own'], month_number($filed_from), month_number($reference_date)),
        ('dorm2', ['own', 'dormitory'], month_number($filed_from), month_number($reference_date)),
        (
            'rent2',
            ['own', 'dormitory', 'rent'],
            month_number($filed_from),
            month_number($reference_date)
        )
),
clipped AS (
    SELECT person, part, greatest(first, from_month) AS first, least(last, to_month) AS last
    FROM facts.homes
    JOIN parts ON list_contains(kinds, kind)
    WHERE greatest(first, from_month) <= least(last, to_month)
),
-- a month counts once: of each spell only what lies after the latest month of those before it
ahead AS (
    SELECT
        person,
        part,
        last,
        greatest(
            first,
            coalesce(
                max(last) OVER (
                    PARTITION BY person, part
                    ORDER BY first, last
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) + 1,
                first
            )
        ) AS first
    FROM clipped
),
held AS (
    SELECT
        person,
        CAST(sum(last - first + 1) FILTER (part = 'own1') AS BIGINT) AS own1,
        CAST(sum(last - first + 1) FILTER (part = 'own2') AS BIGINT) AS own2,
        CAST(sum(last - first + 1) FILTER (part = 'dorm2') AS BIGINT) AS own_dorm2,
        CAST(sum(last - first + 1) FILTER (part = 'rent2') AS BIGINT) AS own_dorm_rent2
    FROM ahead
    WHERE first <= last
    GROUP BY person
),
employed2 AS (
    SELECT person, count(*) AS e2
    FROM facts.counted
    WHERE month >= $filed_from
    GROUP BY person
),
filed_and_employed AS (
    SELECT
        person,
        months AS e,
        months - coalesce(e2, 0) AS e1,
        coalesce(own1, 0) AS own1,
        coalesce(own2, 0) AS own2,
        coalesce(own_dorm2, 0) - coalesce(own2, 0) AS dorm2,
        coalesce(own_dorm_rent2, 0) - coalesce(own_dorm2, 0) AS rent2
    FROM facts.longest  -- without employment there is nothing to earn
    LEFT JOIN employed2 USING (person)
    LEFT JOIN held USING (person)
),
-- 1. own homes, capped by employment: the excess is taken from the first period, then the second
own AS (
    SELECT
        * REPLACE (
            greatest(0, own1 - greatest(0, own1 + own2 - e)) AS own1,
            least(own2, e) AS own2
        )
    FROM filed_and_employed
),
-- 2. employment of the first period without an own home
free AS (
    SELECT *, least(e1 - least(own1, e1), e - own1 - own2) AS free1 FROM own
),
-- 3. dormitory, then rent, of what is left
dormitory AS (
    SELECT * REPLACE (least(dorm2, e - own1 - own2 - free1) AS dorm2) FROM free
),
rent AS (
    SELECT * REPLACE (least(rent2, e - own1 - own2 - free1 - dorm2) AS rent2) FROM dormitory
)
-- 4. each part is rounded on its own
SELECT
    person,
    coalesce(
        half_up($centipoints_per_year_own * own1, 12)
        + half_up($centipoints_per_year_own * own2, 12)
        + half_up($centipoints_per_year_other * free1, 12)
        + half_up($centipoints_per_year_other * dorm2, 12)
        + half_up($centipoints_per_year_other * rent2, 12),
        0
    ) AS centipoints
FROM feeds.applications
LEFT JOIN rent USING (person);
