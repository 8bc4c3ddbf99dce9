"""What machine this is: processor, caches, measured limits, versions."""

import glob
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile

from runner import processes

PROBE = pathlib.Path(__file__).resolve().parent / "probe.c"
# The flags of /proc/cpuinfo that decide what code a compiler writes for tensors.
FEATURES = ["sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512vl", "avx512_vnni",
            "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16"]
# The widest of these names the machine in a folder's name.
WIDTHS = [("amx_tile", "amx"), ("avx512f", "avx512"), ("avx2", "avx2"), ("avx", "avx")]
MEGABYTE = 1 << 20


def read(path):
    return pathlib.Path(path).read_text()


def field(text, name):
    """What follows `name :` or `name=` in a text of such lines, or ""."""
    match = re.search(rf"^{name}\s*[:=]\s*(.*)$", text, re.MULTILINE)
    return match[1].strip().strip('"') if match else ""


def features(cpuinfo):
    flags = set(field(cpuinfo, "flags").split())
    return [name for name in FEATURES if name in flags]


def slug(flags, cores):
    """A short name for a kind of machine: avx512-2-cores."""
    width = next((name for flag, name in WIDTHS if flag in flags), "sse")
    return f"{width}-{cores}-core" + ("s" if cores > 1 else "")


def caches():
    """Bytes of the first core's caches: {"L1": 49152, "L2": ...}."""
    found = {}
    for folder in glob.glob("/sys/devices/system/cpu/cpu0/cache/index*"):
        if read(folder + "/type").strip() != "Instruction":
            size = re.match(r"(\d+)([KM]?)", read(folder + "/size"))
            unit = {"": 1, "K": 1 << 10, "M": MEGABYTE}[size[2]]
            found["L" + read(folder + "/level").strip()] = int(size[1]) * unit
    return dict(sorted(found.items()))


def read_sizes(sizes, memory_bytes, threads):
    """{level: bytes to read} for the caches that are not the first, and for memory."""
    chosen = {level: size // (2 if level == "L2" else 4) for level, size in sizes.items() if level != "L1"}
    beyond = max(4 * max(sizes.values(), default=0), 256 * MEGABYTE)
    return chosen | {"memory": min(beyond, memory_bytes // 4) // threads}


def compiler():
    return shutil.which("cc") or shutil.which("clang") or "gcc"


def measure_limits(sizes, memory_bytes, thread_counts):
    """{threads: {"fma_gflops": F, "gb_per_s": {level: R}}}, by a small C program."""
    with tempfile.TemporaryDirectory() as folder:
        probe = os.path.join(folder, "probe")
        subprocess.run([compiler(), "-O2", "-march=native", "-pthread", str(PROBE), "-o", probe], check=True)
        limits = {}
        for threads in thread_counts:
            wanted = read_sizes(sizes, memory_bytes, threads)
            figures = processes.run([probe, str(threads)] + [str(n) for n in wanted.values()], threads).json
            limits[str(threads)] = {"fma_gflops": figures["fma_gflops"],
                                    "gb_per_s": dict(zip(wanted, figures["read_gb_per_s"]))}
    return limits


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout.splitlines() or [""])[0]


def revision():
    """The commit that is measured, with "+changes" if the tree is not clean."""
    def git(*arguments):
        done = subprocess.run(["git", *arguments], cwd=PROBE.parent, capture_output=True, text=True)
        return done.stdout.strip()
    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return commit + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def describe(tfc, thread_counts):
    """All facts but the versions of the peers, which the measurements tell."""
    cpuinfo, release = read("/proc/cpuinfo"), read("/etc/os-release")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    sizes, flags = caches(), features(cpuinfo)
    return {
        "processor": field(cpuinfo, "model name"), "family": field(cpuinfo, "cpu family"),
        "model": field(cpuinfo, "model"), "virtual": "hypervisor" in field(cpuinfo, "flags").split(),
        "features": flags, "cores": len(processes.cores()), "caches": sizes, "memory_bytes": memory,
        "limits": measure_limits(sizes, memory, thread_counts),
        "system": field(release, "PRETTY_NAME"), "kernel": platform.release(),
        "python": platform.python_version(), "cc": first_line(compiler(), "--version"),
        "tfc": {"version": first_line(tfc, "--version"), "commit": revision()},
    }
