"""The package as a whole: what it exports, what it loads, which way its imports point, and its wheel."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import polytask

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "polytask"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = [*sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")), "exceptions"]

# DESIGN: imports point down only. Rooms on one level do not import each other, except at the bottom.
LEVELS = {
    **dict.fromkeys(
        ["exceptions", "_by_name", "_checks", "_lists", "_named", "_optional", "_parts", "_quantiles", "_reworded", "_settings"],
        0,
    ),
    **dict.fromkeys(["losses", "metrics", "storage", "datasets"], 1),
    "tasks": 2,
    **dict.fromkeys(["data", "networks", "balancing", "optim"], 3),
    "training": 4,
    "estimators": 5,
    "evaluation": 6,
    "tuning": 7,
    "automatic": 8,
    **dict.fromkeys(["reporting", "serving"], 9),
    "cli": 10,
}
HEAVY = ["torch", "pandas", "sklearn", "scipy", "lightgbm", "pyarrow", "matplotlib", "optuna"]


def room_of(module: str) -> str | None:
    """The room of a full module name; None for the top of the package and for other packages."""
    parts = module.split(".")
    return parts[1] if parts[0] == "polytask" and len(parts) > 1 else None


def imported_modules(path: Path) -> set[str]:
    """Full names of all modules, ours or others, that a file imports anywhere in it."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    package = parts[:-1]  # of `a/__init__.py` and of `a/b.py` alike
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            found.update([f"{module}.{alias.name}" for alias in node.names] if module == "polytask" else [module])
    return found


def test_relative_and_absolute_imports_are_both_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "polytask")
    room = tmp_path / "polytask" / "tasks" / "kinds"
    room.mkdir(parents=True)
    (room / "_x.py").write_text("from ... import cli\nfrom ...data import y\nimport polytask.tuning\nfrom . import z\n")
    expected = {"polytask.cli", "polytask.data", "polytask.tuning", "polytask.tasks.kinds"}
    assert imported_modules(room / "_x.py") == expected


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    room = room_of("polytask." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    if room in (None, "__init__", "__main__"):
        return  # the top of the package names what is below it
    assert room in LEVELS, f"give the room {room} a level in DESIGN and here"
    for module in imported_modules(path):
        other = room_of(module)
        if other is None or other == room or module == "polytask.__version__":
            continue
        assert other in LEVELS, f"{path.name} imports {module}, which is no room: name the room it is in"
        assert LEVELS[other] < LEVELS[room] or LEVELS[other] == LEVELS[room] == 0, (
            f"{path.relative_to(PACKAGE)} of {room} ({LEVELS[room]}) imports {module} ({LEVELS[other]})"
        )


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_exists_and_is_documented(room):
    module = importlib.import_module(f"polytask.{room}")
    assert module.__doc__, f"polytask.{room} has no docstring"
    names = module.__all__
    assert len(set(names)) == len(names)
    for name in names:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert (value.__doc__ or "").strip(), f"{room}.{name} has no docstring"
            # the docstring that `dataclass` writes is the signature again
            assert not value.__doc__.startswith(f"{name}("), f"{room}.{name} has no docstring of its own"


@pytest.mark.parametrize("room", ROOMS)
def test_public_methods_are_documented(room):
    module = importlib.import_module(f"polytask.{room}")
    for name in module.__all__:
        value = getattr(module, name)
        if not inspect.isclass(value):
            continue
        for method, function in vars(value).items():
            if not method.startswith("_") and inspect.isfunction(function):
                # an inherited docstring counts: torch's `forward` and scikit-learn's `fit` are known
                assert inspect.getdoc(getattr(value, method)), f"{room}.{name}.{method} has no docstring"


def test_names_at_the_top_are_found_and_documented():
    for name in getattr(polytask, "__all__", []):
        value = getattr(polytask, name)
        assert name == "__version__" or value.__doc__, f"polytask.{name} has no docstring"


def test_version_is_the_one_of_the_project():
    stated = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert stated is not None
    assert polytask.__version__ == stated[1]


def loaded_after(code: str) -> set[str]:
    """The heavy packages that a new Python has loaded after running the code."""
    report = f"{code}\nimport sys; print('loaded:', *[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_import_loads_nothing_heavy():
    assert loaded_after("import polytask, polytask.exceptions") == set()


def test_help_loads_nothing_heavy():
    code = "import sys; sys.argv = ['polytask', '--help']\nfrom polytask.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded_after(code) == set()


def test_help_names_the_commands():
    done = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "polytask", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("fit", "predict", "evaluate", "compare", "tasks", "demo"):
        assert re.search(rf"\b{command}\b", done.stdout), f"polytask --help does not name {command}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built with the tools of this environment, so without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    ours = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == ours
    assert {"polytask/py.typed", "polytask/datasets/data/students.csv.gz"} <= packed


def test_installed_wheel_works_away_from_the_sources(wheel, tmp_path):
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", scripts / "python", "install", "-q", "--no-deps", "--no-index", wheel]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}
    subprocess.run(pip, check=True, env=environment | {"PIP_CONFIG_FILE": os.devnull})
    # Third-party packages come from the environment of the tests. A path file inside an added folder is not read, so
    # neither is the one of the editable install: polytask itself comes from the wheel.
    (site_packages,) = home.glob("[Ll]ib/**/site-packages")
    (site_packages / "third_party.pth").write_text(
        "\n".join(sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    )

    code = "import polytask; from polytask.datasets import load_students; print(polytask.__file__, len(load_students().frame))"
    command = [scripts / "python", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
    where, n_rows = done.stdout.split()
    assert Path(where).resolve().is_relative_to(home.resolve())
    assert int(n_rows) == 674

    imports = "".join(f"import polytask.{room}\n" for room in ROOMS)
    subprocess.run([scripts / "python", "-c", imports], check=True, cwd=tmp_path, env=environment)
    subprocess.run([scripts / "polytask", "--help"], capture_output=True, check=True, cwd=tmp_path, env=environment)
