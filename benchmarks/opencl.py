"""Measures tfc on an OpenCL device: fused against unfused, and how near kernels come to what the device can do.

    python3 benchmarks/opencl.py --zoo FOLDER [--models 'minilm,micro_*'] [--seconds 0.5] [--large] [--out FOLDER]

The device is the one that `tfc` takes: TFC_OPENCL_DEVICE chooses another. `--large` adds what only a GPU does in reasonable
time: a product of 4096 x 4096 matrices and sums of 64 million elements. Writes `opencl.json` and `opencl.md` into the folder.
"""

import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

MATMUL = """func.func @main(%x: tensor<{n}x{n}xf32>, %y: tensor<{n}x{n}xf32>) -> tensor<{n}x{n}xf32> {{
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0]
    : (tensor<{n}x{n}xf32>, tensor<{n}x{n}xf32>) -> tensor<{n}x{n}xf32>
  return %0 : tensor<{n}x{n}xf32>
}}
"""
# Reads two arrays and writes one: what the device's memory gives at most.
SUM = """func.func @main(%x: tensor<{n}xf32>, %y: tensor<{n}xf32>) -> tensor<{n}xf32> {{
  %0 = stablehlo.add %x, %y : tensor<{n}xf32>
  return %0 : tensor<{n}xf32>
}}
"""


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tfc", default=str(HERE.parent / ".build/release/tfc"))
    parser.add_argument("--zoo", default=str(HERE / ".work/zoo"))
    parser.add_argument("--models", default="*", help="shell patterns with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="of runs in one measurement, at least")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--out", default="")
    return parser.parse_args()


def call(tfc, *arguments):
    """The JSON that a tfc command prints, or what it complains of."""
    run = subprocess.run([tfc, *arguments, "--json"], capture_output=True, text=True, timeout=3600)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit {run.returncode}")
    return json.loads(run.stdout)


def zoo_graphs(zoo, patterns):
    """The models' graphs by name: ONNX where there is one, else StableHLO text."""
    graphs = {}
    for folder in sorted(pathlib.Path(zoo).iterdir()):
        files = sorted(folder.glob("*.onnx")) + sorted(folder.glob("*.mlir"))
        base = folder.name.split(".")[0]
        if files and base not in graphs and any(fnmatch.fnmatch(base, p) for p in patterns):
            graphs[base] = files[0]
    return graphs


def made_graphs(folder, large):
    """Graphs that say what the device can do."""
    graphs = {}
    for name, text, sizes in [("matmul", MATMUL, [256, 4096]), ("sum", SUM, [1 << 20, 1 << 26])]:
        for size in sizes if large else sizes[:1]:
            graphs[f"{name}_{size}"] = pathlib.Path(folder) / f"{name}_{size}.mlir"
            graphs[f"{name}_{size}"].write_text(text.format(n=size))
    return graphs


def measure(tfc, graph, options):
    """Fused against unfused in turns, round by round; then the fused kernels by the device's clock."""
    arguments = [str(graph), "--target", "opencl", "--device", "native", "--seconds", str(options.seconds)]
    rounds = [call(tfc, "bench", *arguments, "--fused-vs-unfused") for _ in range(options.rounds)]
    kernels = call(tfc, "bench", *arguments, "--kernels")["kernels"]
    return {
        "fused_ms": statistics.median(r["fused"]["timing"]["median_ms"] for r in rounds),
        "unfused_ms": statistics.median(r["unfused"]["timing"]["median_ms"] for r in rounds),
        "ratio": statistics.median(r["ratio"] for r in rounds),
        "largest_difference": max(r["largest_difference"] for r in rounds),
        "fused_kernels": rounds[0]["fused"]["kernels_launched"],
        "unfused_kernels": rounds[0]["unfused"]["kernels_launched"],
        "create_ms": rounds[-1]["fused"]["timing"]["create_ms"],
        "kernel_us": microseconds(kernels["rows"]),
        "kernel_bytes": sum((row["bytes"] or 0) * row["launches"] for row in kernels["rows"]),
    }


def microseconds(rows):
    """What the kernels of a call take; a kernel that was not launched has no time."""
    return sum((row["measured_us"] or 0) * row["launches"] for row in rows)


def table(device, results):
    lines = [f"# {device['name']}", "", f"{device['version']}, driver {device['driver']}; times in milliseconds.", "",
             "| graph | fused | unfused | unfused / fused | kernels fused / unfused | kernels alone | GB/s |",
             "|---|---|---|---|---|---|---|"]
    for name, r in results.items():
        if "error" in r:
            lines.append(f"| {name} | {r['error']} | | | | | |")
            continue
        rate = r["kernel_bytes"] / r["kernel_us"] / 1e3 if r["kernel_us"] else 0
        lines.append(f"| {name} | {r['fused_ms']:.4g} | {r['unfused_ms']:.4g} | {r['ratio']:.2f} | "
                     f"{r['fused_kernels']:.0f} / {r['unfused_kernels']:.0f} | {r['kernel_us'] / 1e3:.4g} | {rate:.3g} |")
    ratios = [r["ratio"] for name, r in results.items() if "ratio" in r and not name.startswith(("matmul_", "sum_"))]
    if ratios:
        lines += ["", f"Geometric mean of unfused / fused over the models: {statistics.geometric_mean(ratios):.2f}."]
    return "\n".join(lines) + "\n"


def main():
    options = parse_options()
    devices = call(options.tfc, "devices")
    if not devices:
        raise SystemExit("error: there is no OpenCL device")
    device = devices[0]
    out = pathlib.Path(options.out or HERE / "results" / f"{datetime.date.today()}-opencl-{device['type']}")
    out.mkdir(parents=True, exist_ok=True)
    results = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        graphs = made_graphs(scratch, options.large) | zoo_graphs(options.zoo, options.models.split(","))
        for name, graph in graphs.items():
            try:
                results[name] = measure(options.tfc, graph, options)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                results[name] = {"error": str(error)}
            print(f"{name}: {results[name].get('ratio', results[name].get('error'))}", flush=True)
            facts = {"date": str(datetime.date.today()), "device": device, "rounds": options.rounds,
                     "seconds": options.seconds, "load_average": os.getloadavg()[0], "results": results}
            (out / "opencl.json").write_text(json.dumps(facts, indent=1) + "\n")
            (out / "opencl.md").write_text(table(device, results))
    print(f"wrote {out}")
    return 1 if any("error" in r for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
