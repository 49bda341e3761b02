"""``make package``: the CloudFormation template and Lambda's zip, into ``build/package``.

Chalice packages the project directory as it lies there: caches, the links of ``vendor/``, whatever
was built before. So a clean copy is packaged. Chalice takes the runtime from the interpreter that
runs it, and reports a wheel that it cannot find with exit status 0; here that is an error. Lambda's
Python 3.11 has a C library too old for some of the wheels, so 3.12 or later builds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "chalice_app"
ADDITIONS = ROOT / "infra" / "template" / "app.json"
"""What Chalice has no words for: the stream that ``data.yaml`` exports, partial batches."""
OUTPUT = ROOT / "build" / "package"
TOOLS = ROOT / ".local" / "tools"
STAGE = "prod"
OLDEST = (3, 12)
BUILDER = "chalice==1.34.0"
MISSING = "Could not install dependencies"


class PackageError(Exception):
    """The package cannot be made, or would not run; the message says why."""


def package(output: Path, python: str) -> Path:
    """Package a clean copy with ``python``; answers the zip. Raises ``PackageError``."""
    release = _release(python)
    if release < OLDEST:
        raise PackageError(
            f"打包需要 Python 3.12 或更新，用 PYTHON= 指定；{python} 是 {_dotted(release)}"
            " (set PYTHON= to 3.12 or later: on Lambda, wheels are missing for older ones)"
        )
    chalice = _builder(python, release)
    staging = output.with_name(output.name + "-staging") / APP.name
    shutil.rmtree(staging.parent, ignore_errors=True)
    shutil.rmtree(output, ignore_errors=True)
    _copy(staging)
    answer = subprocess.run(
        [chalice, "package", "--stage", STAGE, "--merge-template", ADDITIONS, output],
        cwd=staging,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0 or MISSING in answer.stdout:
        raise PackageError(answer.stdout)
    shutil.rmtree(staging.parent)
    made = output / "deployment.zip"
    _check(made)
    return made


def interpreter() -> str:
    """The Python to build with: ``PYTHON``, else this one, else a newer one that is installed.

    None of them new enough: the one asked for, so that the refusal names it.
    """
    asked = os.environ.get("PYTHON", sys.executable)
    candidates = (asked, sys.executable, *map(_installed, ("3.13", "3.12")))
    return next((each for each in candidates if _runs(each) and _release(each) >= OLDEST), asked)


def _installed(release: str) -> str:
    """A Python of that release: pyenv knows those that are not on the path."""
    if shutil.which("pyenv"):
        found = subprocess.run(
            ["pyenv", "prefix", release], capture_output=True, text=True, check=False, timeout=30
        )
        if found.returncode == 0:
            return str(Path(found.stdout.strip(), "bin", "python"))
    return f"python{release}"


def _runs(python: str) -> bool:
    """Whether it can be started: a version manager's shim may stand for nothing."""
    try:
        subprocess.run([python, "-c", ""], capture_output=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _release(python: str) -> tuple[int, int]:
    question = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run(
        [python, "-c", question], capture_output=True, text=True, check=True, timeout=30
    )
    major, minor = map(int, answer.stdout.split())
    return major, minor


def _dotted(release: tuple[int, int]) -> str:
    return ".".join(map(str, release))


def _builder(python: str, release: tuple[int, int]) -> Path:
    """Chalice in an environment of its own for that interpreter; it imports the app to read it."""
    home = TOOLS / f"package-{_dotted(release)}"
    wanted = BUILDER + (APP / "requirements.txt").read_text(encoding="utf-8")
    ready = home / ".ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([python, "-m", "venv", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, BUILDER, "-r", APP / "requirements.txt"], check=True)
        ready.write_text(wanted, encoding="utf-8")
    return home / "bin" / "chalice"


def _copy(staging: Path) -> None:
    """Copy what belongs into the zip and nothing else; links become what they point to."""
    caches = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments")
    staging.mkdir(parents=True)
    for name in ("app.py", "requirements.txt"):
        shutil.copy(APP / name, staging / name)
    shutil.copytree(APP / ".chalice", staging / ".chalice", ignore=caches)
    for name in ("handlers", "models"):
        shutil.copytree(ROOT / name, staging / "vendor" / name, ignore=caches)


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "cn-northwest-1"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _check(made: Path) -> None:
    """Refuse a zip with a part that was compiled on this machine, for this machine's libraries."""
    with zipfile.ZipFile(made) as package:
        for name in package.namelist():
            if name.endswith(".dist-info/WHEEL") and b"-linux_" in package.read(name):
                raise PackageError(f"{name} was built here and may not run on Lambda")


def _runtime(functions: list[dict[str, Any]]) -> str:
    return ", ".join(sorted({each["Properties"]["Runtime"] for each in functions}))


def main() -> int:
    """Make the package and say how big it is."""
    python = interpreter()
    try:
        made = package(OUTPUT, python)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    template = OUTPUT / "sam.json"
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    functions = [each for each in resources if each["Type"] == "AWS::Serverless::Function"]
    print(f"{made.relative_to(ROOT)}  {made.stat().st_size / 1e6:.1f} MB")
    print(f"{template.relative_to(ROOT)}  {len(functions)} functions, {_runtime(functions)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
