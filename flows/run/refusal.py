"""Why a feed or a file of it is refused, in one sentence that quotes nothing of it."""

from schemas.feeds import FEEDS


def refusal(where: str, expected: str, found: str) -> str:
    """Why a feed or one of its files is refused, with the department to ask; `where` begins with it."""
    department = FEEDS[where.partition("/")[0]].department
    return f"{where} ({department}): expected {expected}, found {found}"
