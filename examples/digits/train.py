"""Trains the classifier of handwritten digits, and writes it as ONNX and as StableHLO beside this file.

    pip install -r requirements.txt
    python train.py

`images` is tensor<batch x 8 x 8 x ui8> with pixels from 0 to 16, as scikit-learn has them; `probabilities` is
tensor<batch x 10 x f32>. The test set, which the training does not see, is written too.
"""
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = pathlib.Path(__file__).resolve().parent
SEED = 7
EPOCHS = 80
BATCH = 64


def initial_weights(key):
    """He's initialization; filters are [height, width, input feature, output feature]."""
    shapes = {"conv1": (3, 3, 1, 16), "conv2": (3, 3, 16, 32), "fc": (2 * 2 * 32, 10)}
    weights = {}
    for name, key in zip(shapes, jax.random.split(key, len(shapes))):
        shape = shapes[name]
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        weights[name] = {"w": scale * jax.random.normal(key, shape), "b": jnp.zeros(shape[-1])}
    return weights


def logits(weights, images):
    x = images.astype(jnp.float32)[:, :, :, None] / 16
    for layer in ["conv1", "conv2"]:
        w, b = weights[layer]["w"], weights[layer]["b"]
        x = jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + b)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return x.reshape(x.shape[0], 2 * 2 * 32) @ weights["fc"]["w"] + weights["fc"]["b"]


def probabilities(weights, images):
    return jax.nn.softmax(logits(weights, images))


def loss(weights, images, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(weights, images)), labels[:, None], axis=1))


@jax.jit
def step(weights, moments, count, images, labels):
    """One step of Adam."""
    gradients = jax.grad(loss)(weights, images, labels)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradients)
    rate = 2e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), weights, first, second)
    return weights, (first, second)


def shifted(images, random):
    """Each image moved by up to one pixel."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    places = random.integers(0, 3, (len(images), 2))
    return np.stack([image[y : y + 8, x : x + 8] for image, (y, x) in zip(padded, places)])


def train(images, labels):
    random = np.random.default_rng(SEED)
    weights = initial_weights(jax.random.key(SEED))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    moments = (zeros, zeros)
    count = 0
    for _ in range(EPOCHS):
        order = random.permutation(len(images))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            count += 1
            weights, moments = step(weights, moments, count, shifted(images[batch], random), labels[batch])
    return jax.tree.map(np.asarray, weights)


def write_stablehlo(weights, path):
    """The function and its weights as text; the extent `batch` stays open."""

    def digits(images):
        return probabilities(weights, images)

    batch = jax.export.symbolic_shape("batch")[0]
    images = jax.ShapeDtypeStruct((batch, 8, 8), jnp.uint8)
    exported = jax.export.export(jax.jit(digits), platforms=["cpu"])(images)
    location = r' loc\((?:[^()"]|"[^"]*"|\([^()]*\))*\)'  # they would name the folder of this file
    text = re.sub(location, "", re.sub(r"^#loc.*\n", "", exported.mlir_module(), flags=re.MULTILINE))
    path.write_text(text)


def write_onnx(weights, path):
    """The same function in ONNX: channels come first, so filters are transposed and so are the rows of `fc`."""
    arrays = {
        "sixteen": np.float32(16),
        "to_nchw": np.array([-1, 1, 8, 8], np.int64),
        "conv1.w": weights["conv1"]["w"].transpose(3, 2, 0, 1),
        "conv1.b": weights["conv1"]["b"],
        "conv2.w": weights["conv2"]["w"].transpose(3, 2, 0, 1),
        "conv2.b": weights["conv2"]["b"],
        "fc.w": weights["fc"]["w"].reshape(2, 2, 32, 10).transpose(2, 0, 1, 3).reshape(128, 10),
        "fc.b": weights["fc"]["b"],
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["images"], ["pixels"], "cast", to=TensorProto.FLOAT),
        node("Div", ["pixels", "sixteen"], ["scaled"], "scale"),
        node("Reshape", ["scaled", "to_nchw"], ["x0"], "to_nchw"),
    ]
    for i in [1, 2]:
        nodes += [
            node("Conv", [f"x{i - 1}", f"conv{i}.w", f"conv{i}.b"], [f"c{i}"], f"conv{i}", pads=[1, 1, 1, 1]),
            node("Relu", [f"c{i}"], [f"r{i}"], f"relu{i}"),
            node("MaxPool", [f"r{i}"], [f"x{i}"], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2]),
        ]
    nodes += [
        node("Flatten", ["x2"], ["features"], "flatten"),
        node("Gemm", ["features", "fc.w", "fc.b"], ["logits"], "fc"),
        node("Softmax", ["logits"], ["probabilities"], "softmax"),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="digits")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    images, test_images, labels, test_labels = train_test_split(
        images, labels, test_size=360, random_state=SEED, stratify=labels
    )
    weights = train(images, labels)
    guesses = np.asarray(probabilities(weights, test_images)).argmax(1)
    print(f"{(guesses == test_labels).sum()} of {len(test_labels)} digits of the test set are right")
    write_stablehlo(weights, HERE / "digits.mlir")
    write_onnx(weights, HERE / "digits.onnx")
    np.save(HERE / "test-images.npy", test_images)
    np.save(HERE / "test-labels.npy", test_labels)


if __name__ == "__main__":
    main()
