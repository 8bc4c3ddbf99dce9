"""ONNX models of the zoo: references, operation counts, cases (runs in the ort family)."""

import math

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from zoo import cases

# A constant smaller than this is a shape or a scalar, not a weight.
SMALLEST_WEIGHT = 64


def run_onnx(path, inputs, optimize=False):
    """The names and values of the outputs of ONNX Runtime; by default it runs the nodes as they stand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return [o.name for o in session.get_outputs()], session.run(None, inputs)


def inner_nodes(graph):
    """The nodes of the graphs inside a graph."""
    for node in graph.node:
        for attribute in node.attribute:
            inner = list(attribute.graphs) + ([attribute.g] if attribute.HasField("g") else [])
            for body in inner:
                yield from all_nodes(body)


def all_nodes(graph):
    """The nodes of a graph and of the graphs inside it."""
    yield from graph.node
    yield from inner_nodes(graph)


def weight_bytes(model):
    """Bytes of the initializers and constants that are weights."""
    tensors = list(model.graph.initializer)
    tensors += [a.t for n in all_nodes(model.graph) if n.op_type == "Constant"
                for a in n.attribute if a.name == "value"]
    return sum(numpy_helper.to_array(t).nbytes for t in tensors
               if math.prod(t.dims) >= SMALLEST_WEIGHT)


def known_shapes(model, inputs):
    """Shapes of the values of a model whose inputs have the shapes of `inputs`."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    del fixed.graph.value_info[:]
    for value in fixed.graph.input:
        if value.name in inputs:
            dims = value.type.tensor_type.shape
            dims.ClearField("dim")
            for extent in inputs[value.name].shape:
                dims.dim.add().dim_value = extent
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(fixed, data_prop=True).graph
    shapes = {t.name: list(t.dims) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            shapes[node.output[0]] = list(node.attribute[0].t.dims)
    for value in list(inferred.input) + list(inferred.value_info) + list(inferred.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims):
            shapes[value.name] = [d.dim_value for d in dims]
    return shapes


def node_flops(node, shapes):
    """Multiplications and additions of a contraction; KeyError when a shape is not known."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type in ("Conv", "ConvTranspose"):
        data, kernel = shapes[node.input[0]], shapes[node.input[1]]
        at = shapes[node.output[0]] if node.op_type == "Conv" else data
        return 2 * math.prod(at) * math.prod(kernel[1:])
    if node.op_type == "MatMul":
        return 2 * math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    if node.op_type == "Gemm":
        depth = shapes[node.input[0]][0 if attributes.get("transA") else 1]
        return 2 * math.prod(shapes[node.output[0]]) * depth
    if node.op_type in ("LSTM", "GRU", "RNN"):
        steps, batch, _ = shapes[node.input[0]]
        return 2 * steps * batch * (math.prod(shapes[node.input[1]]) + math.prod(shapes[node.input[2]]))
    return 0


CONTRACTIONS = {"Conv", "ConvTranspose", "MatMul", "Gemm", "LSTM", "GRU", "RNN"}


def measured_shapes(model, inputs):
    """Shapes of the values around the contractions, from a run that returns them all."""
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    constants = {t.name: list(t.dims) for t in model.graph.initializer}
    constants.update({n: list(np.shape(v)) for n, v in inputs.items()})
    present = {o.name for o in wide.graph.output} | set(constants)
    for node in model.graph.node:
        if node.op_type in CONTRACTIONS:
            for name in list(node.input[:2]) + [n for n in node.output if n][:1]:
                if name not in present:
                    present.add(name)
                    wide.graph.output.add().name = name
    names, values = run_onnx(wide.SerializeToString(), inputs)
    return dict(constants, **{n: list(np.shape(v)) for n, v in zip(names, values)})


def count_flops(model, inputs):
    """Operations of the model's contractions, or None when they cannot be counted."""
    if any(node.op_type in CONTRACTIONS for node in inner_nodes(model.graph)):
        return None  # inside an If or a Loop: how often is not known
    for shapes_of in (known_shapes, measured_shapes):
        try:
            shapes = shapes_of(model, inputs)
            return sum(node_flops(node, shapes) for node in model.graph.node)
        except Exception as failure:  # shape inference refuses some valid models
            print("%s: %s" % (shapes_of.__name__, failure))
    return None


def write_onnx_case(build, inputs, *, variant="", workload=None, tag="", input_files=None, source,
                    weights="random"):
    """Runs model.onnx for its reference, saves inputs {name: array} and outputs as
    in_TAG_I.npy and out_TAG_I.npy, writes the case. `input_files` names the files of inputs that
    are saved already. Returns the outputs."""
    path = build.path("model.onnx")
    model = onnx.load(path)
    onnx.checker.check_model(path)
    names, outputs = run_onnx(path, inputs)
    _, again = run_onnx(path, inputs, optimize=True)
    mark = tag + "_" if tag else ""
    listed_inputs, listed_outputs = [], []
    for i, (name, value) in enumerate(inputs.items()):
        file = (input_files or {}).get(name)
        listed_inputs.append((name, file or cases.save_array(build, "in_%s%d.npy" % (mark, i), value)))
    for i, (name, value, other) in enumerate(zip(names, outputs, again)):
        file = cases.save_array(build, "out_%s%d.npy" % (mark, i), value)
        listed_outputs.append((name, file, cases.check_for(value, other)))
    cases.write_case(
        build, variant, form="onnx", graph="model.onnx", inputs=listed_inputs, outputs=listed_outputs,
        workload=workload,
        about={"weights": weights, "source": source, "weight_bytes": weight_bytes(model),
               "flops": count_flops(model, inputs)})
    return outputs
