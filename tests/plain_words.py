"""Words that no sentence for people may use: they claim a cause, or make more of a number than it says.

One list, for the sentences of the library, the reports and the page.
"""

import re

LOUD = re.compile(
    r"\b(?:(?:significan|plummet|soar|dramatic|slight|trend|caused|alarming)\w*|driven by|because|data shows?)\b",
    re.IGNORECASE,
)
SHOUT = re.compile(r"\w!(?:\s|$)|%\s*(?:more|less|fewer)")  # a rise in percent of a percentage is read as points
