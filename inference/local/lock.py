"""Resolves the lock files anew: `make lock`. Standard library only, so that any Python runs it.

`requirements.lock` constrains both the training and the serving environment, so a package that both
have is the same version in both. The environments of Triton and of the benchmarks' peer cannot be
resolved with them.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HEADER = "# Written by `make lock`; do not edit.\n"
LOCKS = {
    ROOT / "requirements.lock": [".[train,serve,s3,dev,checks,bench]"],
    HERE / "triton-requirements.lock": ["--requirement", str(HERE / "triton-requirements.txt")],
    ROOT / "benchmarks" / "requirements.lock": [
        "--requirement",
        str(ROOT / "benchmarks" / "requirements.txt"),
    ],
}
# The build tag of a local wheel (`2.13.0+cpu`) names no file that others can find.
LOCAL_TAG = re.compile(r"\+[\w.]+$", re.MULTILINE)
NOT_LOCKED = ("stylerec", "setuptools", "pip", "wheel")


def resolve(requirements: list[str]) -> str:
    """Returns the pinned versions that pip chooses for `requirements` in an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = f"{folder}/bin/python"
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *requirements], check=True, cwd=ROOT
        )
        excluded = [part for name in NOT_LOCKED for part in ("--exclude", name)]
        frozen = subprocess.run(
            [python, "-m", "pip", "freeze", *excluded], check=True, capture_output=True, text=True
        )
    return LOCAL_TAG.sub("", frozen.stdout)


def main() -> None:
    """Writes every lock file, each aside and then renamed."""
    for path, requirements in LOCKS.items():
        aside = path.with_name(f".{path.name}")
        aside.write_text(HEADER + resolve(requirements))
        aside.replace(path)
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
