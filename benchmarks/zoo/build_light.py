"""The onnx package's "light" models with random weights in place of their empty ones, and
Magika (all ort family)."""

import os
import shutil

import numpy as np
import onnx
from onnx import numpy_helper

from zoo import cases, onnx_cases


def weight_role(name, users):
    """Which kind of weight a value is, by what uses it: weight, scale or bias."""
    node, position = users[name][0]
    if node.op_type == "Unsqueeze":
        return weight_role(node.output[0], users)
    if node.op_type == "BatchNormalization":
        return {1: "scale", 2: "bias", 3: "bias", 4: "scale"}[position]
    return "scale" if node.op_type == "Mul" else "weight"


def random_weight(name, shape, users, generator):
    role = weight_role(name, users)
    if role == "scale":
        return cases.uniform(generator, *shape, low=0.7, high=1.3)
    if role == "bias" or len(shape) < 2:
        return cases.normal(generator, *shape, scale=0.05)
    node, _ = users[name][0]
    fan_in = np.prod(shape[1:]) if node.op_type == "Conv" or len(shape) != 2 else max(shape)
    return cases.normal(generator, *shape, scale=np.sqrt(2 / fan_in))


def fill_weights(model, generator):
    """Replaces each ConstantOfShape that stands for a weight by a random initializer."""
    graph = model.graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    users = {}
    for node in graph.node:
        for position, name in enumerate(node.input):
            users.setdefault(name, []).append((node, position))
    fillers = [n for n in graph.node if n.op_type == "ConstantOfShape" and n.input[0] in constants]
    weights = []
    for node in fillers:
        shape = [int(extent) for extent in constants[node.input[0]]]
        value = random_weight(node.output[0], shape, users, generator)
        weights.append(numpy_helper.from_array(value, node.output[0]))
    gone = {n.output[0] for n in fillers}
    shapes = {n.input[0] for n in fillers}
    nodes = [n for n in graph.node if n.output[0] not in gone]
    kept = [t for t in graph.initializer if t.name not in shapes]
    inputs = [i for i in graph.input if i.name not in constants]
    for field, values in ((graph.node, nodes), (graph.initializer, kept + weights),
                          (graph.input, inputs)):
        del field[:]
        field.extend(values)
    model.ir_version = max(model.ir_version, 4)  # initializers need not be inputs


def tame_classifier(model, image):
    """Scales the last layer so that the softmax behind it is not a one-hot vector, which would
    hide every error: its results get a standard deviation of 2."""
    last = [n for n in model.graph.node if n.op_type in ("Gemm", "MatMul", "Conv")][-1]
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.add().name = last.output[0]
    _, (logits,) = onnx_cases.run_onnx(probe.SerializeToString(), {model.graph.input[0].name: image})
    for tensor in model.graph.initializer:
        if tensor.name == last.input[1]:
            scaled = numpy_helper.to_array(tensor) * np.float32(2 / logits.std())
            tensor.CopyFrom(numpy_helper.from_array(scaled, tensor.name))
            return
    raise SystemExit("the last layer's weight is not a constant")


def build(build):
    """One of the light image models; the folder's name is the model's."""
    generator = cases.rng(build.name)
    light = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
    model = onnx.load(os.path.join(light, "light_%s.onnx" % build.name))
    fill_weights(model, generator)
    image = cases.normal(generator, 1, 3, 224, 224)
    tame_classifier(model, image)
    onnx.save(model, build.path("model.onnx"))
    onnx_cases.write_onnx_case(build, {model.graph.input[0].name: image},
                             source="onnx 1.23.2, light model")


def magika(build):
    """Tells what kind of file some bytes are from; a ready ONNX file out of its wheel."""
    content = cases.rng(build.name).integers(0, 256, (1, 2048)).astype(np.int32)
    shutil.copyfile(build.wheel("magika", "magika", "models", "standard_v3_3", "model.onnx"),
                    build.path("model.onnx"))
    onnx_cases.write_onnx_case(build, {"bytes": content}, weights="real", source="magika 1.0.3")
