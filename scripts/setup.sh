#!/bin/sh
# Make .venv in the repository's root and install what a requirements file pins:
#
#     sh scripts/setup.sh [requirements.txt]
#
# Where that has been done already, this does nothing. PYTHON=python3.12 chooses the
# interpreter; without it the first of the names below that runs and is 3.11-3.13 is taken.

set -eu
cd "$(dirname "$0")/.."

requirements=${1:-requirements.txt}
venv=.venv
python=$venv/bin/python
lock=.venv.lock

say() { printf '%s\n' "$*" >&2; }

# A requirements file and those that it includes, and so on.
included() {
    printf '%s\n' "$1"
    sed -n 's/^-r *//p' "$1" | while read -r file; do included "$file"; done
}

# Changes when a pin or the package's own metadata does; not when a tool's settings do.
fingerprint() {
    {
        included "$1" | while read -r file; do cat "$file"; done
        cat constraints.txt
        sed '/^\[tool\.ruff/,$d' pyproject.toml
    } | cksum
}

# "/usr 3.11.2": which installation an interpreter belongs to. Fails where it does not run.
identity() {
    "$1" -c 'import platform, sys; print(sys.base_prefix, platform.python_version())' 2>/dev/null
}

# A command of that name may exist and yet not run (pyenv's shims), so each one is tried.
choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        if "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$PYTHON"
            return
        fi
        say "PYTHON=$PYTHON does not run, or is older than Python 3.11."
        exit 1
    fi
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "No Python 3.11, 3.12 or 3.13 was found. To get one:"
    say "    Debian, Ubuntu   sudo apt-get install python3 python3-venv"
    say "    macOS            brew install python@3.13    (or https://www.python.org/downloads)"
    say "A newer Python, or one that is not on the PATH, can be tried with: make ... PYTHON=/path/to/python"
    exit 1
}

# Not where its Python was upgraded away, its first install was cut short, or the folder moved.
works() {
    "$python" -c 'import pip' 2>/dev/null && [ ! -e $venv/.unfinished ] &&
        [ "$(cat $venv/.place 2>/dev/null || pwd)" = "$(pwd)" ]
}

# Where PYTHON names another installation than .venv was made from, .venv is the wrong one.
asked_for() {
    [ -z "${PYTHON:-}" ] || [ "$(identity "$python")" = "$(identity "$(choose_python)")" ]
}

installed() {
    works && asked_for &&
        [ "$(cat "$venv/.installed-$requirements" 2>/dev/null)" = "$(fingerprint "$requirements")" ]
}

# One setup at a time. A lock whose owner is gone is no lock.
take_lock() {
    told=
    while ! mkdir $lock 2>/dev/null; do
        owner=$(cat $lock/pid 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf $lock
        else
            [ -n "$told" ] || say "Another setup is at work here; waiting. (If there is none: rm -r $lock)"
            told=yes
            sleep 1
        fi
    done
    trap 'rm -rf $lock' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    echo $$ >$lock/pid
}

# Debian and Ubuntu keep ensurepip in a package of its own, python3-venv. Without it, the one-file
# pip that its makers publish installs the pinned pip.
fetch_pip() {
    "$python" - <<'END'
import os, subprocess, sys, tempfile, urllib.request

URL = "https://bootstrap.pypa.io/pip/pip.pyz"
PIP = "pip==26.3"

try:
    program = urllib.request.urlopen(URL, timeout=60).read()
except OSError as error:
    sys.exit(f"pip could not be fetched from {URL}: {error}")
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "pip.pyz")
    with open(path, "wb") as file:
        file.write(program)
    sys.exit(subprocess.run([sys.executable, path, "install", "--quiet", PIP]).returncode)
END
}

make_venv() {
    base=$(choose_python)
    say "Making $venv with $base ($(identity "$base"))"
    rm -rf $venv
    mkdir $venv
    : >$venv/.unfinished
    pwd >$venv/.place
    if "$base" -m venv $venv >/dev/null 2>&1; then
        return
    fi
    if "$base" -m venv --without-pip $venv && fetch_pip; then
        return
    fi
    version=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "$base cannot make a virtual environment. On Debian and Ubuntu this mends it:"
    say "    sudo apt-get install python$version-venv"
    exit 1
}

# PyTorch's makers keep its CPU build, a quarter of the size, in an index of their own. Where that
# does not answer, the next step installs what the ordinary index has.
fetch_small_torch() {
    torch=$(included "$requirements" | while read -r file; do
        sed -n 's/^\(torch==[^ ;]*\).*/\1/p' "$file"
    done)
    [ -n "$torch" ] && [ "$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null || return 0
    $pip install --retries 0 --timeout 20 --no-deps \
        --index-url https://download.pytorch.org/whl/cpu "$torch" >/dev/null 2>&1 || true
}

[ -z "${PYTHON:-}" ] || choose_python >/dev/null
installed && exit 0
take_lock
installed && exit 0

if ! works || ! asked_for; then
    make_venv
fi

say "Installing what $requirements pins. The first time this takes a minute or two."
pip="$python -m pip --disable-pip-version-check --no-input --quiet"
fetch_small_torch
if ! $pip install -r "$requirements" ||
    ! $pip --quiet install --no-build-isolation --no-deps --editable .; then
    say "The installation failed; the reason stands above. The same command starts it again."
    exit 1
fi
included "$requirements" | while read -r file; do
    fingerprint "$file" >"$venv/.installed-$file"
done
rm -f $venv/.unfinished
