-- Data contract 3 and 6: a line an accepted application, with its conditions, whether all hold, its
-- ten indicators and their plain sum; points in centipoints.

CREATE TABLE results.scorecard AS
SELECT
    person,
    application_no,
    employment.centipoints AS employment,
    residence.centipoints AS residence,
    education.centipoints AS education,
    education_deduction.centipoints AS education_deduction,
    job_housing.centipoints AS job_housing,
    innovation.centipoints AS innovation,
    tax.centipoints AS tax,
    age.centipoints AS age,
    honour.centipoints AS honour,
    law.centipoints AS law,
    employment.centipoints + residence.centipoints + education.centipoints
    + education_deduction.centipoints + job_housing.centipoints + innovation.centipoints
    + tax.centipoints + age.centipoints + honour.centipoints + law.centipoints AS total,
    residence_permit.holds AS residence_permit,
    retirement_age.holds AS retirement_age,
    social_insurance.holds AS social_insurance,
    criminal_record.holds AS criminal_record,
    employer.holds AS employer,
    not_barred.holds AS not_barred,
    residence_permit.holds AND retirement_age.holds AND social_insurance.holds
    AND criminal_record.holds AND employer.holds AND not_barred.holds AS eligible
FROM feeds.applications
JOIN indicators.employment USING (person)
JOIN indicators.residence USING (person)
JOIN indicators.education USING (person)
JOIN indicators.education_deduction USING (person)
JOIN indicators.job_housing USING (person)
JOIN indicators.innovation USING (person)
JOIN indicators.tax USING (person)
JOIN indicators.age USING (person)
JOIN indicators.honour USING (person)
JOIN indicators.law USING (person)
JOIN conditions.residence_permit USING (person)
JOIN conditions.retirement_age USING (person)
JOIN conditions.social_insurance USING (person)
JOIN conditions.criminal_record USING (person)
JOIN conditions.employer USING (person)
JOIN conditions.not_barred USING (person);
