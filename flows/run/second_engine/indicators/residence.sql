-- Measures and trial measures art. 5(2): points for each year in a home by its kind, by month and never
-- more than employment; release of 2020-07-16, Q&A 4: from the border month on a home counts only as
-- filed, before it every counted month without a home held by right counts by default.  Each part is
-- rounded on its own (data contract 4, residence).  $kinds lists the kinds by precedence, each with its
-- rate, whether it has to be registered, and how it counts before the border.

WITH kinds AS (
    SELECT unnest($kinds, recursive := true), generate_subscripts($kinds, 1) AS place
),
-- period 1 is before the border, period 2 from it on
parts AS (
    SELECT period, place, kind, registered, early, centipoints_per_year, from_month, to_month
    FROM kinds
    JOIN (
        VALUES
            (1, month_number($first_month), month_number($filed_from) - 1),
            (2, month_number($filed_from), month_number($reference_date))
    ) AS periods (period, from_month, to_month) ON period = 2 OR early = 'held'
),
-- the months of a kind are those of it and all kinds before it, less those of the kinds before it
clipped AS (
    SELECT
        person,
        upto.period,
        upto.place,
        greatest(first, upto.from_month) AS first,
        least(last, upto.to_month) AS last
    FROM parts AS upto
    JOIN parts AS each ON each.period = upto.period AND each.place <= upto.place
    JOIN facts.spells ON spells.kind = each.kind
    WHERE greatest(first, upto.from_month) <= least(last, upto.to_month)
      AND (NOT each.registered OR registered_on <= $reference_date)
),
-- a month counts once: of each spell only what lies after the latest month of those before it
ahead AS (
    SELECT
        person,
        period,
        place,
        last,
        greatest(
            first,
            coalesce(
                max(last) OVER (
                    PARTITION BY person, period, place
                    ORDER BY first, last
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) + 1,
                first
            )
        ) AS first
    FROM clipped
),
covered AS (
    SELECT person, period, place, CAST(sum(last - first + 1) AS BIGINT) AS months
    FROM ahead
    WHERE first <= last
    GROUP BY ALL
),
employed2 AS (
    SELECT person, count(*) AS e2
    FROM facts.counted
    WHERE month >= $filed_from
    GROUP BY person
),
-- the parts in the turn in which they use employment up: what counts in both periods, of these the
-- second first, in the end what counts in the second only; without employment there is none to use
held AS (
    SELECT
        person,
        longest.months AS e,
        period,
        CASE WHEN early = 'held' THEN 2 * place - period ELSE 1000 + place END AS turn,
        centipoints_per_year,
        covered.months - coalesce(
            lag(covered.months) OVER (PARTITION BY person, period ORDER BY place), 0
        ) AS months
    FROM covered
    JOIN facts.longest USING (person)
    JOIN parts USING (period, place)
),
-- 1. homes that count in both periods, capped by employment: each takes what those before it left
both_periods AS (
    SELECT
        person,
        period,
        least(months, greatest(0, e - (sum(months) OVER turns - months))) AS months
    FROM held
    WHERE turn < 1000
    WINDOW turns AS (PARTITION BY person ORDER BY turn)
),
used1 AS (
    SELECT person, sum(months) AS months FROM both_periods WHERE period = 1 GROUP BY person
),
-- 2. employment of the first period without such a home
by_default AS (
    SELECT
        person,
        longest.months AS e,
        1000 AS turn,
        centipoints_per_year,
        greatest(0, longest.months - coalesce(e2, 0) - coalesce(used1.months, 0)) AS months
    FROM facts.longest
    CROSS JOIN (SELECT centipoints_per_year FROM kinds WHERE early = 'default')
    LEFT JOIN employed2 USING (person)
    LEFT JOIN used1 USING (person)
),
-- 3. then each part of what is left
in_turn AS (
    SELECT person, e, turn, centipoints_per_year, months FROM held
    UNION ALL
    SELECT person, e, turn, centipoints_per_year, months FROM by_default
),
counted AS (
    SELECT
        person,
        centipoints_per_year,
        least(months, greatest(0, e - (sum(months) OVER turns - months))) AS months
    FROM in_turn
    WINDOW turns AS (PARTITION BY person ORDER BY turn)
)
-- 4. each part is rounded on its own
SELECT
    person,
    coalesce(CAST(sum(half_up(centipoints_per_year * months, 12)) AS BIGINT), 0) AS centipoints
FROM feeds.applications
LEFT JOIN counted USING (person)
GROUP BY person;
