#!/usr/bin/env bash
# Looks for what the build needs from the system; installs what is missing when it may, otherwise prints the one command that does.
# Usage: tools/system_packages.sh [PYTHON]
set -euo pipefail
python=${1:-python3}

missing=()
sudo=()
command -v g++ >/dev/null || missing+=(g++)
command -v git >/dev/null || missing+=(git)
has_header() { # header, package
  echo "#include <$1>" | g++ -x c++ -std=c++20 -fsyntax-only - 2>/dev/null || missing+=("$2")
}
has_header nlohmann/json.hpp nlohmann-json3-dev
has_header xxhash.h libxxhash-dev
has_header gtest/gtest.h libgtest-dev
if ! command -v "$python" >/dev/null; then
  missing+=(python3 python3-venv)
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=("python3-venv")
fi

if ((${#missing[@]})); then
  install=(apt-get install --yes --no-install-recommends "${missing[@]}")
  if [[ $(id -u) != 0 ]]; then
    if ! command -v apt-get >/dev/null || ! sudo --non-interactive true 2>/dev/null; then
      echo "This needs system packages that are not here. Install them, then run make again:" >&2
      echo "  sudo apt-get update && sudo ${install[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  elif ! command -v apt-get >/dev/null; then
    echo "This needs what Debian calls: ${missing[*]}. Install them, then run make again." >&2
    exit 1
  fi
  echo "Installing ${missing[*]}"
  "${sudo[@]}" apt-get update --quiet
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" "${install[@]}"
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Development needs Python 3.11 or later; $python is $("$python" -V 2>&1). Say which one: make PYTHON=python3.12" >&2
  exit 1
fi
