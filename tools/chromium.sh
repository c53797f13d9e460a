#!/usr/bin/env bash
# The browser tests need a Chromium. Finds one, or installs Debian's; where neither is possible, says how.
# The headless shell comes first: the same browser without its windows, at two thirds of the processor time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/system_packages.sh

for program in "${CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$program" ] && command -v "$program" >/dev/null; then exit; fi
done
if may_install && { install_packages chromium-headless-shell || install_packages chromium; }; then exit; fi
say "No Chromium: the browser tests will fail. Install it with: $(install_command chromium)"
