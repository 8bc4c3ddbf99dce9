"""The tables, in Markdown."""

from peers import PEERS
from report.results import TIE


def number(value, digits=3):
    """A figure with so many digits, without an exponent; "" for None."""
    if value is None:
        return ""
    return f"{float(f'{value:.{digits}g}'):.12f}".rstrip("0").rstrip(".")


def plural(count, thing="thread"):
    return f"{count} {thing}" + ("s" if count > 1 else "")


def times(ratio):
    """A ratio with its spread: 1.25 (1.21 to 1.30)."""
    if ratio is None:
        return ""
    spread = "" if ratio.low == ratio.high else f" ({ratio.low:.2f} to {ratio.high:.2f})"
    return f"{ratio.median:.2f}{spread}"


def verdict(ratio):
    if ratio is None:
        return ""
    return "tie" if ratio.is_tie else "faster" if ratio.median > 1 else "slower"


def rows(header, lines):
    """A Markdown table; the first column is text, the others are right-aligned figures."""
    out = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return out + ["| " + " | ".join(line) + " |" for line in lines]


def machine_line(machine):
    """One sentence about the machine."""
    threads, limits = next(iter(machine["limits"].items()))
    caches = [f"{level} {size >> 20} MB" if size >> 20 else f"{level} {size >> 10} kB"
              for level, size in machine["caches"].items()]
    kind = f"family {machine['family']}, model {machine['model']}" + (", virtual machine" if machine["virtual"] else "")
    speeds = [f"{rate:.0f} GB/s from {level}" for level, rate in limits["gb_per_s"].items()]
    return (f"{machine['processor']} ({kind}), {plural(machine['cores'], 'core')}, {', '.join(caches)}; "
            f"{plural(int(threads))}: {limits['fma_gflops']:.0f} GFLOP/s of f32 multiply-adds, {', '.join(speeds)}. "
            f"{machine['system']}, Linux {machine['kernel']}.")


def versions_line(results):
    versions = {}
    for m in results.fields["measurements"]:
        if m["ok"] and "version" in m:
            versions[m["contestant"]] = m["version"]
    tfc = results.machine["tfc"]
    return ", ".join([f"tfc at {tfc['commit']}"]
                     + [f"{PEERS[p].title} {versions[p]}" for p in PEERS if p in versions]) + "."


def name_of_peer(results, workload, threads, peer):
    if peer is None:
        return ""
    return results.title(peer) + ("*" if results.unlike_forms(workload, threads, peer) else "")


def latency(results, threads):
    contestants = results.contestants
    lines = []
    for w in results.workloads:
        best, ratio = results.best_peer(w, threads), results.ratio(w, threads)
        lines.append([w] + [number(results.median(w, threads, c)) for c in contestants]
                     + [name_of_peer(results, w, threads, best), times(ratio), verdict(ratio),
                        number(results.rate(w, threads))])
    header = ["ms"] + [results.title(c) for c in contestants] \
        + ["best peer", "best peer / tfc", "tfc is", "GFLOP/s of tfc"]
    out = [f"## {plural(threads)}", ""] + rows(header, lines) + [""]
    for contestant in [c for c in contestants if c not in PEERS]:
        for heading, names in results.kinds():
            mean = results.mean_ratio(names, threads, contestant)
            if mean and mean[1] > 1:
                out.append(f"* {heading}: geometric mean of best peer / {results.title(contestant)} over "
                           f"{mean[1]}: **{mean[0]:.2f}**")
    return out + [""]


def fusion(results):
    lines = []
    for w in results.workloads:
        found = results.fusion(w)
        if found:
            fused, unfused = found["fused"], found["unfused"]
            lines.append([w, number(unfused["timing"]["median_ms"]), number(fused["timing"]["median_ms"]),
                          times(found["ratio"])]
                         + [f"{side['kernels_launched']:.0f}" for side in (unfused, fused)]
                         + [number(side["bytes_moved"] / 1e6) for side in (unfused, fused)])
    header = ["", "unfused, ms", "fused, ms", "unfused / fused", "kernels run unfused", "fused",
              "MB moved unfused", "fused"]
    heading = f"## Fused against unfused, {plural(results.threads[0])}"
    return [heading, ""] + rows(header, lines) + [""] if lines else []


