#!/usr/bin/env python3
"""Writes the models that tests read, with TensorFlow (made with 2.21), into the folder of this file.

variables: a SavedModel with a variable of each type, as Keras and tf.Module save it.
session: a SavedModel of a TF1 graph, with reference and resource variables and one that is stored in parts.
keras: a Keras model with a convolution and an LSTM, two inputs of open batch, and numbers that it gives for a batch of 3.
constants.pb: a GraphDef with a constant of each type, in each of the ways that a TensorProto can hold it.

Element i of a tensor that holds numbers is i + 1, unless said otherwise.
"""

import os
import shutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

folder = os.path.dirname(os.path.abspath(__file__))

NUMBERS = [
    tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16,
    tf.uint32, tf.uint64, tf.complex64, tf.complex128,
]
BYTES = [tf.dtypes.experimental.float8_e5m2, tf.dtypes.experimental.float8_e4m3fn]


def fresh(name):
    path = os.path.join(folder, name)
    shutil.rmtree(path, ignore_errors=True)
    return path


def prune(graph):
    """Leaves out the functions that no node needs, by itself or by a function that it calls; gives the others."""
    definitions = getattr(graph, "library")
    functions = {f.signature.name: f for f in definitions.function}
    needed, waiting = set(), list(graph.node)
    while waiting:
        for value in waiting.pop().attr.values():
            for name in [value.func.name] + [f.name for f in value.list.func]:
                if name in functions and name not in needed:
                    needed.add(name)
                    waiting += functions[name].node_def
    kept = [f for name, f in sorted(functions.items()) if name in needed]
    del definitions.function[:]
    definitions.function.extend(kept)
    return definitions.function


def slim(path, outputs=None, serving=False):
    """Leaves out what is not read, and with outputs, or for serving, the nodes that these do not need."""
    from tensorflow.core.protobuf import saved_model_pb2

    file = os.path.join(path, "saved_model.pb")
    model = saved_model_pb2.SavedModel()
    with open(file, "rb") as f:
        model.ParseFromString(f.read())
    for meta in model.meta_graphs:
        meta.ClearField("object_graph_def")
        meta.ClearField("collection_def")
        meta.meta_info_def.ClearField("stripped_op_list")
        meta.graph_def.ClearField("debug_info")
        if serving:
            for key in [key for key in meta.signature_def if key != "serving_default"]:
                del meta.signature_def[key]
            signature = meta.signature_def["serving_default"]
            ends = list(signature.inputs.values()) + list(signature.outputs.values())
            outputs = [end.name.split(":")[0] for end in ends] + [meta.saver_def.restore_op_name]
        if outputs:
            meta.graph_def.CopyFrom(tf.compat.v1.graph_util.extract_sub_graph(meta.graph_def, outputs))
        functions = prune(meta.graph_def)
        for node in list(meta.graph_def.node) + [n for f in functions for n in f.node_def]:
            node.attr.pop("_output_shapes", None)
            node.ClearField("experimental_debug_info")
            node.ClearField("experimental_type")
    with open(file, "wb") as f:
        f.write(model.SerializeToString(deterministic=True))
    for extra in ["fingerprint.pb", "assets"]:
        p = os.path.join(path, extra)
        shutil.rmtree(p) if os.path.isdir(p) else os.path.exists(p) and os.remove(p)


def variables():
    module = tf.Module()
    for dtype in NUMBERS:
        values = np.arange(1, 7).reshape(2, 3).astype(dtype.as_numpy_dtype)
        setattr(module, dtype.name, tf.Variable(values, name=dtype.name))
    for dtype in BYTES:
        setattr(module, dtype.name, tf.Variable(tf.cast([1.0, 2.0, -0.5], dtype), name=dtype.name))
    module.bool = tf.Variable([True, False, True], name="bool")
    module.scalar = tf.Variable(2.5, name="scalar")
    module.empty = tf.Variable(tf.zeros([0, 3]), name="empty")
    # Two variables of one name, of which the graph has to tell apart the nodes.
    module.first = tf.Variable([1.0], name="twin")
    module.second = tf.Variable([2.0], name="twin")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def call(x):
        return {"y": x * module.float32[0] + module.first + module.second}

    path = fresh("variables")
    tf.saved_model.save(module, path, signatures=call)
    slim(path)


