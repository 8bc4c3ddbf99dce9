"""The results of a run, and the figures that are drawn from them."""

import dataclasses
import json
import math
import pathlib
import statistics

from peers import PEERS

# A smaller difference is none: shared machines change their speed by as much.
TIE = 1.15
# The workload that adds 1 to four numbers.
CALL = "micro_null"


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How many times faster: the median over the rounds, and the middle half of the rounds."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values):
        if len(values) == 1:
            return Ratio(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return Ratio(median, low, high)

    @property
    def is_tie(self):
        """Whether the difference is too small, or the rounds do not agree on its sign."""
        return 1 / TIE < self.median < TIE or self.low <= 1 <= self.high


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


class Results:
    """What `run.py` wrote: results.json and machine.json."""

    def __init__(self, fields, machine):
        self.fields, self.machine = fields, machine
        self.workloads = list(fields["workloads"])
        self.threads = fields["options"]["threads"]
        self.good = {}  # (workload, threads, contestant) -> {round: measurement}
        self.failed = []
        for m in fields["measurements"]:
            if m["ok"]:
                key = m["workload"], m["threads"], m["contestant"]
                self.good.setdefault(key, {})[m["round"]] = m
            else:
                self.failed.append(m)

    @staticmethod
    def load(folder):
        def read(name):
            return json.loads(pathlib.Path(folder, name).read_text())
        return Results(read("results.json"), read("machine.json"))

    @property
    def contestants(self):
        present = {contestant for _, _, contestant in self.good}
        return [c for c in [*PEERS, "tfc", "tfc-strict"] if c in present]

    def title(self, contestant):
        return PEERS[contestant].title if contestant in PEERS else contestant.replace("-", " ")

    def kinds(self):
        """[(heading, workloads)]: whole models, single kernels, and what does next to nothing."""
        split = {"Models": [], "Kernels": [], "Cost of a call": []}
        for w in self.workloads:
            kind = "Cost of a call" if w == CALL else "Kernels" if w.startswith("micro_") else "Models"
            split[kind].append(w)
        return [(heading, names) for heading, names in split.items() if names]

    # ----------------------------------------------- one contestant's figures

    def median(self, workload, threads, contestant, key="median_ms"):
        """The median over the rounds of one figure, or None."""
        rounds = self.good.get((workload, threads, contestant), {}).values()
        values = [m[key] for m in rounds if m.get(key) is not None]
        return statistics.median(values) if values else None

    def form(self, workload, threads, contestant):
        rounds = self.good.get((workload, threads, contestant))
        return next(iter(rounds.values()))["form"] if rounds else None

    # ------------------------------------------------------------ comparisons

    def best_peer(self, workload, threads):
        """The peer with the shortest median time, or None."""
        times = {p: self.median(workload, threads, p) for p in PEERS}
        times = {p: t for p, t in times.items() if t is not None}
        return min(times, key=times.get) if times else None

    def ratio(self, workload, threads, contestant="tfc", against=None):
        """Time of the best peer, or of `against`, by that of the contestant, taken round by
        round; None where a side is missing."""
        other = against or self.best_peer(workload, threads)
        ours = self.good.get((workload, threads, contestant), {})
        theirs = self.good.get((workload, threads, other), {})
        values = [theirs[r]["median_ms"] / ours[r]["median_ms"] for r in ours if r in theirs]
        return Ratio.of(values) if values else None

    def mean_ratio(self, workloads, threads, contestant="tfc"):
        """(geometric mean of the ratios, how many there are), or None."""
        ratios = [self.ratio(w, threads, contestant) for w in workloads]
        medians = [r.median for r in ratios if r]
        return (geometric_mean(medians), len(medians)) if medians else None

    def unlike_forms(self, workload, threads, peer):
        """Whether a peer gets the weights as arguments and tfc has them as constants."""
        return self.form(workload, threads, peer) == "stablehlo" != self.form(workload, threads, "tfc")

    # ----------------------------------------------------------------- fusion

    def fusion(self, workload):
        """Fused against unfused: {"ratio": Ratio, "fused": {...}, "unfused": {...}}, or None."""
        rounds = self.good.get((workload, self.threads[0], "fusion"))
        if not rounds:
            return None
        *_, last = rounds.values()
        return {"ratio": Ratio.of([m["ratio"] for m in rounds.values()]),
                "fused": last["fused"], "unfused": last["unfused"]}

    # --------------------------------------------------------------- roofline

    def work(self, workload):
        """(operations, bytes) of a run. The bytes are what the fused kernels read and write, or
        else inputs, outputs and weights once. None where there are no operations."""
        facts, fusion = self.fields["workloads"][workload], self.fusion(workload)
        moved = fusion["fused"]["bytes_moved"] if fusion else facts["data_bytes"]
        return (facts["flops"], moved) if facts["flops"] and moved else None

    def rate(self, workload, threads, contestant="tfc"):
        """Operations a second, in GFLOP/s, or None."""
        work, time = self.work(workload), self.median(workload, threads, contestant)
        return work[0] / time / 1e6 if work and time else None

    def roofline_points(self, threads):
        """[(workload, operations a byte, GFLOP/s of tfc, of the best peer or None)]"""
        points = []
        for w in self.workloads:
            rate = self.rate(w, threads)
            if rate and w != CALL:
                flops, moved = self.work(w)
                best = self.best_peer(w, threads)
                points.append((w, flops / moved, rate, self.rate(w, threads, best) if best else None))
        return points
