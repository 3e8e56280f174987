"""How large miharu is: the wheel, packed and unpacked, beside what else has to be installed for it.

python -m benchmarks.size
"""

import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def installed(name: str, seen: set[str]) -> int:
    """Bytes of a distribution and of what it requires, each counted once."""
    if name in seen:
        return 0
    seen.add(name)
    files = distribution(name).files or []
    total = sum(file.locate().stat().st_size for file in files if file.locate().is_file())  # type: ignore[attr-defined]
    for line in requires(name) or []:
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            total += installed(need.name.lower().replace("_", "-"), seen)
    return total


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
        run = subprocess.run(
            [sys.executable, "-c", code, folder], cwd=ROOT, capture_output=True, text=True, check=True
        )
        wheel = Path(folder) / run.stdout.split()[-1]
        unpacked = sum(entry.file_size for entry in zipfile.ZipFile(wheel).infolist())
        print(f"the wheel           {wheel.stat().st_size:>12,} bytes, unpacked {unpacked:,}")
    for name in ("miharu", "openai", "litestar", "genai-prices", "sqlalchemy"):
        seen: set[str] = set()
        size = installed(name, seen)
        print(f"{name:19} {size:>12,} bytes in {len(seen)} packages, with what it requires")


if __name__ == "__main__":
    main()
