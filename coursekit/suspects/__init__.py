"""`coursekit data suspects`: masks of a data set that a trained network contradicts.

`evidence` weighs one network's answers against one data set's labels, `search` walks a split, and
`sheet` shows the worst to a person, who decides.
"""

from coursekit.suspects.search import Found, Suspect, find_suspects
from coursekit.suspects.sheet import MOST, check_out, write_report

__all__ = ["MOST", "Found", "Suspect", "check_out", "find_suspects", "write_report"]
