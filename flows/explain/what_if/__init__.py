"""What the smallest single change would have settled an applicant: applied, scored and ranked again.

**A single change** alters records of one kind only: so many months of insurance, one home held for
longer, one award, one credential, one finding absent (`kinds.py` lists them; `data/what_if.toml`
bounds them).  Its size is the number of records it touches, where a month counts as a record when the
record lasts: an insurance month, a month of a home.  So sizes can be compared across kinds without
weighing one against another, which the law does not do.  Months are taken in a fixed order, latest
first, so that a change of n months contains the change of n - 1.

**The smallest change of a kind** is the one of fewest units with which the applicant settles; among
equals the one proposed first (fewest points of an award, next credential up, latest year).  All sizes are
scored, as not every kind is monotone: an earlier graduation month may cost more than it earns, a year
of home and job needs twelve months.  **The smallest of all** has the fewest units; among equals the
one that raises the total least, then the first in the order of `KINDS`.

**Nothing is computed on points.**  Every change is made in the run's accepted rows and scored by the
real rules, under the policy pinned in the run; then everybody is ranked again with the new total.

**Why reaching the line settles.**  Let the quota be q, the line L the q-th highest total, and the
applicant unsettled with at least q others eligible.  At most q - 1 totals exceed L, since it is the
q-th highest.  With a new total t >= L, those above t are among those above L: at most q - 1, so the
applicant is among the first q and settles, though the line may rise to t.  With t < L there are q
others at or above L, so that the line stays at L or above it and the applicant does not settle.  So t
>= L is necessary and sufficient, for an applicant newly eligible as well.  With fewer than q others
eligible everyone eligible settles: it is enough to be eligible.  The record of an employer changes
other applications too and may raise the line: those are scored again, and the new ranking decides.
"""

from flows.explain.what_if.change import Change, Edit
from flows.explain.what_if.nearest import Nearest, Reached, nearest

__all__ = ["Change", "Edit", "Nearest", "Reached", "nearest"]
