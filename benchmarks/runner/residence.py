"""The memory that a compiled model holds in a program that does nothing else."""

import pathlib
import subprocess

from runner import machine, processes

SOURCE = pathlib.Path(__file__).resolve().parent / "residence.c"
HEADERS = SOURCE.parent.parent.parent / "Sources/Runtime/include"


def build(program):
    subprocess.run([machine.compiler(), "-O1", f"-I{HEADERS}", str(SOURCE), "-o", program, "-ldl"], check=True)


def measure(program, library, shapes, threads=1):
    """What is resident after three runs, without inputs and outputs, and the weights and arena in the library's own
    count. The first may be less, where the weights are not all read."""
    words = [f"{name}={'x'.join(map(str, shape))}" for name, shape in shapes.items()]
    done = processes.run([program, library, str(threads)] + words)
    if done.code != 0:
        return {"ok": False, "message": done.why}
    found = done.json
    return {"resident_mb": (found["resident"] - found["tensors"]) / 1e6,
            "planned_mb": (found["weights"] + found["arena"]) / 1e6}
