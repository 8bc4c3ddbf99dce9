"""Processes pinned to cores, with their time and peak memory."""

import concurrent.futures
import dataclasses
import json
import os
import subprocess
import tempfile
import time

TIME_LIMIT = 600


@dataclasses.dataclass
class Finished:
    """A process that has ended. `rss_mb` is at least the size of this script, which a new
    process has until it starts its program."""

    code: int
    output: str
    errors: str
    seconds: float
    rss_mb: float

    @property
    def why(self):
        """The last line of standard error."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"exit code {self.code}"

    @property
    def json(self):
        """The last line that is a JSON object, or else what is printed from the first brace on."""
        for line in reversed(self.output.splitlines()):
            if line.startswith("{") and line.endswith("}"):
                return json.loads(line)
        return json.loads(self.output[self.output.index("{"):])


def cores():
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0))


def run(command, threads=None, **more):
    """Runs a command, pinned to as many cores as it has threads."""
    if threads:
        command = ["taskset", "-c", ",".join(map(str, cores()[:threads]))] + command
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=errors, **more)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(os.wait4, process.pid, 0)
            try:
                _, status, usage = waiting.result(timeout=TIME_LIMIT)
            except concurrent.futures.TimeoutError:
                process.kill()
                _, status, usage = waiting.result()
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        return Finished(process.returncode, out.read(), errors.read(), seconds, usage.ru_maxrss / 1024)
