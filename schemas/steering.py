"""What steers a terminal or a page instead of being shown: control and bidirectional-control characters."""

import re

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
