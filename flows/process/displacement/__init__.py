"""Displacement: what each decision upheld, at least partly, did to its applicant and to the line.

Before and after are runs.  Everybody is as they are after; then the decision's applicant alone, or every
applicant of a corrected employer together, is put back as before, and the line is drawn again.  Points
of one person never depend on another, so this is exact: no score is guessed.
"""
