#!/bin/sh
# Makes what is needed to run libraries that use tiles on a CPU without them.
#
#     Tests/Tiles/toolchain.sh FOLDER
#     PATH=FOLDER/bin:$PATH XDG_CACHE_HOME=FOLDER/cache tfc compile --cpu sapphirerapids model.mlir -o libmodel.so
#     LD_PRELOAD=FOLDER/libtile_emulator.so tfc run libmodel.so ...
#
# FOLDER/bin/clang compiles the runtime so that it takes the CPU for one with tiles; FOLDER/libtile_emulator.so executes
# them. Where the CPU has tiles the library does nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
clang=$(command -v "${CLANG:-clang}")
mkdir -p "$folder/bin" "$folder/cache"
printf '#!/bin/sh\nexec %s -DTFC_TILES_ARE_EMULATED "$@"\n' "$clang" > "$folder/bin/clang"
chmod +x "$folder/bin/clang"
"$clang" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -fPIC -shared -ftls-model=initial-exec \
  -DTFC_TILE_EMULATOR_PRELOADED "$here/tile_emulator.c" -o "$folder/libtile_emulator.so"
