"""Keras models with random weights: SavedModel, ONNX, StableHLO.

Steps: export_tensorflow (tf), write_onnx_cases (ort), export_stablehlo (jax).
"""

import json
import os

import numpy as np

from zoo import cases

INPUT_SHAPES = {
    "keras_mnist_mlp": (28, 28, 1),
    "keras_mnist_cnn": (28, 28, 1),
    "keras_lstm_cls": (128, 64),
    "keras_mobilenetv2": (224, 224, 3),
}
APPLICATIONS = {"keras_mobilenetv2": "MobileNetV2"}  # ready architectures in keras.applications
SIGNATURE = "serving_default"
SOURCE = "built with Keras 3.15.1"


def make_model(name):
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    if name in APPLICATIONS:
        return getattr(keras.applications, APPLICATIONS[name])(weights=None)
    stacks = {
        "keras_mnist_mlp": lambda: [
            layers.Flatten(), layers.Dense(256, activation="relu"),
            layers.Dense(128, activation="relu")],
        "keras_mnist_cnn": lambda: [
            layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Flatten(), layers.Dense(128, activation="relu")],
        "keras_lstm_cls": lambda: [layers.LSTM(128, return_sequences=True), layers.LSTM(64)],
    }
    first = keras.Input(INPUT_SHAPES[name])
    value = first
    for layer in stacks[name]():
        value = layer(value)
    return keras.Model(first, layers.Dense(10, activation="softmax")(value))


def randomize(model, generator):
    """Gives norms and biases values that no compiler can fold to an identity."""
    values = model.get_weights()
    for i, variable in enumerate(model.weights):
        leaf, shape = variable.path.split("/")[-1], values[i].shape
        if leaf in ("moving_variance", "gamma"):
            values[i] = cases.uniform(generator, *shape, low=0.7, high=1.3)
        elif leaf in ("moving_mean", "beta") or (leaf == "bias" and len(shape) == 1):
            values[i] = values[i] + cases.normal(generator, *shape, scale=0.05)
    model.set_weights(values)


def sample(name):
    return cases.uniform(cases.rng(name + " x1"), 1, *INPUT_SHAPES[name])


def export_tensorflow(build):
    """Writes saved_model/, model.onnx (dynamic batch), model.tflite and, for the next steps, the
    weights."""
    import tensorflow as tf

    model = make_model(build.name)
    randomize(model, cases.rng(build.name))
    model.save_weights(os.path.join(build.scratch, "model.weights.h5"))
    model.export(build.path("saved_model"), format="tf_saved_model", verbose=False)
    convert_to_onnx(build, model)
    signature = tf.saved_model.load(build.path("saved_model")).signatures[SIGNATURE]
    (argument,) = signature.structured_input_signature[1]
    (result,) = signature.structured_outputs
    value = signature(**{argument: tf.constant(sample(build.name))})[result].numpy()
    np.save(os.path.join(build.scratch, "tensorflow.npy"), value)
    with open(os.path.join(build.scratch, "signature.json"), "w") as file:
        json.dump({"input": argument, "output": result}, file)
    export_tflite(build)


def convert_to_onnx(build, model):
    """Writes model.onnx. tf2onnx makes graph inputs of the tensors that a layer holds outside of
    variables (Normalization does); here they become constants."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None,) + INPUT_SHAPES[build.name], tf.float32, name="x")]
    function = tf.function(lambda x: model(x, training=False))
    captures = function.get_concrete_function(*signature).graph.captures
    held = {inner.name: outer.numpy() for outer, inner in captures if outer.dtype != tf.resource}
    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=17)
    graph = proto.graph
    inputs = [i for i in graph.input if i.name not in held]
    graph.initializer.extend(onnx.numpy_helper.from_array(held[i.name], i.name)
                             for i in graph.input if i.name in held)
    del graph.input[:]
    graph.input.extend(inputs)
    onnx.save(proto, build.path("model.onnx"))


def export_tflite(build):
    """model.tflite for the LiteRT peer, where its converter can do the model without help from
    TensorFlow's own kernels; else no file."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(build.path("saved_model"))
    try:
        content = converter.convert()
    except Exception as failure:  # the converter raises many types
        print("no LiteRT model:", str(failure)[:300])
        return
    with open(build.path("model.tflite"), "wb") as file:
        file.write(content)


def write_onnx_cases(build):
    """The references, and the ONNX and SavedModel cases."""
    from zoo import onnx_cases

    (value,) = onnx_cases.write_onnx_case(build, {"x": sample(build.name)}, source=SOURCE)
    ((file, check),) = cases.reference_of(build)
    cases.agree(np.load(os.path.join(build.scratch, "tensorflow.npy")), value, check, "TensorFlow")
    with open(os.path.join(build.scratch, "signature.json")) as text:
        signature = json.load(text)
    cases.write_case(build, "savedmodel", form="savedmodel", graph="saved_model",
                        function=SIGNATURE, inputs=[(signature["input"], "in_0.npy")],
                        outputs=[(signature["output"], file, check)], about=about(build))


def about(build):
    """What the first case says of the model, for its other forms."""
    first = cases.read_case(build)
    return {k: first[k] for k in ("weights", "source", "weight_bytes", "flops")}


def export_stablehlo(build):
    """args.mlir (text, weights are arguments) and model.mlirbc (bytecode, weights inside)."""
    import jax
    from jax import export

    model = make_model(build.name)
    model.load_weights(os.path.join(build.scratch, "model.weights.h5"))
    x = sample(build.name)
    outputs = cases.reference_of(build)
    reference = cases.load_array(build, outputs[0][0])

    closed = jax.jit(lambda x: model(x, training=False))
    cases.agree(closed(x), reference, outputs[0][1], "JAX")
    exported = export.export(closed)(jax.ShapeDtypeStruct(x.shape, x.dtype))
    with open(build.path("model.mlirbc"), "wb") as file:
        file.write(exported.mlir_module_serialized)

    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]
    called = jax.jit(lambda t, n, x: model.stateless_call(t, n, x, training=False)[0],
                     keep_unused=True)
    text = called.lower(trainable, fixed, x).as_text()
    with open(build.path("args.mlir"), "w") as file:
        file.write(text)
    files = [cases.save_array(build, "arg_%03d.npy" % i, np.asarray(v))
             for i, v in enumerate(trainable + fixed)]

    cases.write_stablehlo_case(build, "stablehlo", form="stablehlo", graph="args.mlir",
                                  input_files=files + ["in_0.npy"], outputs=outputs,
                                  about=dict(about(build), weight_bytes=0))
    cases.write_stablehlo_case(build, "bytecode", form="stablehlo-bytecode",
                                  graph="model.mlirbc", input_files=["in_0.npy"],
                                  outputs=outputs, about=about(build))
