"""Build the sdist, the wheel from it, and try the wheel in a clean environment, as a release does."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """A command's output; fails loudly."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    if done.returncode:
        sys.exit(f"{' '.join(str(part) for part in command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def stranger(work: Path, env: Path) -> str:
    """The example of somebody else's plug-in, built, installed beside our wheel, and tested there."""
    example = shutil.copytree(ROOT / "examples" / "reverberate-example", work / "example")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", work / "theirs", cwd=example)
    (wheel,) = (work / "theirs").glob("*.whl")
    run(env / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, "pytest")
    if '"chalkboard"' not in run(env / "reverberate", "networks", "--json", cwd=work):
        sys.exit("the example's network is installed and not listed")
    return run(env / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=example).splitlines()[-1]


def main() -> None:
    """Check, and say what was checked."""
    templates = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "templates").rglob("*") if p.is_file())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        run(sys.executable, "-m", "build", "--sdist", "--outdir", work)
        (sdist,) = work.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            archive.extractall(work / "src", filter="data")
        (source,) = (work / "src").iterdir()
        run(sys.executable, "-m", "build", "--wheel", "--outdir", work, cwd=source)
        (wheel,) = work.glob("*.whl")
        packed = sorted(n for n in zipfile.ZipFile(wheel).namelist() if n.startswith("reverberate/templates/"))
        if packed != [f"reverberate/{template}" for template in templates]:
            sys.exit(f"the wheel's templates are {packed}, the checkout's {templates}")
        venv.create(work / "env", with_pip=True)
        env = work / "env" / "bin"
        run(env / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
        version = run(env / "reverberate", "--version", cwd=work).strip()
        listed = run(env / "reverberate", "networks", "--json", cwd=work)
        probe = "from reverberate.rendering import shipped_templates as t; print(*t().rglob('*.txt'))"
        found = run(env / "python", "-c", probe, cwd=work)
        strangers = stranger(work, env)
        shutil.rmtree(work / "env")
    if "twitter" not in listed or "twitter.txt" not in found:
        sys.exit(f"the wheel lacks networks or templates: {listed} {found}")
    sys.stdout.write(
        f"{version}: sdist, wheel, clean environment, {len(packed)} templates: fine; the example plug-in: {strangers}\n"
    )


main()
