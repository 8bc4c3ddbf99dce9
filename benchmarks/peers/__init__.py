"""The programs that tfc is measured against, each in a virtual environment of its own."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Peer:
    """`family` names the environment, `package` what it imports, `distribution` what pip calls
    it; `forms` are the forms of a case it reads, best first."""

    title: str
    family: str
    package: str
    distribution: str
    forms: tuple


PEERS = {
    "ort": Peer("ONNX Runtime", "ort", "onnxruntime", "onnxruntime", ("onnx",)),
    "openvino": Peer("OpenVINO", "ort", "openvino", "openvino", ("onnx",)),
    "xla": Peer("XLA", "jax", "jax", "jaxlib", ("stablehlo-bytecode", "stablehlo")),
    "tf": Peer("TensorFlow", "tf", "tensorflow", "tensorflow_cpu", ("savedmodel",)),
    # LiteRT reads model.tflite, which lies beside the SavedModel where its converter made one.
    "litert": Peer("LiteRT", "ort", "ai_edge_litert.interpreter", "ai-edge-litert", ("savedmodel",)),
}
