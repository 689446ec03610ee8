"""Fifty requests that no report may be made from, and the template they are sent to."""

CELL = """from datetime import date
from typing import Literal
weeks: int = 4  # weeks compared (1 to 104)
share: float = 0.5  # least share (0 to 1)
least: int = 10  # fewest people (at least 1)
unit = "week"  # length of a step, one of: week, month
mood: Literal["good", "bad"] = "good"  # side that is read
top: Literal[5, 10] = 5  # lines of the table
step = 1  # one of: 1, 2, 4
flag: bool = True  # with a map
end: str = ""  # last day, YYYY-MM-DD; empty: the newest
since: date = date(2026, 1, 1)  # first day
names: list[str] = ["a"]  # whose reviews
numbers = [1, 2]  # which weeks
options: dict = {}  # anything else
region: str = ""  # only this region; empty: all
limit: int | None = None  # most reviews; empty: all
"""

BAD = {  # what is wrong: what is asked for
    "a word for a number": {"weeks": "four"},
    "half a week": {"weeks": 4.5},
    "a bool for a number": {"weeks": True},
    "a list for a number": {"weeks": [4]},
    "an object for a number": {"weeks": {"n": 4}},
    "nothing for a number": {"weeks": None},
    "empty for a number": {"weeks": ""},
    "below the range": {"weeks": 0},
    "above the range": {"weeks": "105"},
    "far above the range": {"weeks": 10**400},
    "below one bound": {"least": -1},
    "a number no JSON reader holds": {"least": 2**60},
    "digits without end": {"weeks": "9" * 5_000},
    "digits of another script": {"weeks": "٤"},
    "underscores in a number": {"weeks": "1_0"},
    "hexadecimal": {"weeks": "0x10"},
    "an exponent without end": {"share": "1e999"},
    "share over one": {"share": 1.01},
    "NaN": {"share": "nan"},
    "NaN as a number": {"share": float("nan")},
    "infinity": {"share": "inf"},
    "minus infinity": {"share": float("-inf")},
    "a choice that is none": {"unit": "year"},
    "a choice in capitals": {"unit": "WEEK"},
    "two choices": {"unit": "week, month"},
    "empty for a choice": {"unit": ""},
    "a literal that is none": {"mood": "so"},
    "a number that is no literal": {"top": 7},
    "a number that is no choice": {"step": 3},
    "perhaps": {"flag": "perhaps"},
    "two for a bool": {"flag": 2},
    "a day that never was": {"end": "2026-02-30"},
    "a day in words": {"end": "yesterday"},
    "a day with dots": {"since": "01.02.2026"},
    "a day with a time": {"since": "2026-02-01T00:00:00"},
    "a day as a number": {"since": 20260201},
    "no day": {"since": ""},
    "a word for a list": {"names": "c"},
    "a list in a list": {"names": [["c"]]},
    "numbers for names": {"names": [1]},
    "names for numbers": {"numbers": ["one"]},
    "a list without end": {"names": ["a"] * 1_001},
    "brackets without end": {"names": "[" * 9_000},
    "a list for an object": {"options": [1]},
    "a call for a list": {"names": "__import__('os').system('id')"},
    "code for a number": {"weeks": "4; import os"},
    "NUL": {"region": "a\0b"},
    "a text without end": {"region": "a" * 10_001},
    "a list for a text": {"region": ["Norte"]},
    "a bool for a text": {"region": False},
    "nothing for a text": {"region": None},
    "an unknown name": {"week": 4},
    "a name that is code": {"weeks = 4\nimport os": 4},
    "a name of Python": {"__class__": "x"},
    "an empty name": {"": 1},
    "half a character": {"region": "\ud800"},
    "a text for an optional number": {"limit": "x"},
}
