"""Writes and checks the cases of the zoo.

A model's files lie in ZOO/NAME. ZOO/NAME/case.json is its first case; every other form or
input shape is a folder ZOO/NAME.VARIANT with nothing but a case.json that points to the
files beside it. Its fields:

    name           name of the case's folder
    workload       cases with the same workload compute the same thing on the same inputs;
                   the benchmark compares them with each other
    form           onnx, savedmodel, stablehlo (weights are arguments), stablehlo-bytecode
                   (weights inside)
    graph          path of the graph, from the case's folder
    function       function or signature to run, or null
    inputs         [{"name", "file"}]
    outputs        [{"name", "file", "check": {"rtol", "atol"}}]
    weights        "real" or "random"; source: where they come from
    weight_bytes   size of the weights inside the graph file
    flops          floating-point operations of the contractions in one run, or null
"""

import json
import os
import zlib

import numpy as np

# Results of f32 are compared with those of another f32 evaluation: relative to each element,
# and to the largest magnitude among them.
RELATIVE, OF_LARGEST = 2e-4, 2e-5


def rng(name):
    """A generator of its own for each name, so that models do not depend on their order."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(generator, *shape, scale=1.0):
    return (generator.standard_normal(shape) * scale).astype(np.float32)


def uniform(generator, *shape, low=0.0, high=1.0):
    return generator.uniform(low, high, shape).astype(np.float32)


def save_array(build, file, value):
    """Saves an array in the model's folder; returns the file's name."""
    np.save(build.path(file), np.array(value, order="C"))
    return file


def load_array(build, file):
    return np.load(build.path(file))


# ---------------------------------------------------------------- checks ----

def check_for(value, other=None):
    """The check for an expected array. `other` is what a second, equally valid f32 evaluation
    gave: the tolerance is at least four times their distance, for some deep models amplify
    rounding."""
    if value.dtype.kind != "f":
        return {"rtol": 0, "atol": 0}
    if not np.isfinite(value).all():
        raise SystemExit("an expected output is not finite")
    atol = OF_LARGEST * float(np.abs(value).max(initial=0))
    if other is not None and value.size:
        atol = max(atol, 4 * float(np.abs(value.astype(np.float64) - other).max()))
    return {"rtol": RELATIVE, "atol": float(f"{atol:.3g}")}


def difference(value, want, check):
    """Why `value` is not what is wanted, or None."""
    if value.shape != want.shape or value.dtype != want.dtype:
        return (f"{value.dtype} {list(value.shape)}, expected {want.dtype} {list(want.shape)}")
    good = np.isclose(value, want, rtol=check.get("rtol", 0), atol=check.get("atol", 0))
    if good.all():
        return None
    at = tuple(np.argwhere(~good)[0])
    return (f"{good.size - np.count_nonzero(good)} of {good.size} elements differ, first at "
            f"{list(map(int, at))}: {value[at]}, expected {want[at]}")


def agree(value, reference, check, what):
    """Fails the build when `value` is not the reference."""
    why = difference(np.asarray(value), reference, check)
    if why:
        raise SystemExit(f"{what} does not agree with the reference: {why}")


# ----------------------------------------------------------------- cases ----

def write_case(build, variant, *, form, graph, inputs, outputs, function=None, workload=None,
               about):
    """Writes a case.json. `variant` is "" for the model's first case. inputs: [(name, file)],
    outputs: [(name, file, check)], files being names in the model's folder; about: the fields
    from `weights` on."""
    folder = build.folder + ("." + variant if variant else "")
    os.makedirs(folder, exist_ok=True)
    prefix = f"../{build.name}/" if variant else ""
    case = {
        "name": os.path.basename(folder), "workload": workload or build.name, "form": form,
        "graph": prefix + graph, "function": function,
        "inputs": [{"name": n, "file": prefix + file} for n, file in inputs],
        "outputs": [{"name": n, "file": prefix + file, "check": c} for n, file, c in outputs],
    }
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(case | about, file, indent=1)


def write_stablehlo_case(build, variant, *, input_files, outputs, **more):
    """A case for a StableHLO graph. outputs: [(file, check)]."""
    write_case(build, variant, function="main",
               inputs=[(f"arg{i}", file) for i, file in enumerate(input_files)],
               outputs=[(f"out{i}", file, check) for i, (file, check) in enumerate(outputs)], **more)


def read_case(build, variant=""):
    with open(os.path.join(build.folder + ("." + variant if variant else ""), "case.json")) as file:
        return json.load(file)


def reference_of(build, variant=""):
    """The outputs of an earlier case of the model: [(file, check)]."""
    return [(os.path.basename(o["file"]), o["check"]) for o in read_case(build, variant)["outputs"]]
