"""How long an import and ``polytask --help`` take, and what they load.

    python benchmarks/speed/startup.py [--repeats 10]

Each measurement is a fresh process; the fastest and the median are shown, beside those of Python itself and of the libraries
that a command needs once it starts to work. The contestants take turns.
"""

import argparse
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np

POLYTASK = str(Path(sysconfig.get_path("scripts")) / "polytask")
CONTESTANTS = {
    "python": [sys.executable, "-c", "pass"],
    "import polytask": [sys.executable, "-c", "import polytask"],
    "polytask --help": [POLYTASK, "--help"],
    "polytask fit --help": [POLYTASK, "fit", "--help"],
    "from polytask import MultiTaskNetwork": [sys.executable, "-c", "from polytask.estimators import MultiTaskNetwork"],
    "import pandas": [sys.executable, "-c", "import pandas"],
    "import sklearn.linear_model": [sys.executable, "-c", "import sklearn.linear_model"],
    "import torch": [sys.executable, "-c", "import torch"],
}
HEAVY = ("torch", "sklearn", "lightgbm", "pandas", "scipy", "matplotlib", "pyarrow", "optuna")


def measure(repeats: int) -> dict[str, np.ndarray]:
    """Seconds of every contestant in every repeat; the first repeat warms the disk cache and is not kept."""
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for repeat in range(repeats + 1):
        for name, command in CONTESTANTS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if repeat:
                seconds[name].append(time.perf_counter() - started)
    return {name: np.array(values) for name, values in seconds.items()}


def loaded_by(statement: str) -> list[str]:
    """Heavy libraries that a statement loads."""
    code = f"import sys\n{statement}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].split() if done.stdout.strip() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    seconds = measure(options.repeats)
    print(f"{'':<40} {'fastest ms':>10} {'median ms':>10} {'of torch':>9}")
    for name, values in seconds.items():
        share = np.median(values) / np.median(seconds["import torch"])
        print(f"{name:<40} {1e3 * values.min():10.0f} {1e3 * np.median(values):10.0f} {share:8.2f}x")
    for statement in ("import polytask", "import polytask.cli"):
        print(f"{statement} loads: {', '.join(loaded_by(statement)) or 'none of ' + ', '.join(HEAVY)}")


if __name__ == "__main__":
    main()