def session():
    v1 = tf.compat.v1
    path = fresh("session")
    with tf.Graph().as_default(), v1.Session() as run:
        # TensorFlow 1 calls an input of a graph so; nothing stands in for anything.
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        initial = lambda shape, dtype=tf.float32, partition_info=None: tf.reshape(
            tf.range(1.0, float(np.prod(shape)) + 1), shape)
        reference = v1.get_variable("reference", initializer=tf.range(1.0, 5.0), use_resource=False)
        resource = v1.get_variable("resource", initializer=tf.range(5.0, 9.0), use_resource=True)
        parts = v1.get_variable("parts", [4, 3], initializer=initial, partitioner=v1.fixed_size_partitioner(2))
        y = tf.matmul(x * reference + resource, tf.convert_to_tensor(parts), name="y")
        run.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(run, path, {"x": x}, {"y": y})
    slim(path, ["y", "save/restore_all"])


def constants():
    graph = tf.compat.v1.GraphDef()

    def add(name, tensor):
        node = graph.node.add(name=name, op="Const")
        node.attr["dtype"].type = tensor.dtype
        node.attr["value"].tensor.CopyFrom(tensor)

    for dtype in NUMBERS:
        values = np.arange(1, 5).reshape(2, 2).astype(dtype.as_numpy_dtype)
        content = tf.make_tensor_proto(values, dtype)
        content_only = type(content)()
        content_only.dtype = content.dtype
        content_only.tensor_shape.CopyFrom(content.tensor_shape)
        content_only.tensor_content = values.tobytes()
        add(dtype.name + "_content", content_only)
        # A list of two elements, of which the second stands for the rest.
        listed = type(content)()
        listed.CopyFrom(content_only)
        listed.tensor_content = b""
        two = values.flatten()[:2]
        if dtype in (tf.float16, tf.bfloat16):
            listed.half_val.extend(int(v) for v in two.view(np.uint16))
        elif dtype.is_complex:
            field = listed.scomplex_val if dtype == tf.complex64 else listed.dcomplex_val
            field.extend(part for v in two for part in (float(v.real), float(v.imag)))
        else:
            field = {
                tf.float32: "float_val", tf.float64: "double_val", tf.int64: "int64_val", tf.uint32: "uint32_val",
                tf.uint64: "uint64_val",
            }.get(dtype, "int_val")
            getattr(listed, field).extend(two.tolist())
        add(dtype.name + "_list", listed)
    add("bool", tf.make_tensor_proto([True, False, True]))
    add("splat", tf.make_tensor_proto(7.0, tf.float32, [1000, 1000]))
    add("string", tf.make_tensor_proto(["a", "b"]))
    quantized = tf.make_tensor_proto([1], tf.int32)
    quantized.dtype = tf.qint8.as_datatype_enum
    add("quantized", quantized)
    with open(os.path.join(folder, "constants.pb"), "wb") as f:
        f.write(graph.SerializeToString(deterministic=True))


def keras_model():
    import keras

    path = fresh("keras")
    keras.utils.set_random_seed(7)
    image = keras.Input((7, 6, 3), name="image")
    words = keras.Input((5,), dtype="int32", name="words")
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))
    y = keras.layers.LSTM(3)(keras.layers.Embedding(11, 4)(words))
    out = keras.layers.Dense(2, activation="softmax")(keras.layers.Concatenate()([x, y]))
    model = keras.Model({"image": image, "words": words}, out)
    rng = np.random.default_rng(7)
    model.set_weights([(rng.random(w.shape) + 0.1).astype(w.dtype) for w in model.get_weights()])
    model.export(path, verbose=False)
    inputs = {
        "image": rng.standard_normal((3, 7, 6, 3)).astype(np.float32), "words": rng.integers(0, 11, (3, 5), np.int32),
    }
    outputs = tf.saved_model.load(path).signatures["serving_default"](**{k: tf.constant(v) for k, v in inputs.items()})
    for name, value in list(inputs.items()) + [(k, v.numpy()) for k, v in outputs.items()]:
        np.save(os.path.join(path, name), value)
    # The signature, and what restores the variables.
    slim(path, serving=True)


variables()
session()
keras_model()
constants()
