"""Who runs what, and the measurements."""

import ast
import json
import os
import pathlib
import re
import shutil

from peers import PEERS, environments
from runner import processes, residence

TFC_FORMS = ("onnx", "stablehlo-bytecode", "stablehlo", "savedmodel")
BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent


# ----------------------------------------------------------------- cases ----

class Case:
    """A case of the zoo: see `zoo/cases.py`."""

    def __init__(self, folder):
        self.folder = folder
        self.fields = json.loads(pathlib.Path(folder, "case.json").read_text())

    def __getitem__(self, field):
        return self.fields[field]

    def path(self, part):
        return os.path.normpath(os.path.join(self.folder, part))

    @property
    def graph(self):
        return self.path(self["graph"])

    @property
    def input_arguments(self):
        return [word for i in self["inputs"]
                for word in ("--input", f"{i['name']}={self.path(i['file'])}")]

    @property
    def function_arguments(self):
        return ["--function", self["function"]] if self["function"] else []

    @property
    def input_shapes(self):
        return {i["name"]: array_shape(self.path(i["file"])) for i in self["inputs"]}


def load_cases(zoo, workloads):
    """{workload: {form: case}}"""
    found = {name: {} for name in workloads}
    for file in sorted(pathlib.Path(zoo).glob("*/case.json")):
        case = Case(str(file.parent))
        if case["workload"] in found:
            found[case["workload"]][case["form"]] = case
    return found


def array_shape(file):
    """The shape in the header of a .npy file."""
    with open(file, "rb") as data:
        header = re.search(rb"\{.*?\}", data.read(512), re.DOTALL)
    return ast.literal_eval(header[0].decode("latin1"))["shape"]


def symbol_values(inspection, shapes):
    """The values that inputs of such shapes give to the symbols of a graph: {"batch": 1}."""
    values = {}
    for entry in inspection["inputs"]:
        extents = re.findall(r"\[([^\]]*)\]x|(\d+)x", entry["type"])
        for (symbol, _), extent in zip(extents, shapes[entry["name"]]):
            if symbol:
                values[symbol] = extent
    return {s["name"]: values[s["name"]] for s in inspection["symbols"] if s["name"] in values}


# ----------------------------------------------------------- contestants ----

class PeerContestant:
    """One of `PEERS`."""

    def __init__(self, name, contest):
        self.name, self.contest, self.peer = name, contest, PEERS[name]

    def case(self, forms):
        """Which of a workload's cases this one runs, or None."""
        for form in self.peer.forms:
            if form in forms and self.contest.allows(form) and self.has_file(forms[form]):
                return forms[form]
        return None

    def has_file(self, case):
        """Not every SavedModel has a form for LiteRT."""
        return self.name != "litert" or os.path.exists(
            os.path.join(os.path.dirname(case.graph), "model.tflite"))

    def measure(self, case, threads):
        done = self.contest.measure_script(
            self.peer.family, "time", self.name, case.folder, "--threads", str(threads),
            "--seconds", str(self.contest.seconds), threads=threads)
        return done.json if done.code == 0 else {"ok": False, "message": done.why}


class TfcContestant:
    """tfc with a precision. Compiles a case once and checks what the library computes."""

    def __init__(self, name, contest, precision):
        self.name, self.contest, self.precision = name, contest, precision
        self.libraries = {}

    def case(self, forms):
        for form in TFC_FORMS:
            if form in forms and self.contest.allows(form):
                return forms[form]
        return None

    def measure(self, case, threads):
        if case.folder not in self.libraries:
            self.libraries[case.folder] = self.compile(case)
        library, facts = self.libraries[case.folder]
        if not facts["ok"]:
            return facts
        done = processes.run(
            [self.contest.tfc, "bench", library, "--threads", str(threads), "--json",
             "--seconds", str(self.contest.seconds)] + case.input_arguments, threads)
        if done.code != 0:
            return {"ok": False, "message": done.why}
        figures = done.json
        load_ms = figures.pop("create_ms")
        return facts | figures | {"load_ms": load_ms, "rss_mb": done.rss_mb}

    def compile(self, case):
        """The library, and facts; "ok" says whether it may be timed."""
        library = os.path.join(self.contest.scratch, f"{self.name}.{os.path.basename(case.folder)}.so")
        done = processes.run([self.contest.tfc, "compile", case.graph, "-o", library,
                              "--precision", self.precision] + case.function_arguments)
        if done.code != 0:
            return library, {"ok": False, "message": done.why}
        size = os.path.getsize(library)
        facts = {"compile_s": done.seconds, "compile_rss_mb": done.rss_mb, "library_mb": size / 1e6,
                 "library_without_weights_mb": max(0, size - case["weight_bytes"]) / 1e6}
        facts |= self.check(case, library)
        if facts["ok"]:
            facts |= residence.measure(self.contest.residence, library, case.input_shapes)
        return library, facts

    def check(self, case, library):
        outputs = library + ".outputs"
        done = processes.run([self.contest.tfc, "run", library, "--output-dir", outputs]
                             + case.input_arguments)
        if done.code == 0:
            done = self.contest.measure_script("ort", "check", case.folder, outputs)
        shutil.rmtree(outputs, ignore_errors=True)
        return done.json if done.code == 0 else {"ok": False, "message": done.why}


