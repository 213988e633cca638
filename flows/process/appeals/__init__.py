"""Appeals (复查, 申诉): an applicant contests one indicator or condition, and two people decide.

An appeal opens that one matter and nothing else: whatever it says, a run is changed by deliveries only.
"""
