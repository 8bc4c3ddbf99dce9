"""Small results with known figures."""

from report.results import Results

MACHINE = {
    "processor": "Test Processor <1>", "family": "6", "model": "207", "virtual": True, "features": ["avx2"], "cores": 2,
    "caches": {"L1": 49152, "L2": 2 << 20}, "memory_bytes": 1 << 34,
    "limits": {"1": {"fma_gflops": 100.0, "gb_per_s": {"L2": 50.0, "memory": 10.0}},
               "2": {"fma_gflops": 200.0, "gb_per_s": {"L2": 100.0, "memory": 12.0}}},
    "system": "Test Linux", "kernel": "6.1", "python": "3.11", "cc": "cc",
    "tfc": {"version": "tfc 0.1.0", "commit": "0123456789ab"},
}


def timed(workload, contestant, times, threads=1, form="onnx", **more):
    """One measurement a round; None is a round in which the contestant failed."""
    out = []
    for number, time in enumerate(times):
        m = {"round": number, "workload": workload, "threads": threads, "contestant": contestant, "form": form}
        out.append(m | ({"ok": False, "message": "went wrong"} if time is None else
                        {"ok": True, "median_ms": time, "load_ms": 0.5, "error_share": 1e-7} | more))
    return out


def fused(workload, ratios):
    half = {"kernels_launched": 4.0, "bytes_moved": 2e6, "timing": {"median_ms": 1.0}}
    return [{"round": number, "workload": workload, "threads": 1, "contestant": "fusion", "form": "onnx", "ok": True,
             "ratio": ratio, "fused": half, "unfused": half | {"kernels_launched": 40.0}}
            for number, ratio in enumerate(ratios)]


def results(measurements, threads=(1,), flops=8e6, **more):
    workloads = dict.fromkeys(m["workload"] for m in measurements)
    facts = {"weights": "random", "source": "test", "data_bytes": 1000000, "flops": flops}
    fields = {"date": "2026-01-02", "started": "2026-01-02T03:04:05", "command": "make bench", "complete": True,
              "options": {"rounds": 3, "seconds": 0.5, "threads": list(threads)},
              "workloads": {w: facts for w in workloads}, "measurements": measurements}
    return Results(fields | more, MACHINE)


def example():
    """Two models, one of which a peer fails on, a kernel that tfc does far better, and the call."""
    found = timed("minilm", "ort", [20.0, 21.0, 22.0], version="1.32.0") + timed("minilm", "tfc", [10.0, 10.0, 10.0])
    found += timed("resnet50", "openvino", [None] * 3) + timed("resnet50", "ort", [4.0, 4.0, 4.0])
    found += timed("resnet50", "tfc", [4.2, 3.9, 4.1])
    found += timed("micro_embed_mean", "xla", [90.0, 91.0, 92.0], form="stablehlo")
    found += timed("micro_embed_mean", "tfc", [1.0, 1.0, 1.0])
    found += timed("micro_null", "ort", [0.003] * 3) + timed("micro_null", "tfc", [0.0001] * 3)
    return results(found + fused("minilm", [1.5, 1.6, 1.7]))
