"""Run one case of a benchmark in a process of its own, so that neither memory nor caches of another are in it."""

import json
import os
import subprocess
import sys
from typing import Any


def in_a_process(script: str, case: dict[str, Any], *, python: str = sys.executable) -> dict[str, Any]:
    """Call ``script --case JSON`` with one thread and read the JSON it prints last."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, script, "--case", json.dumps(case)], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{script} failed on {case}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
