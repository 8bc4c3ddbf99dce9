"""Small workloads, one idea each: StableHLO text by JAX, and the same in ONNX where ONNX can
say it. Steps: export_stablehlo (jax), then write_onnx_case (ort) for those in ONNX_GRAPHS.

In StableHLO everything is an argument. In ONNX weights are constants, as exporters have them,
and images are channels-first.
"""

import numpy as np

from zoo import cases
from zoo.cases import normal

SQRT_HALF = np.float32(0.70710678)
CHANNELS_LAST = ("NHWC", "HWIO", "NHWC")
SOURCE = "written in build_micro.py"


def weight(generator, *shape):
    fan_in = shape[0] if len(shape) < 3 else np.prod(shape[:-1])
    return normal(generator, *shape, scale=1 / np.sqrt(fan_in))


# ------------------------------------------------------------- in JAX ----
# name -> function(jax, jnp, generator) -> (function to compile, its arguments)

def gelu(jax, x):
    return 0.5 * x * (1 + jax.lax.erf(x * SQRT_HALF))


def null(jax, jnp, g):
    return lambda x: x + 1.0, [normal(g, 4)]


def gelu_4m(jax, jnp, g):
    return lambda x: gelu(jax, gelu(jax, x) * 1.5 + 0.25) * x, [normal(g, 4 * 1024 * 1024)]


def softmax(jax, jnp, g):
    return lambda x: jax.nn.softmax(x, axis=-1), [normal(g, 4096, 1024)]


def layernorm(jax, jnp, g):
    def norm(x, scale, bias):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * scale + bias
    return norm, [normal(g, 4096, 1024), normal(g, 1024), normal(g, 1024)]


def matmul(jax, jnp, g):
    return lambda a, b: a @ b, [normal(g, 1024, 1024), normal(g, 1024, 1024)]


def ffn(jax, jnp, g):
    return (lambda x, w, b: gelu(jax, x @ w + b),
            [normal(g, 128, 768), weight(g, 768, 3072), normal(g, 3072)])


def attention(jax, jnp, g):
    def attend(q, k, v):
        scores = jnp.einsum("hqd,hkd->hqk", q, k) * 0.125
        return jnp.einsum("hqk,hkd->hqd", jax.nn.softmax(scores, -1), v)
    return attend, [normal(g, 12, 512, 64) for _ in "qkv"]


def convolve(jax, x, kernel, groups=1):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=CHANNELS_LAST,
                                        feature_group_count=groups)


def conv3x3(jax, jnp, g):
    return lambda x, k: convolve(jax, x, k), [normal(g, 1, 56, 56, 64), weight(g, 3, 3, 64, 64)]


def depthwise3x3(jax, jnp, g):
    return (lambda x, k: convolve(jax, x, k, groups=64),
            [normal(g, 1, 112, 112, 64), weight(g, 3, 3, 1, 64)])


def lstm(jax, jnp, g):
    def run(x, w_input, w_state, bias):
        def step(carry, x_t):
            hidden, cell = carry
            gates = x_t @ w_input + hidden @ w_state + bias
            enter, forget, fresh, leave = jnp.split(gates, 4, -1)
            cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(enter) * jnp.tanh(fresh)
            hidden = jax.nn.sigmoid(leave) * jnp.tanh(cell)
            return (hidden, cell), hidden
        zero = jnp.zeros((x.shape[1], w_state.shape[0]), jnp.float32)
        return jax.lax.scan(step, (zero, zero), x)[1]
    return run, [normal(g, 128, 1, 256), weight(g, 256, 1024), weight(g, 256, 1024),
                 normal(g, 1024, scale=0.1)]


def embed_mean(jax, jnp, g):
    return (lambda table, index: table[index].mean(1),
            [normal(g, 30000, 256), g.integers(0, 30000, (64, 128)).astype(np.int32)])


def reduce_inner(jax, jnp, g):
    return lambda x: x.sum(1), [normal(g, 4096, 4096)]


def reduce_outer(jax, jnp, g):
    return lambda x: x.sum(0), [normal(g, 4096, 4096)]


def cross_entropy(jax, jnp, logits, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))


def train_mlp_sgd(jax, jnp, g):
    """One step of gradient descent on a network of three dense layers."""
    sizes = [784, 512, 512, 10]
    parameters = []
    for depth, width in zip(sizes, sizes[1:]):
        parameters += [weight(g, depth, width), normal(g, width, scale=0.01)]

    def loss(p, x, labels):
        x = jax.nn.relu(x @ p[0] + p[1])
        x = jax.nn.relu(x @ p[2] + p[3])
        return cross_entropy(jax, jnp, x @ p[4] + p[5], labels)

    def step(*args):
        p = list(args[:6])
        value, gradient = jax.value_and_grad(loss)(p, *args[6:])
        return tuple(a - 0.01 * d for a, d in zip(p, gradient)) + (value,)
    return step, parameters + [normal(g, 128, 784), g.integers(0, 10, 128).astype(np.int32)]


