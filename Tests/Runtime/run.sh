#!/bin/sh
# Builds the runtime, three models written by hand and the tests, plainly and under each sanitizer there is; runs them.
#
#     Tests/Runtime/run.sh [plain] [address] [thread]
#
# CC names the compiler of the sanitized builds, CLANG the one that compiles the embedded copy of the runtime.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$here/../../Sources" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
clang=${CLANG:-clang}
cc=${CC:-$(command -v cc || echo "$clang")}
warnings="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror"
language="-std=c11 -D_GNU_SOURCE"

fail() {
  echo "$1" >&2
  exit 1
}

# The runtime as the compiler of models sees it: the embedded files, written into one folder.
unpack() {
  for file in "$sources"/Runtime/*.c "$sources"/Runtime/*.h "$sources"/Runtime/include/*.h; do
    grep -q "\"$(basename "$file")\"," "$sources/RuntimeSource/files.c" ||
      fail "$(basename "$file") is missing in RuntimeSource/files.c"
  done
  "$clang" -std=c23 $warnings -I"$sources/RuntimeSource/include" "$here/unpack.c" "$sources/RuntimeSource/files.c" \
    -o "$build/unpack"
  mkdir "$build/runtime"
  "$build/unpack" "$build/runtime"
}

# The models' headers must not need this compiler, nor C.
check_headers() {
  for header in "$here"/models/lib*.h "$sources/Runtime/include/tfc_runtime.h"; do
    "$cc" -std=c99 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only -x c "$header"
    "$clang" -std=c++17 -Wall -Wextra -Werror -fsyntax-only -Wno-pragma-once-outside-header -x c++ "$header"
  done
}

# model NAME PROGRAM COMPILER FLAGS...: libNAME.so from the stub and program of PROGRAM.
model() {
  name=$1 program=$2 compiler=$3
  shift 3
  "$compiler" $language $warnings -O1 -fPIC -fvisibility=hidden "$@" -I"$build/runtime" -I"$here/models" -shared \
    -Wl,-soname,"lib$name.so" -Wl,-Bsymbolic "$here/models/${program}_stub.c" "$here/models/${program}_program.c" \
    ../runtime.o -lpthread -o "lib$name.so"
}

# variant NAME COMPILER FLAGS...: builds everything with the flags and runs the tests.
variant() {
  variant=$1 compiler=$2
  shift 2
  mkdir -p "$build/$variant"
  cd "$build/$variant"
  printf '\000\000\000\077\000\000\200\277\000\000\000\100' > affine.weights
  "$compiler" $language $warnings -O2 -fPIC -fvisibility=hidden "$@" -I"$build/runtime" -r -nostdlib \
    "$build"/runtime/*.c -o ../runtime.o
  model affine affine "$compiler" "$@"
  model affine_copy affine "$compiler" "$@"
  model pairs pairs "$compiler" "$@"
  model step step "$compiler" "$@"
  for library in libaffine.so libpairs.so libstep.so; do
    exported=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -v -e '^tfc_artifact$' \
      -e "^$(basename "$library" .so | cut -c4-)_" -e '^__bss_start$' -e '^_edata$' -e '^_end$' || true)
    [ "$variant" != plain ] || [ -z "$exported" ] || fail "$library exports $exported"
  done
  "$compiler" $language $warnings -O1 "$@" -I"$build/runtime" -I"$here/models" -I"$here" "$here"/*_tests.c \
    "$here/main.c" ../runtime.o -L. -laffine -lpairs -lstep -Wl,-rpath,"$PWD" -ldl -lpthread -o tests
  printf '%s: ' "$variant"
  ./tests "$PWD"
}

# sanitized NAME SANITIZERS: the variant, where the compiler has their libraries.
sanitized() {
  if echo 'int main(void) { return 0; }' | "$cc" "-fsanitize=$2" -x c - -o "$build/can" 2> /dev/null; then
    variant "$1" "$cc" -g "-fsanitize=$2" -fno-sanitize-recover=all
  else
    echo "$1: not run, $cc cannot link -fsanitize=$2"
  fi
}

unpack
check_headers
for wanted in ${*:-plain address thread}; do
  case $wanted in
    plain) variant plain "$clang" ;;
    address) sanitized address address,undefined ;;
    thread) sanitized thread thread ;;
    *) fail "unknown variant $wanted" ;;
  esac
done