def resources(results):
    threads, lines = results.threads[0], []
    for w in results.workloads:
        for c in results.contestants:
            if results.median(w, threads, c) is not None:
                figures = [results.median(w, threads, c, key) for key in (
                    "load_ms", "rss_mb", "resident_mb", "planned_mb", "compile_s", "compile_rss_mb", "library_mb",
                    "library_without_weights_mb")]
                error = results.median(w, threads, c, "error_share")
                lines.append([w, results.title(c)] + [number(f) for f in figures]
                             + ["" if error is None else f"{error:.1e}"])
    header = ["", "", "load, ms", "peak memory, MB", "resident, MB", "weights and arena, MB", "compile, s", "compile's peak, MB", "library, MB",
              "without weights, MB", "largest error / largest output"]
    return ["## Loading, memory, compiling", ""] + rows(header, lines) + [""]


def failures(results):
    seen = {(m["workload"], m["contestant"], m["threads"], m["message"]) for m in results.failed}
    if not seen:
        return []
    lines = [f"* {w}, {results.title(c)}, {plural(t)}: {why}" for w, c, t, why in sorted(seen)]
    return ["## Failed", ""] + lines + [""]


def full(results):
    """table.md"""
    options = results.fields["options"]
    out = [f"# Measured on {results.fields['date']}", "", f"    {results.fields['command']}", "",
           machine_line(results.machine), "", versions_line(results), "",
           f"{options['rounds']} interleaved rounds of {options['seconds']:g} s a measurement; times are medians over "
           "the rounds. A ratio is taken in each round; given are its median and the middle half of the rounds. It is "
           f"a tie within {round((TIE - 1) * 100)}%, or when the middle half lies on both sides of 1.", "",
           "\\* The peer gets weights as arguments, and images channels-last; the others have weights inside.", ""]
    for threads in results.threads:
        out += latency(results, threads)
    return "\n".join(out + fusion(results) + resources(results) + failures(results)).rstrip() + "\n"


# ---------------------------------------------------------------- README ----

def marked(ratio):
    """A ratio for the README: bold where tfc is faster, and ties said."""
    if ratio is None:
        return ""
    figure = f"{ratio.median:.2f}"
    return f"{figure} (tie)" if ratio.is_tie else f"**{figure}**" if ratio.median > 1 else figure


def short(results, folder):
    """What the README says: the models, the means, where the rest is."""
    first, options = results.threads[0], results.fields["options"]
    lines = []
    for w in dict(results.kinds()).get("Models", []):
        best, found = results.best_peer(w, first), results.fusion(w)
        lines.append(
            [w, name_of_peer(results, w, first, best), number(results.median(w, first, best)),
             number(results.median(w, first, "tfc"))]
            + [marked(results.ratio(w, t)) for t in results.threads]
            + [f"{found['ratio'].median:.2f}" if found else ""]
            + [number(results.median(w, first, "tfc", key), 2)
               for key in ("load_ms", "compile_s", "library_without_weights_mb")])
    header = ["", "best peer", "its ms", "tfc, ms"] + [f"best peer / tfc, {plural(t)}" for t in results.threads] \
        + ["unfused / fused", "load, ms", "compile, s", "library without weights, MB"]
    out = [f"On {results.fields['date']} with `{results.fields['command']}`, f32, {options['rounds']} rounds, times "
           f"with {plural(first)}: {versions_line(results)} {machine_line(results.machine)}", "",
           *rows(header, lines), ""]
    for t in results.threads:
        means = [f"{mean[0]:.2f} over {mean[1]} {name.lower()}" for name, names in results.kinds()
                 if (mean := results.mean_ratio(names, t)) and mean[1] > 1]
        out.append(f"* {plural(t)}: the geometric mean of best peer / tfc is {', '.join(means)}")
    out += ["", f"![Time of the best peer by that of tfc, for every model and kernel]({folder}/latency.svg)", "",
            f"Every contestant, loading, memory: [table]({folder}/table.md), [roofline]({folder}/roofline.svg), "
            f"[fusion]({folder}/fused.svg)."]
    return "\n".join(out) + "\n"