def train_cnn_adam(jax, jnp, g):
    """One step of Adam on a small convolutional network."""
    parameters = []
    for shape in ((3, 3, 1, 32), (3, 3, 32, 64), (3136, 128), (128, 10)):
        parameters += [weight(g, *shape), normal(g, shape[-1], scale=0.01)]
    count = len(parameters)

    def pool(x):
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def loss(p, x, labels):
        x = pool(jax.nn.relu(convolve(jax, x, p[0]) + p[1]))
        x = pool(jax.nn.relu(convolve(jax, x, p[2]) + p[3]))
        x = jax.nn.relu(x.reshape(x.shape[0], -1) @ p[4] + p[5])
        return cross_entropy(jax, jnp, x @ p[6] + p[7], labels)

    def step(*args):
        p, m, v = (list(args[i * count:(i + 1) * count]) for i in range(3))
        t, x, labels = args[3 * count:]
        value, gradient = jax.value_and_grad(loss)(p, x, labels)
        t = t + 1
        m = [0.9 * a + 0.1 * d for a, d in zip(m, gradient)]
        v = [0.999 * a + 0.001 * d * d for a, d in zip(v, gradient)]
        p = [a - 1e-3 * (b / (1 - 0.9 ** t)) / (jnp.sqrt(c / (1 - 0.999 ** t)) + 1e-8)
             for a, b, c in zip(p, m, v)]
        return tuple(p) + tuple(m) + tuple(v) + (t, value)
    moments = [np.zeros_like(p) for p in parameters] + [np.full_like(p, 1e-3) for p in parameters]
    return step, parameters + moments + [np.float32(3), normal(g, 32, 28, 28, 1),
                                         g.integers(0, 10, 32).astype(np.int32)]


WORKLOADS = {
    "micro_null": null,
    "micro_gelu_4M": gelu_4m,
    "micro_softmax_4096x1024": softmax,
    "micro_layernorm_4096x1024": layernorm,
    "micro_matmul_1024": matmul,
    "micro_ffn_128x768x3072": ffn,
    "micro_attention_12x512x64": attention,
    "micro_conv3x3_56x56x64": conv3x3,
    "micro_dwconv3x3_112x112x64": depthwise3x3,
    "micro_lstm_128x256": lstm,
    "micro_embed_mean": embed_mean,
    "micro_reduce_inner_4096": reduce_inner,
    "micro_reduce_outer_4096": reduce_outer,
    "micro_train_mlp_sgd": train_mlp_sgd,
    "micro_train_cnn_adam": train_cnn_adam,
}


def export_stablehlo(build):
    """args.mlir, arguments, results; the case is the model's first if there is no ONNX."""
    import jax
    import jax.numpy as jnp

    function, arguments = WORKLOADS[build.name](jax, jnp, cases.rng(build.name))
    lowered = jax.jit(function).lower(*arguments)
    text = lowered.as_text()
    with open(build.path("args.mlir"), "w") as file:
        file.write(text)
    results = jax.jit(function)(*arguments)
    results = results if isinstance(results, tuple) else (results,)
    files = [cases.save_array(build, "arg_%03d.npy" % i, a) for i, a in enumerate(arguments)]
    outputs = []
    for i, value in enumerate(np.asarray(r) for r in results):
        file = cases.save_array(build, "res_%03d.npy" % i, value)
        outputs.append((file, cases.check_for(value)))
    cost = (lowered.cost_analysis() or {}).get("flops")
    cases.write_stablehlo_case(
        build, "stablehlo" if build.name in ONNX_GRAPHS else "", form="stablehlo",
        graph="args.mlir", input_files=files, outputs=outputs,
        about={"weights": "random", "source": SOURCE, "weight_bytes": 0,
               "flops": int(cost) if cost else None})


# ------------------------------------------------------------ in ONNX ----
# name -> function(node, arguments) -> (inputs, constants, nodes);
# the result is called y. `node` is onnx.helper.make_node.

def scalar(value):
    return np.array(value, np.float32)


GELU_CONSTANTS = {"sqrt_half": scalar(SQRT_HALF), "one": scalar(1), "half": scalar(0.5)}


def gelu_nodes(node, source, result):
    return [node("Mul", [source, "sqrt_half"], [result + "_scaled"]),
            node("Erf", [result + "_scaled"], [result + "_erf"]),
            node("Add", [result + "_erf", "one"], [result + "_gate"]),
            node("Mul", [source, "half"], [result + "_half"]),
            node("Mul", [result + "_gate", result + "_half"], [result])]


def onnx_null(node, a):
    return {"x": a[0]}, {"one": scalar(1)}, [node("Add", ["x", "one"], ["y"])]


def onnx_gelu(node, a):
    nodes = gelu_nodes(node, "x", "g") + [node("Mul", ["g", "k"], ["gk"]),
                                          node("Add", ["gk", "c"], ["h"])]
    nodes += gelu_nodes(node, "h", "j") + [node("Mul", ["j", "x"], ["y"])]
    return {"x": a[0]}, dict(GELU_CONSTANTS, k=scalar(1.5), c=scalar(0.25)), nodes


