"""An environment of its own for a peer, made at its first use, in the user's cache folder."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polytask-benchmarks"


def peer_python(name: str, requirements: list[str], *, own_torch: bool = False) -> str:
    """Path of the Python of the environment ``name``; makes it with pip if it is not there.

    Without ``own_torch`` the environment sees the packages of this one too, so that both run the very same torch and numpy, and
    only what is missing is installed.
    """
    folder = FOLDER / (name + ("-own" if own_torch else ""))
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        print(f"Making the environment {folder.name} (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        if not own_torch:
            paths = subprocess.run(
                [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                check=True,
                capture_output=True,
                text=True,
            )
            Path(paths.stdout.strip(), "shared.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        wanted = requirements + (["torch", "numpy", "scikit-learn"] if own_torch else [])
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True)
        ready.touch()
    return str(python)
