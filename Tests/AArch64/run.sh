#!/bin/sh
# Makes libraries for AArch64, runs them under qemu between protected pages, and compares with `evaluate`: the graphs beside
# this script and those of the tests for OpenCL and the sanitizers, one for each kind of kernel, and random graphs.
#
#     Tests/AArch64/run.sh BIN [COUNT SEED]
#
# BIN is the folder with tfc and differential-test. The last line is `N passed, N failed`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tests=$(cd "$here/.." && pwd)
runtime=$(cd "$tests/../Sources/Runtime" && pwd)
bin=$(cd "$1" && pwd)
count=${2:-60}
seed=${3:-1}
triple=aarch64-linux-gnu
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
export XDG_CACHE_HOME="$build/cache"
mkdir "$XDG_CACHE_HOME"
passed=0
failed=0

if [ "$(uname -m)" != x86_64 ]; then
  echo "libraries for AArch64: not run under qemu on $(uname -m)"
  echo "0 passed, 0 failed"
  exit 0
fi
for program in "$triple-gcc" qemu-aarch64; do
  command -v "$program" > "$build/out" || {
    echo "$program is missing: no library was run; install it (scripts/install-dependencies tests)"
    echo "libraries for AArch64: 0 passed, 1 failed"
    exit 1
  }
done
emulator="qemu-aarch64 -L /usr/$triple"
"$triple-gcc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -I"$runtime/include" -I"$runtime" \
  "$tests/Sanitizers/guarded.c" "$runtime/types.c" -ldl -lpthread -o "$build/guarded" || exit 1

# result NAME: counts what ran last, whose output and status are in `out` and `status`.
result() {
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$1:"
    grep -v '^seeds ' "$build/out" | head -n 10
  fi
}

# compare NAME ARGUMENT...
compare() {
  name=$1
  shift
  "$bin/differential-test" "$@" --triple "$triple" --run "$emulator $build/guarded" > "$build/out" 2>&1
  status=$?
  result "$name"
}

# bounds KIND MODEL ARGUMENT...: run between protected pages, without a look at the values.
bounds() {
  kind=$1 model=$2
  shift 2
  "$bin/tfc" compile "$model" --triple "$triple" -o "$build/libmodel.so" "$@" > "$build/out" 2>&1 &&
    $emulator "$build/guarded" "$kind" "$build/libmodel.so" > "$build/out" 2>&1
  status=$?
  result "$(basename "$model" .mlir) ($kind $*)"
}

# refused SENTENCE COMMAND...: the command must end with status 2, one line that has the sentence, and without a file.
refused() {
  sentence=$1
  shift
  rm -f "$build/libmodel.so"
  "$@" > "$build/out" 2>&1
  status=$?
  if [ "$status" = 2 ] && grep -v 'not a recognized processor' "$build/out" | grep -qF -- "$sentence" &&
    [ ! -e "$build/libmodel.so" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "status $status, expected 2 and: $sentence"
    head -n 5 "$build/out"
  fi
}

for model in "$here"/Models/*.mlir "$tests"/OpenCL/Models/*.mlir "$tests"/Sanitizers/Models/*.mlir; do
  name=$(basename "$model" .mlir)
  case $name in
    # `evaluate` rounds loops and transforms in another order, or takes too long.
    fft_1d | lstm | mlp_sgd_steps | while_collatz) bounds bounds "$model" ;;
    *) compare "$name" "$model" ;;
  esac
  # Processors that round to bf16 with an instruction.
  case $name in *bf16*) compare "$name (neoverse-v1)" "$model" --cpu neoverse-v1 ;; esac
done
bounds threads "$tests/Sanitizers/Models/transformer_block.mlir"
# Without a driver there is no device, so the CPU runs it.
bounds bounds "$tests/Sanitizers/Models/convnet.mlir" --target opencl,cpu
bounds bounds "$tests/Sanitizers/Models/convnet.mlir" --weights "$build/weights"
compare "random graphs" "$count" "$seed"
compare "random graphs (neoverse-v1)" 10 1001 --cpu neoverse-v1

# A library that needs more than the CPU has.
model=$here/Models/while.mlir
"$bin/tfc" compile "$model" --triple "$triple" --cpu neoverse-v1 -o "$build/libnew.so" > "$build/out" 2>&1
qemu-aarch64 -cpu cortex-a72 -L "/usr/$triple" "$build/guarded" bounds "$build/libnew.so" > "$build/out" 2>&1
grep -q 'this CPU has no bf16, for which' "$build/out"
status=$?
result "a CPU without bf16"

compile="$bin/tfc compile $model -o $build/libmodel.so"
refused "--triple mips-linux-gnu is not supported; expected x86_64-linux-gnu or aarch64-linux-gnu" \
  $compile --triple mips-linux-gnu
refused "native is the processor of" $compile --triple "$triple" --cpu native
refused "processor x86-64-v3 is unknown for $triple" $compile --triple "$triple" --cpu x86-64-v3
refused "with --triple for another one, expected a file" $compile --triple "$triple" --target opencl --device native
refused "--triple $triple is for libraries that another machine runs" "$bin/tfc" run "$model" --triple "$triple" \
  --output-dir "$build/outputs"
refused "--triple $triple is for libraries that another machine runs" "$bin/tfc" bench "$model" --triple "$triple"
refused "--triple $triple is for libraries that another machine runs" $compile --triple "$triple" --tune "$build/tuning"
refused "the library is for aarch64, this machine is" "$bin/tfc" run "$build/libnew.so" --output-dir "$build/outputs"
refused "the library is for aarch64, this machine is" "$bin/tfc" bench "$build/libnew.so"
# Only what tfc needs beside a compiler.
mkdir "$build/path"
ln -s "$(command -v sh)" "$build/path/sh"
refused "no C compiler for $triple is found: install $triple-gcc" env PATH="$build/path" $compile --triple "$triple"

echo "libraries for AArch64: $passed passed, $failed failed"
[ "$failed" = 0 ]