def onnx_softmax(node, a):
    return {"x": a[0]}, {}, [node("Softmax", ["x"], ["y"], axis=-1)]


def onnx_layernorm(node, a):
    nodes = [node("LayerNormalization", ["x", "scale", "bias"], ["y"], axis=-1, epsilon=1e-5)]
    return {"x": a[0]}, {"scale": a[1], "bias": a[2]}, nodes


def onnx_matmul(node, a):
    return {"a": a[0], "b": a[1]}, {}, [node("MatMul", ["a", "b"], ["y"])]


def onnx_ffn(node, a):
    nodes = [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "b"], ["z"])]
    return {"x": a[0]}, dict(GELU_CONSTANTS, w=a[1], b=a[2]), nodes + gelu_nodes(node, "z", "y")


def onnx_attention(node, a):
    nodes = [node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]), node("MatMul", ["q", "kt"], ["s"]),
             node("Mul", ["s", "scale"], ["t"]), node("Softmax", ["t"], ["p"], axis=-1),
             node("MatMul", ["p", "v"], ["y"])]
    return {"q": a[0], "k": a[1], "v": a[2]}, {"scale": scalar(0.125)}, nodes


def onnx_conv(node, a):
    x, kernel = a[0].transpose(0, 3, 1, 2), a[1].transpose(3, 2, 0, 1)
    groups = x.shape[1] // kernel.shape[1]
    return {"x": x}, {"w": kernel}, [node("Conv", ["x", "w"], ["y"], pads=[1] * 4, group=groups)]


def onnx_lstm(node, a):
    def reorder(matrix):  # our gates are i f g o, ONNX has i o f c
        enter, forget, fresh, leave = np.split(matrix, 4, -1)
        return np.concatenate([enter, leave, forget, fresh], -1)
    bias = np.concatenate([reorder(a[3]), np.zeros_like(a[3])])[None]
    constants = {"W": reorder(a[1]).T[None], "R": reorder(a[2]).T[None], "B": bias,
                 "axis": np.array([1])}
    return {"x": a[0]}, constants, [node("LSTM", ["x", "W", "R", "B"], ["all"], hidden_size=256),
                                    node("Squeeze", ["all", "axis"], ["y"])]


def onnx_embed(node, a):
    nodes = [node("Gather", ["table", "index"], ["rows"]),
             node("ReduceMean", ["rows"], ["y"], axes=[1], keepdims=0)]
    return {"index": a[1].astype(np.int64)}, {"table": a[0]}, nodes


def onnx_reduce(axis):
    def graph(node, a):
        return ({"x": a[0]}, {"axis": np.array([axis])},
                [node("ReduceSum", ["x", "axis"], ["y"], keepdims=0)])
    return graph


ONNX_GRAPHS = {
    "micro_null": onnx_null,
    "micro_gelu_4M": onnx_gelu,
    "micro_softmax_4096x1024": onnx_softmax,
    "micro_layernorm_4096x1024": onnx_layernorm,
    "micro_matmul_1024": onnx_matmul,
    "micro_ffn_128x768x3072": onnx_ffn,
    "micro_attention_12x512x64": onnx_attention,
    "micro_conv3x3_56x56x64": onnx_conv,
    "micro_dwconv3x3_112x112x64": onnx_conv,
    "micro_lstm_128x256": onnx_lstm,
    "micro_embed_mean": onnx_embed,
    "micro_reduce_inner_4096": onnx_reduce(1),
    "micro_reduce_outer_4096": onnx_reduce(0),
}


def write_onnx_case(build):
    """model.onnx, checked against JAX's result."""
    import onnx
    from onnx import helper, numpy_helper

    from zoo import onnx_cases

    files = [entry["file"].split("/")[-1] for entry in cases.read_case(build, "stablehlo")["inputs"]]
    arguments = [cases.load_array(build, file) for file in files]
    result = cases.load_array(build, "res_000.npy")
    inputs, constants, nodes = ONNX_GRAPHS[build.name](helper.make_node, arguments)
    inputs = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
    if "conv" in build.name:
        result = result.transpose(0, 3, 1, 2)

    def declare(name, value):
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        return helper.make_tensor_value_info(name, kind, value.shape)
    graph = helper.make_graph(
        nodes, build.name, [declare(n, v) for n, v in inputs.items()], [declare("y", result)],
        [numpy_helper.from_array(np.ascontiguousarray(v), n) for n, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, build.path("model.onnx"))
    # Arguments that are the same in both forms are stored once.
    shared = {name: file for name, value in inputs.items() for file, a in zip(files, arguments)
              if a.dtype == value.dtype and a.shape == value.shape
              and np.array_equal(a, value)}
    (value,) = onnx_cases.write_onnx_case(build, inputs, input_files=shared, source=SOURCE)
    ((_, check),) = cases.reference_of(build)
    cases.agree(value, np.ascontiguousarray(result), check, "ONNX Runtime against JAX")
