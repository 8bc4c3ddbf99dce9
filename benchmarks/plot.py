"""Draws latency.svg, roofline.svg and fused.svg from a folder of results:

    python3 benchmarks/plot.py FOLDER
"""

import pathlib
import sys

from report import bars, roofline
from report.results import Ratio, Results
from report.table import name_of_peer, plural

SPREAD = "Bar: median of the rounds; line: the middle half of them"


def label(workload):
    return workload.removeprefix("micro_").replace("_", " ")


def conditions(results):
    return f"{results.machine['processor']}, f32, {results.fields['date']}"


def latency(results):
    """Best peer by tfc, for every workload and number of threads."""
    sections = []
    for heading, workloads in results.kinds():
        rows = []
        for w in workloads:
            ratios = [results.ratio(w, t) for t in results.threads]
            peers = [name_of_peer(results, w, t, results.best_peer(w, t)) for t in results.threads]
            rows.append(bars.Row(label(w), ratios, peers))
        means = [results.mean_ratio(workloads, t) for t in results.threads]
        if len(rows) > 1:
            ratios = [m and Ratio(m[0], m[0], m[0]) for m in means]
            rows.append(bars.Row("geometric mean", ratios, [""] * len(ratios), is_mean=True))
        sections.append((heading, [row for row in rows if any(row.ratios)]))
    return bars.draw("Time of the best peer by that of tfc", f"{conditions(results)}. {SPREAD}", sections,
                     [plural(t) for t in results.threads], ("best peer is faster", "tfc is faster"), "best peer")


def fused(results):
    """Unfused by fused, the largest gain first."""
    sections = []
    for heading, workloads in results.kinds():
        found = [(w, f) for w in workloads if (f := results.fusion(w))]
        found.sort(key=lambda pair: -pair[1]["ratio"].median)
        rows = [bars.Row(label(w), [f["ratio"]],
                         [f"{f['unfused']['kernels_launched']:.0f} → {f['fused']['kernels_launched']:.0f}"])
                for w, f in found]
        sections.append((heading, rows))
    return bars.draw("Time without fusion by that with fusion",
                     f"tfc, {plural(results.threads[0])}; {conditions(results)}. {SPREAD}",
                     [s for s in sections if s[1]], [""], ("unfused is faster", "fused is faster"), "kernels run")


def roof(results):
    threads = results.threads[0]
    colors = {w: roofline.MODEL if heading == "Models" else roofline.KERNEL
              for heading, names in results.kinds() for w in names}
    return roofline.draw(
        f"Attained speed under the machine's limits, {plural(threads)}",
        conditions(results),
        results.roofline_points(threads), results.machine["limits"][str(threads)], label, colors.get)


def draw_all(folder):
    results = Results.load(folder)
    for name, drawing in (("latency", latency), ("fused", fused), ("roofline", roof)):
        pathlib.Path(folder, name + ".svg").write_text(str(drawing(results)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    draw_all(sys.argv[1])
