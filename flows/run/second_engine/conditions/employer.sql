-- Release of 2020-07-16, Q&A 3: the employer that files is registered in Beijing, registered for tax
-- and paying it.  An employer without a row in the feed fails.

SELECT
    person,
    coalesce(registered_in_beijing AND tax_registered AND tax_paying, false) AS holds
FROM feeds.applications
LEFT JOIN feeds.employers USING (employer);
