#!/usr/bin/env bash
# Prints the path of promtool: the one on PATH, or, on Debian, the one of the package prometheus, unpacked into the cache
# without being installed (progress goes to stderr). As a Go program it takes some hundred packages of cloud providers along.
set -euo pipefail

if command -v promtool; then
  exit 0
fi
cache=${USHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/usher}/promtool
if [ ! -x "$cache/usr/bin/promtool" ]; then
  command -v apt-get >/dev/null || { echo "promtool: neither it nor apt-get is here" >&2; exit 1; }
  echo "promtool: getting Debian's" >&2
  mkdir -p "${cache%/*}"
  scratch=$(mktemp -d "${cache%/*}/promtool.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  (cd "$scratch" && { apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }; } >&2)
  dpkg-deb -x "$scratch"/*.deb "$scratch/unpacked"
  mkdir -p "$cache/usr/bin"
  mv "$scratch/unpacked/usr/bin/promtool" "$cache/usr/bin/promtool.new"
  mv "$cache/usr/bin/promtool.new" "$cache/usr/bin/promtool" # whole, or not at all
fi
echo "$cache/usr/bin/promtool"
