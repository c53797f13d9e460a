# Sourced by the scripts beside it: installs Debian packages where that is possible, and otherwise says what to type.

say() { printf '▸ %s\n' "$*"; }

fail() {
  printf '✗ %s\n' "$@" >&2
  exit 1
}

may_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# install_packages PACKAGE…
install_packages() {
  say "Installing with apt-get: $*"
  as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" &&
    say "Installed: $*"
}

install_command() {
  echo "sudo apt-get update && sudo apt-get install -y $*"
}
