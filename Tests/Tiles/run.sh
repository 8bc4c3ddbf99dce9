#!/bin/sh
# Builds and runs the tests of tile instructions: executed by the CPU where it has tiles, else by the emulator.
# The last line is `N passed, N failed`. CLANG names the compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
clang=${CLANG:-clang}
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "tiles: not run on $(uname -sm)"
  echo "0 passed, 0 failed"
  exit 0
fi
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
"$clang" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror -O2 \
  -ffp-contract=off -mamx-tile -mamx-bf16 -mamx-fp16 -mamx-int8 "$here"/tile_*.c -lm -lpthread \
  -o "$build/tests"
"$build/tests"
