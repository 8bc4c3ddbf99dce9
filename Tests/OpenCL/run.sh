#!/bin/sh
# Runs the graphs beside this script, one for each kind of kernel, and random graphs on oclgrind, which interprets kernels
# and reports data races, numbers that nobody wrote, and accesses outside; each is made for five devices, where their kernels
# differ (one has shuffles, one tensor instructions, which are emulated), and must agree with `evaluate`.
#
#     Tests/OpenCL/run.sh BIN [COUNT SEED]
#
# BIN is the folder with tfc and differential-test. The last line is `N passed, N failed`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
count=${2:-10}
seed=${3:-1}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
passed=0
failed=0
shuffled=0

driver=
for folder in /usr/lib/oclgrind /usr/local/lib /usr/local/lib/oclgrind; do
  [ -n "$driver" ] || [ ! -f "$folder/liboclgrind-rt-icd.so" ] || driver=$folder/liboclgrind-rt-icd.so
done
if [ -z "$driver" ]; then
  echo "oclgrind is missing: no kernel was checked; install it (scripts/install-dependencies tests)"
  echo "kernels under oclgrind: 0 passed, 1 failed"
  exit 1
fi
mkdir "$build/vendors" "$build/cache"
echo "$driver" > "$build/vendors/oclgrind.icd"
export OCL_ICD_VENDORS="$build/vendors" XDG_CACHE_HOME="$build/cache" OCLGRIND_LOG="$build/log"
export OCLGRIND_DATA_RACES=1 OCLGRIND_UNINITIALIZED=1 OCLGRIND_CHECK_API=1
# It counts the arrays of all kernels of a program for each of them; what one may have, the descriptions say.
export OCLGRIND_LOCAL_MEM_SIZE=131072
# Its checks do not know all that LLVM's optimizations write.
export OCLGRIND_BUILD_OPTIONS="-cl-opt-disable -DTFC_TENSOR_EMULATED"

# Whether something was reported: of kernels in the log, of calls on standard error.
is_reported() { grep -q . "$build/log" || grep -q 'OpenCL runtime error' "$build/out"; }

# result NAME: counts what ran last, whose output and status are in `out` and `status`; nothing may have been reported.
result() {
  if [ "$status" = 0 ] && ! is_reported; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$1:"
    grep -vE '^seeds |^[0-9]+ (warning|error)' "$build/out" | head -n 10
    grep . "$build/log" | head -n 20
  fi
}

# compare LABEL ARGUMENT...
compare() {
  label=$1
  shift
  : > "$build/log"
  "$bin/differential-test" "$@" --target opencl > "$build/out" 2>&1
  status=$?
  result "$label"
}

# Each kind of fault must be reported, else nothing below says anything.
"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror "$here/faults.c" -ldl -o "$build/faults" || exit 1
for fault in race uninitialized bounds call; do
  : > "$build/log"
  "$build/faults" "$fault" > "$build/out" 2>&1
  if is_reported; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "oclgrind does not report a kernel's fault: $fault"
  fi
done

for model in "$here"/Models/*.mlir; do
  name=$(basename "$model" .mlir)
  for device in tiny small medium shuffling tensor; do
    "$bin/tfc" compile "$model" --target opencl --device "$here/$device.json" --emit kernels > "$build/$device" 2>&1
  done
  compare "$name (small device)" "$model" --device "$here/small.json"
  if ! cmp -s "$build/tiny" "$build/small"; then
    compare "$name (tiny device)" "$model" --device "$here/tiny.json"
  fi
  if ! cmp -s "$build/small" "$build/medium"; then
    compare "$name (medium device)" "$model" --device "$here/medium.json"
  fi
  # As many items as on the medium device, which read each other's registers.
  if grep -q ' of item ' "$build/shuffling"; then
    compare "$name (shuffling device)" "$model" --device "$here/shuffling.json"
    shuffled=$((shuffled + 1))
  fi
  if ! cmp -s "$build/tensor" "$build/medium"; then
    compare "$name (tensor instructions)" "$model" --device "$here/tensor.json"
  fi
  # Whether a graph has the kernel that it is there for.
  pattern=$(sed -n 's|^// kernels: ||p' "$model")
  if [ -n "$pattern" ] && ! grep -qE "$pattern" "$build/small" "$build/medium" "$build/tensor"; then
    failed=$((failed + 1))
    echo "$name: no kernel has '$pattern'"
  fi
done
if [ "$shuffled" -lt 8 ]; then
  failed=$((failed + 1))
  echo "only $shuffled graphs have items that read each other's registers"
fi
compare "random graphs" "$count" "$seed"

echo "kernels under oclgrind: $passed passed, $failed failed"
[ "$failed" = 0 ]
