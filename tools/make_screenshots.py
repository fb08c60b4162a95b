"""Make the pictures of README and docs from `polytask demo`: python tools/make_screenshots.py [--result FOLDER]

Writes docs/images/terminal.svg (by rich), and report-*.png (the report in Chromium, headless, light). Needs `chromium` or
`google-chrome`. With --result, demo.json and demo.html are taken that `polytask demo --json demo.json --report demo.html` wrote.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from polytask.reporting import comparison_table, summary_sentence

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LARGEST = 300_000  # bytes of a picture
WIDTH = 1100  # of the window, in pixels
# What is cut out of the page: name, height of the window, first and last row of pixels.
CUTS = {"report-comparison": (0, 1180)}
PAPER = TerminalTheme(
    background=(250, 250, 248),
    foreground=(40, 40, 40),
    normal=[(40, 40, 40), (176, 42, 55), (25, 110, 70), (150, 95, 0), (30, 80, 160), (120, 60, 140), (0, 110, 120), (90, 90, 90)],
)
CHROMIUM = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--hide-scrollbars", "--force-color-profile=srgb"),
]


def run_demo(folder: Path) -> None:
    """Run the demo into a folder."""
    polytask = Path(sysconfig.get_path("scripts")) / "polytask"
    files = ["--json", "demo.json", "--report", "demo.html"]
    subprocess.run([polytask, "demo", *files], cwd=folder, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def picture_terminal(result: dict[str, Any], path: Path) -> None:
    """What the demo prints at its end, as SVG without a request to a font host."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, record=True, width=100, force_terminal=True, legacy_windows=False)
        console.print(Text("$ polytask demo", style="bold"))
        console.print(comparison_table(result))
        console.print(Text("\n" + summary_sentence(result)))
        svg = console.export_svg(title="polytask", theme=PAPER, unique_id="polytask")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
    path.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")


def picture_page(page: Path, path: Path, rows: tuple[int, int]) -> None:
    """Some rows of pixels of a page, in 128 colours."""
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("neither `chromium` nor `google-chrome` is installed")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        options = [f"--user-data-dir={folder}/profile", f"--screenshot={shot}", f"--window-size={WIDTH},{rows[1]}"]
        subprocess.run([browser, *CHROMIUM, *options, page.resolve().as_uri()], check=True, capture_output=True)
        with Image.open(shot) as image:
            cut = image.convert("RGB").crop((0, rows[0], WIDTH, rows[1]))
    cut.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST}")


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of README and docs.")
    parser.add_argument("--result", type=Path, help="a folder that holds demo.json and demo.html")
    given = parser.parse_args().result
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given or Path(temporary)
        if given is None:
            run_demo(folder)
        picture_terminal(json.loads((folder / "demo.json").read_text(encoding="utf-8")), IMAGES / "terminal.svg")
        for name, rows in CUTS.items():
            picture_page(folder / "demo.html", IMAGES / f"{name}.png", rows)
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
