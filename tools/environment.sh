#!/usr/bin/env bash
# Makes .venv what the lock files say: `environment.sh run` for the programs, `environment.sh dev` for the tests too.
# Does nothing when that is already so. What the machine lacks is installed if possible, and named if not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/system_packages.sh

want=${1:?run or dev}
mkdir -p var
exec 9>var/environment.lock
flock 9

# packages run|dev, project: what was asked for, and where; kept in .venv when it has been installed
packages() {
  { pwd -P; cat requirements-build.lock requirements.lock
    [ "$1" = run ] || cat requirements-dev.lock; } | sha256sum
}

project() { cat pyproject.toml tools/environment.sh | sha256sum; }

is_installed() { .venv/bin/python -c '' 2>/dev/null && [ "$(cat ".venv/.packages-$want" 2>/dev/null)" = "$(packages "$want")" ]; }

is_ready() { is_installed && [ "$(cat .venv/.project 2>/dev/null)" = "$(project)" ]; }

is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }

makes_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

has_headers() {
  "$1" -c 'import os, sysconfig; os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null
}

compiles() { printf '#include <stdio.h>\n' | gcc -E - >/dev/null 2>&1; }

# Prints the best Python there is: a complete one first, then one that only lacks packages.
find_python() {
  local candidate found=
  for candidate in ${PYTHON:-python3 python3.12 python3.11 /usr/bin/python3 /usr/bin/python3.12 /usr/bin/python3.11}; do
    is_supported "$candidate" || continue
    # behind a shim or a link stands the real program
    candidate=$("$candidate" -c 'import sys; print(sys.executable)')
    if makes_venvs "$candidate" && has_headers "$candidate"; then
      echo "$candidate"
      return
    fi
    found=${found:-$candidate}
  done
  echo "$found"
}

missing_packages() {
  local python=$1 name version
  if [ -z "$python" ]; then
    for version in 3.12 3.11; do
      if apt-cache show "python$version" >/dev/null 2>&1; then
        echo "python$version python$version-venv python$version-dev"
        break
      fi
    done
  else
    name=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    makes_venvs "$python" || echo "$name-venv"
    has_headers "$python" || echo "$name-dev"
  fi
  compiles || echo "gcc libc6-dev"
}

check_machine() {
  local missing
  python=$(find_python)
  missing=$(missing_packages "$python" | xargs)
  if [ -n "$missing" ]; then
    may_install || fail "This machine lacks: $missing" "Install it with: $(install_command "$missing")"
    # shellcheck disable=SC2086  # one word a package
    install_packages $missing || fail "That did not succeed. Try: $(install_command "$missing")"
    python=$(find_python)
  fi
  [ -n "$python" ] || fail "Python 3.11 or 3.12 is needed (durable-rules does not load on 3.13) and was not found." \
    "Name one with: make PYTHON=/path/to/python3.12"
  makes_venvs "$python" && has_headers "$python" && compiles ||
    fail "$python lacks ensurepip, Python.h or a C compiler that works. Name another with: make PYTHON=/path/to/python3.12"
}

pip() { PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip "$@"; }

install_packages_of_locks() {
  local lock=requirements.lock
  [ "$want" = run ] || lock=requirements-dev.lock
  check_machine
  if ! is_supported .venv/bin/python || ! grep -qsF "$(pwd -P)/.venv" .venv/bin/activate; then
    say "Creating .venv with $("$python" --version) ($python)"
    [ ! -L .venv ] || rm .venv # a link may lead into another tree, which is not ours to clear
    "$python" -m venv --clear .venv
  fi
  say "Installing the packages of $lock (about a minute on a new machine)"
  pip install --require-hashes -r requirements-build.lock
  # durable-rules is compiled here, with the locked setuptools and nothing fetched unseen
  pip install --require-hashes --no-build-isolation --use-pep517 -r "$lock"
  packages run >.venv/.packages-run
  [ "$want" = run ] || packages dev >.venv/.packages-dev
}

is_ready && exit
is_installed || install_packages_of_locks
pip install --quiet --no-index --no-deps --no-build-isolation -e .
project >.venv/.project
say "The environment is ready."
