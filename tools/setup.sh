#!/bin/sh
# tools/setup.sh PYTHON FOLDER: make a virtual environment and install the pinned dependencies into it.
# Says in a sentence what is missing, because this is the first thing that anybody runs.
set -eu
python=$1
folder=$2

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "Tallystick needs Python 3.11 or newer, and there is no '$python' here." \
        "Install it, or name another one: make PYTHON=/path/of/python3.12 ..."

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Tallystick needs Python 3.11 or newer; '$python' is $("$python" -c 'import platform; print(platform.python_version())')." \
        "Install a newer one, or name it: make PYTHON=/path/of/python3.12 ..."

# An environment that was moved, or whose Python is gone, is made anew.
if ! "$folder/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    # Debian and Ubuntu keep ensurepip in a package of its own.
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || fail \
        "'$python' cannot make virtual environments: its module venv or ensurepip is missing." \
        "On Debian and Ubuntu: sudo apt install python3-venv   (or python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv)" \
        "Then run make again."
    rm -rf "$folder"
    echo "Making $folder with $("$python" --version)"
    "$python" -m venv "$folder"
fi

echo "Installing the dependencies (a minute or two the first time)"
"$folder/bin/python" -m pip install --quiet --use-pep517 --constraint constraints.txt --editable '.[dev]'
