"""Measures tfc against its peers: sets up what is missing, runs the rounds, writes a folder of results.

    python3 benchmarks/run.py [--models 'minilm,micro_*'] [--rounds 3] ...

`make bench` builds tfc and calls this. See benchmarks/README.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import sys
import tempfile

import plot
from peers import PEERS, environments
from report import table
from report.results import Results
from runner import machine, processes
from runner.contest import TFC_FORMS, Contest, load_cases
from zoo import builder, models

HERE = pathlib.Path(__file__).resolve().parent
WORK = HERE / ".work"
# How `make bench` calls the options that say what is measured.
VARIABLES = ["models", "rounds", "seconds", "threads", "against", "form", "strict"]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tfc", default=str(HERE.parent / ".build/release/tfc"), help="the compiler")
    parser.add_argument("--models", default="", help="shell patterns with commas between them; default: every model, "
                        "but not its further shapes, such as minilm-16x512")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of runs in one measurement, at least")
    parser.add_argument("--threads", default="1,2" if len(processes.cores()) > 1 else "1")
    parser.add_argument("--against", default=",".join(PEERS), help="which peers")
    parser.add_argument("--form", default="", choices=["", *TFC_FORMS], help="only those who read this form, on it")
    parser.add_argument("--strict", action="store_true", help="also tfc with --precision f32-strict")
    parser.add_argument("--zoo", default=str(WORK / "zoo"), help="folder of the models; missing ones are built there")
    parser.add_argument("--peers", default=str(WORK / "peers"), help="folder of the peers' environments, likewise")
    parser.add_argument("--out", default="", help="folder for the results; default: benchmarks/results/DATE-MACHINE")
    parser.add_argument("--prepare", action="store_true", help="stop when models and peers are there")
    options = parser.parse_args()
    options.command = command_of(options, parser)
    options.patterns, options.peer_names = split(options.models), split(options.against)
    options.thread_counts = [int(t) for t in split(options.threads)]
    unknown = [p for p in options.peer_names if p not in PEERS]
    if unknown:
        parser.error(f"no peer is called {unknown[0]}; there are {' '.join(PEERS)}")
    if max(options.thread_counts) > len(processes.cores()):
        parser.error(f"more threads than the {len(processes.cores())} cores")
    if not shutil.which(options.tfc):
        parser.error(f"{options.tfc} is no program; `make build` makes it")
    return options


def split(text):
    return [word for word in text.split(",") if word]


def command_of(options, parser):
    """How to call `make` for the same measurements."""
    words = ["make bench"]
    for name in VARIABLES:
        value = getattr(options, name)
        if value != parser.get_default(name):
            text = "1" if value is True else str(value)
            words.append(f"{name.upper()}='{text}'" if set(text) & set("*?[ ") else f"{name.upper()}={text}")
    return " ".join(words)


def is_complete(options):
    """Whether every model meets every peer."""
    return not options.patterns and not options.form and set(options.peer_names) == set(PEERS)


def prepare(options, chosen):
    """Makes the environments and the models that are missing."""
    families = {PEERS[name].family for name in options.peer_names} | {"ort"}  # ort also checks outputs
    for model, _ in chosen:
        if not model.is_built(options.zoo):
            families |= model.families
    environments.prepare(options.peers, families)
    builder.prepare([model for model, _ in chosen], options.peers, os.path.abspath(options.zoo))


def output_folder(options, facts):
    if options.out:
        return pathlib.Path(options.out)
    name = f"{datetime.date.today()}-{machine.slug(facts['features'], facts['cores'])}"
    return HERE / "results" / (name + ("" if is_complete(options) else "-partial"))


def write_results(folder, fields):
    """results.json, one measurement a line."""
    empty = json.dumps(fields | {"measurements": []}, indent=1)
    lines = ",\n".join(json.dumps(m) for m in fields["measurements"])
    text = empty.replace('"measurements": []', f'"measurements": [\n{lines}]')
    (folder / "results.json").write_text(text + "\n")


def shortened(value):
    """Figures with the digits that mean something."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: shortened(inner) for key, inner in value.items()}
    return value


def progress(m):
    outcome = m["message"] if not m["ok"] else f"{m['ratio']:.3f}" if "ratio" in m else f"{m['median_ms']:.4g} ms"
    print(f"round {m['round'] + 1}, {m['workload']}, {table.plural(m['threads'])}, {m['contestant']}: {outcome}",
          flush=True)


def measure(options, contest, workloads, fields, folder):
    """All rounds; what is there is written after each."""
    for number in range(options.rounds):
        fields["load_average"].append(os.getloadavg()[0])
        for measurement in contest.run_round(number, workloads, options.thread_counts):
            fields["measurements"].append(shortened(measurement))
            progress(measurement)
        write_results(folder, fields)


def warn_if_busy():
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"warning: this machine is busy (load {load:.1f}); its figures will be worth little", file=sys.stderr)


def main():
    options = parse_options()
    chosen = models.choose(options.patterns)
    prepare(options, chosen)
    if options.prepare:
        return 0
    warn_if_busy()
    facts = machine.describe(options.tfc, options.thread_counts)
    folder = output_folder(options, facts)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "machine.json").write_text(json.dumps(facts, indent=1) + "\n")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        contest = Contest(options.tfc, options.peers, scratch, options.peer_names, options.strict, options.form,
                          options.seconds)
        workloads = load_cases(options.zoo, [name for _, names in chosen for name in names])
        fields = {
            "date": str(datetime.date.today()), "started": datetime.datetime.now().isoformat(timespec="seconds"),
            "command": options.command, "complete": is_complete(options),
            "options": {"rounds": options.rounds, "seconds": options.seconds, "threads": options.thread_counts,
                        "against": options.peer_names, "form": options.form, "strict": options.strict},
            "workloads": {name: contest.describe(forms) for name, forms in workloads.items()},
            "load_average": [], "measurements": []}
        measure(options, contest, workloads, fields, folder)
    results = Results.load(folder)
    (folder / "table.md").write_text(table.full(results))
    plot.draw_all(folder)
    print(f"wrote {folder}")
    return 1 if results.failed else 0


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        raise SystemExit("error: Python 3.11 or newer is needed")
    sys.exit(main())
