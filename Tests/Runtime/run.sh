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
# Programs for devices are kept here, and not in the user's folder.
export XDG_CACHE_HOME="$build/cache" POCL_CACHE_DIR="$build/pocl"
mkdir "$XDG_CACHE_HOME" "$POCL_CACHE_DIR"
# What drivers and their compilers leave behind at the end is theirs.
printf 'leak:libpocl\nleak:libLLVM\nleak:libOpenCL\n' > "$build/leaks"
export LSAN_OPTIONS="suppressions=$build/leaks:print_suppressions=0"
# Drivers give the thread that comes first a stack for signals, which the sanitizers would take for theirs.
export ASAN_OPTIONS=use_sigaltstack=0 TSAN_OPTIONS=use_sigaltstack=0
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
  headers=
  for folder in /usr/include /usr/local/include /opt/homebrew/include; do
    [ -n "$headers" ] || [ ! -f "$folder/CL/cl.h" ] || headers=$folder
  done
  [ -n "$headers" ] || fail "OpenCL's headers are missing; install the package opencl-headers"
  "$clang" -std=c23 $warnings "--embed-dir=$headers" -I"$sources/RuntimeSource/include" "$here/unpack.c" \
    "$sources/RuntimeSource/files.c" -o "$build/unpack"
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
    -Wl,-soname,"lib$name.so" -Wl,-Bsymbolic -Wl,--gc-sections "$here/models/${program}_stub.c" \
    "$here/models/${program}_program.c" ../runtime.o -lpthread -o "lib$name.so"
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
  model mix mix "$compiler" "$@"
  model mix_copy mix "$compiler" "$@"
  for library in libaffine.so libpairs.so libstep.so libmix.so; do
    exported=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -v -e '^tfc_artifact$' \
      -e "^$(basename "$library" .so | cut -c4-)_" -e '^__bss_start$' -e '^_edata$' -e '^_end$' || true)
    [ "$variant" != plain ] || [ -z "$exported" ] || fail "$library exports $exported"
    case $variant/$library in
      plain/libmix.so) ;;
      plain/*) ! nm "$library" | grep -v " a " | grep -q -i opencl || fail "$library has parts of OpenCL" ;;
    esac
  done
  "$compiler" $language $warnings -O1 "$@" -I"$build/runtime" -I"$here/models" -I"$here" "$here"/*_tests.c \
    "$here/main.c" ../runtime.o -L. -laffine -lpairs -lstep -lmix -Wl,-rpath,"$PWD" -ldl -lpthread -o tests
  run_tests "$variant"
  run_tests "$variant, first contexts at once" first-contexts
  (export OCL_ICD_VENDORS=/nonexistent && run_tests "$variant, without OpenCL drivers" without-platform)
  mkdir broken
  echo "no library" > broken/libOpenCL.so.1
  (export LD_LIBRARY_PATH="$PWD/broken" && run_tests "$variant, without OpenCL" without-opencl)
  mkdir fake
  "$compiler" $language $warnings -Wno-missing-prototypes -O1 -fPIC "$@" -idirafter "$build/runtime" -shared \
    "$here/fake/opencl.c" -o fake/libOpenCL.so.1
  (export LD_LIBRARY_PATH="$PWD/fake" && run_tests "$variant, OpenCL that fails" failing-opencl)
}

# run_tests NAME ARGUMENT: one line with the sums, behind what drivers print.
run_tests() {
  for attempt in 1 2 3; do
    status=0
    sums=$(./tests "$PWD" ${2:+"$2"} 2> errors) || status=$?
    # The sanitizer itself may crash where drivers' threads end while it looks at them; that says nothing about the runtime.
    grep -q 'LeakSanitizer has encountered a fatal error' errors || break
  done
  cat errors >&2
  echo "$1: $sums"
  return $status
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
    plain) variant plain "$clang" -ffunction-sections -fdata-sections ;;
    address) sanitized address address,undefined ;;
    thread) sanitized thread thread ;;
    *) fail "unknown variant $wanted" ;;
  esac
done
