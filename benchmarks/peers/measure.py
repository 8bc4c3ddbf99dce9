"""Measures one peer on one case, or checks outputs. One process a measurement: the benchmark
starts it in the Python of the peer's family and reads the last line it prints, a JSON object.

    python -m peers.measure time PEER CASE --threads N --seconds S
    python -m peers.measure check CASE OUTPUT_DIR

The outputs are compared with the case's before anything is timed.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import re
import sys
import time

import numpy as np

from peers import PEERS
from zoo import cases

MIN_RUNS, WARM_UP_SECONDS = 5, 0.3
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}


class Case:
    """A case of the zoo, read."""

    def __init__(self, folder):
        with open(os.path.join(folder, "case.json")) as file:
            fields = json.load(file)

        def path(part):
            return os.path.normpath(os.path.join(folder, part))
        self.graph, self.form, self.function = path(fields["graph"]), fields["form"], fields["function"]
        self.inputs = {i["name"]: np.load(path(i["file"])) for i in fields["inputs"]}
        self.outputs = [(o["name"], np.load(path(o["file"])), o["check"]) for o in fields["outputs"]]


# ------------------------------------------------------------- peers ----
# A peer is a function (case, threads) -> (run, read): `run` does one inference and waits for
# its end, `read` gives the outputs of the last run as a list of arrays.

def peer_ort(case, threads):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(case.graph, settings, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    held = {n: onnxruntime.OrtValue.ortvalue_from_numpy(v) for n, v in case.inputs.items()}
    for name, value in held.items():
        binding.bind_ortvalue_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name, "cpu")
    return lambda: session.run_with_iobinding(binding), binding.copy_outputs_to_cpu


def peer_openvino(case, threads):
    import openvino

    core = openvino.Core()
    model = core.read_model(case.graph)
    if any(i.partial_shape.is_dynamic for i in model.inputs):
        model.reshape({i.any_name: openvino.PartialShape(list(case.inputs[i.any_name].shape))
                       for i in model.inputs})
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    held = []
    for port in compiled.inputs:
        held.append(openvino.Tensor(case.inputs[port.any_name].copy()))
        request.set_tensor(port, held[-1])

    def run():
        request.start_async()
        request.wait()
    return run, lambda: [request.get_tensor(o).data.copy() for o in compiled.outputs]


def peer_xla(case, threads):
    import jax
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jaxlib.mlir.dialects import stablehlo

    with open(case.graph, "rb") as file:
        module = file.read()
    if case.form == "stablehlo-bytecode":
        module = mlir.module_to_bytecode(
            stablehlo.deserialize_portable_artifact(mlir.make_ir_context(), module))
    devices = jax.devices("cpu")[:1]
    executable = devices[0].client.compile_and_load(
        module, xla_client.DeviceList(tuple(devices)), xla_client.CompileOptions())
    held = [jax.device_put(value, devices[0]) for value in case.inputs.values()]
    last = []

    def run():
        last[:] = executable.execute_sharded(held).disassemble_into_single_device_arrays()
        for shards in last:
            shards[0].block_until_ready()
    return run, lambda: [np.asarray(shards[0]) for shards in last]


def peer_tf(case, threads):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = tf.saved_model.load(case.graph)
    signature = model.signatures[case.function]
    held = {name: tf.constant(value) for name, value in case.inputs.items()}
    last = {}

    def run():
        last.update(signature(**held))
        for value in last.values():
            value.numpy()
    run.model = model  # owns the variables: must live on
    return run, lambda: [last[name].numpy() for name, _, _ in case.outputs]


def peer_litert(case, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(os.path.join(os.path.dirname(case.graph), "model.tflite"),
                              num_threads=threads)
    (entry,), (value,) = interpreter.get_input_details(), case.inputs.values()
    interpreter.resize_tensor_input(entry["index"], value.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], value)
    results = interpreter.get_output_details()
    return interpreter.invoke, lambda: [interpreter.get_tensor(r["index"]) for r in results]


LOADERS = {"ort": peer_ort, "openvino": peer_openvino, "xla": peer_xla, "tf": peer_tf,
           "litert": peer_litert}


# -------------------------------------------------------- measurement ----

def judge(case, values):
    """Whether values are the case's outputs, with the largest error as a share of the largest
    magnitude."""
    worst = 0.0
    for (name, want, check), value in zip(case.outputs, map(np.asarray, values), strict=True):
        why = cases.difference(value, want, check)
        if why:
            return {"ok": False, "message": f"{name}: {why}"}
        if want.size:
            distance = np.abs(value.astype(np.float64) - want).max()
            worst = max(worst, float(distance / (np.abs(want).max() or 1)))
    return {"ok": True, "error_share": worst}


def time_runs(run, seconds):
    """Runs for at least `seconds` after a warm-up; times in milliseconds."""
    start = time.perf_counter()
    while time.perf_counter() - start < WARM_UP_SECONDS:
        run()
    times = []
    start = time.perf_counter()
    while len(times) < MIN_RUNS or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1e3)
    return {"median_ms": float(np.median(times)), "p10_ms": float(np.percentile(times, 10)),
            "p90_ms": float(np.percentile(times, 90)), "runs": len(times)}


def peak_rss_mb():
    """This process's own peak; getrusage would count the parent's memory before exec."""
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\s*(\d+)", file.read())[1]) / 1024


def command_time(options):
    peer = PEERS[options.peer]
    case = Case(options.case)
    if options.threads == 1:  # read when jaxlib or TensorFlow is loaded
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    importlib.import_module(peer.package)  # not part of loading a model
    before = time.perf_counter()
    run, read = LOADERS[options.peer](case, options.threads)
    run()
    load_ms = (time.perf_counter() - before) * 1e3
    result = judge(case, read())
    if result["ok"]:
        result |= time_runs(run, options.seconds)
    return result | {"load_ms": load_ms, "rss_mb": peak_rss_mb(),
                     "version": importlib.metadata.version(peer.distribution)}


def command_check(options):
    case = Case(options.case)
    files = [os.path.join(options.outputs, re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".npy")
             for name, _, _ in case.outputs]
    missing = [file for file in files if not os.path.exists(file)]
    if missing:
        return {"ok": False, "message": "no output file " + os.path.basename(missing[0])}
    return judge(case, [np.load(file) for file in files])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    timing = commands.add_parser("time")
    timing.add_argument("peer", choices=sorted(LOADERS))
    timing.add_argument("case")
    timing.add_argument("--threads", type=int, required=True)
    timing.add_argument("--seconds", type=float, required=True)
    timing.set_defaults(command=command_time)
    check = commands.add_parser("check")
    check.add_argument("case")
    check.add_argument("outputs")
    check.set_defaults(command=command_check)
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    print(json.dumps(options.command(options)))
    sys.stdout.flush()
    os._exit(0)  # some peers take long, or crash, when they are torn down


if __name__ == "__main__":
    main()
