"""Writes the portable artifacts of the modules in this folder, in old and new versions of VHLO.

    python3 -m venv venv && venv/bin/pip install jax && venv/bin/python make_artifacts.py
"""

import pathlib

from jax._src.interpreters import mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

VERSIONS = {
    "ops": ["0.9.0", "1.0.0", "1.13.0"],
    "types": ["0.17.0", "1.13.0"],
    "calls": ["1.0.0", "1.13.0"],
    "places": ["0.9.0", "1.13.0"],
}

folder = pathlib.Path(__file__).parent
for name, versions in VERSIONS.items():
    text = (folder / f"{name}.mlir").read_text()
    for version in versions:
        with mlir.make_ir_context():
            ir.Module.parse(text)
            artifact = stablehlo.serialize_portable_artifact_str(text, version)
        (folder / f"{name}-{version}.mlirbc").write_bytes(artifact)
