#!/bin/sh
# Compiles the models beside this script with stub and runtime under sanitizers, and runs them between protected pages.
#
#     Tests/Sanitizers/run.sh TFC
#
# TFC is the compiler to test. The last line is `N passed, N failed`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
runtime=$(cd "$here/../../Sources/Runtime" && pwd)
tfc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cc=${CC:-$(command -v gcc || command -v clang)}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
passed=0
failed=0

# sanitized NAME FLAGS: a folder with a `clang` that adds the flags, which tfc finds first, and the program that runs models.
sanitized() {
  mkdir -p "$build/$1/bin" "$build/$1/cache"
  printf '#!/bin/sh\nexec %s -g -fsanitize=%s -fno-sanitize-recover=all -D_GNU_SOURCE "$@"\n' "$cc" "$2" \
    > "$build/$1/bin/clang"
  chmod +x "$build/$1/bin/clang"
  "$build/$1/bin/clang" -std=c11 -Wall -Wextra -Werror -O1 -I"$runtime/include" -I"$runtime" "$here/guarded.c" \
    "$runtime/types.c" -ldl -lpthread -o "$build/$1/guarded"
}

# check VARIANT KIND MODEL
check() {
  if (cd "$build/$1" && PATH="$build/$1/bin:$PATH" XDG_CACHE_HOME="$build/$1/cache" \
    "$tfc" compile "$here/Models/$3.mlir" -o "lib$3.so" && ./guarded "$2" "./lib$3.so") > "$build/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$3 ($1):"
    head -n 20 "$build/log"
  fi
}

for variant in address,undefined thread; do
  if ! echo 'int main(void) { return 0; }' | "$cc" "-fsanitize=$variant" -x c - -o "$build/can" 2> /dev/null; then
    echo "$variant: not run, $cc cannot link -fsanitize=$variant"
    continue
  fi
  sanitized "$variant" "$variant" || { failed=$((failed + 1)); continue; }
  if [ "$variant" = thread ]; then
    for model in conv_depthwise layer_norm loops_side_by_side transformer_block; do check "$variant" threads "$model"; done
  else
    for model in "$here"/Models/*.mlir; do check "$variant" bounds "$(basename "$model" .mlir)"; done
  fi
done
echo "models under sanitizers: $passed passed, $failed failed"
[ "$failed" = 0 ]