# --------------------------------------------------------------- contest ----

class Contest:
    """What all measurements share: `seconds` of runs in each, and which `form` of a workload
    is allowed (all, if empty)."""

    def __init__(self, tfc, peers, scratch, against, strict, form, seconds):
        self.tfc, self.peers, self.scratch = tfc, peers, scratch
        self.form, self.seconds = form, seconds
        self.residence = os.path.join(scratch, "residence")
        residence.build(self.residence)
        self.contestants = [PeerContestant(name, self) for name in against]
        self.contestants.append(TfcContestant("tfc", self, "f32"))
        if strict:
            self.contestants.append(TfcContestant("tfc-strict", self, "f32-strict"))

    def allows(self, form):
        return not self.form or form == self.form

    def measure_script(self, family, *arguments, threads=None):
        return processes.run(
            [environments.python(self.peers, family), "-m", "peers.measure", *arguments], threads,
            env=dict(os.environ, PYTHONPATH=str(BENCHMARKS)))

    def run_round(self, number, workloads, thread_counts):
        """Yields one measurement after another: all contestants take their turn on a workload
        before the next. Who begins changes from round to round."""
        for workload, forms in workloads.items():
            for threads in thread_counts:
                entrants = [(c, c.case(forms)) for c in self.contestants]
                entrants = [(c, case) for c, case in entrants if case]
                first = number % max(1, len(entrants))
                for contestant, case in entrants[first:] + entrants[:first]:
                    yield {"round": number, "workload": workload, "threads": threads,
                           "contestant": contestant.name, "form": case["form"],
                           } | contestant.measure(case, threads)
            yield from self.fusion(number, workload, forms, thread_counts[0])

    def tfc_case(self, forms):
        return next(c for c in self.contestants if c.name == "tfc").case(forms)

    def fusion(self, number, workload, forms, threads):
        """Fused against unfused; both run in turns in one process."""
        case = self.tfc_case(forms)
        if not case:
            return
        done = processes.run(
            [self.tfc, "bench", case.graph, "--fused-vs-unfused", "--json", "--threads", str(threads),
             "--seconds", str(self.seconds)] + case.function_arguments + case.input_arguments, threads)
        result = {"ok": True} | done.json if done.code == 0 else {"ok": False, "message": done.why}
        yield {"round": number, "workload": workload, "threads": threads, "contestant": "fusion",
               "form": case["form"]} | result

    def describe(self, forms):
        """What is known of a workload: operations of a run, the bytes of inputs, outputs and
        weights, and where the weights come from."""
        case = self.tfc_case(forms) or next(iter(forms.values()))
        files = [case.path(e["file"]) for e in case["inputs"] + case["outputs"]]
        facts = {"weights": case["weights"], "source": case["source"],
                 "data_bytes": sum(map(os.path.getsize, files)) + case["weight_bytes"]}
        return facts | {"flops": self.count_operations(case) or case["flops"]}

    def count_operations(self, case):
        """All operations that tfc counts, or None where it cannot."""
        command = [self.tfc, "inspect", case.graph, "--json"] + case.function_arguments
        done = processes.run(command)
        if done.code != 0 or done.json["has_loops"]:  # a loop's body is counted once
            return None
        for symbol, value in symbol_values(done.json, case.input_shapes).items():
            command += ["--dim", f"{symbol}={value}"]
        flops = processes.run(command).json["flops"]
        return int(flops) if flops.isdigit() else None
