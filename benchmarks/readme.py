"""Writes the README's table from the newest complete results in benchmarks/results:

    python3 benchmarks/readme.py [--check]

--check writes nothing, looks at the results that git tracks, and fails when the README says something else. Without
complete results the README is left as it is.
"""

import json
import pathlib
import subprocess
import sys

from report import table
from report.results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def all_results(root):
    return list(root.glob("benchmarks/results/*/results.json"))


def tracked_results(root):
    """Those that git tracks; so a new measurement does not make the README wrong."""
    done = subprocess.run(["git", "ls-files", "benchmarks/results/*/results.json"], cwd=root, capture_output=True,
                          text=True)
    return [root / line for line in done.stdout.splitlines() if (root / line).exists()]


def newest(files):
    """The folder with the newest complete results, or None."""
    found = {}
    for file in files:
        fields = json.loads(file.read_text())
        if fields["complete"]:
            found[fields["started"]] = file.parent
    return found[max(found)] if found else None


def replaced(text, block):
    """The text with another block between the marks."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"error: the README lacks the lines {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + block + END + after


def expected(root, files):
    """What the README has to say by the newest of some results."""
    text, folder = (root / "README.md").read_text(), newest(files)
    if not folder:
        return text
    return replaced(text, table.short(Results.load(folder), folder.relative_to(root)))


def main(arguments):
    if arguments not in ([], ["--check"]):
        return __doc__
    if not arguments:
        (ROOT / "README.md").write_text(expected(ROOT, all_results(ROOT)))
    elif (ROOT / "README.md").read_text() != expected(ROOT, tracked_results(ROOT)):
        return "error: the README's table is not that of the newest results; run `make bench-readme`"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
