"""Virtual environments, one a family of tools, with the versions pinned in `requirements/`."""

import os
import pathlib
import shutil
import subprocess
import venv

REQUIREMENTS = pathlib.Path(__file__).resolve().parent / "requirements"


def python(root, family):
    """The interpreter of a family's environment."""
    return os.path.join(root, family, "bin", "python")


def prepare(root, families):
    """Makes the environments. One whose pins have not changed since is left alone."""
    for family in sorted(families):
        pins, stamp = REQUIREMENTS / f"{family}.txt", pathlib.Path(root, family, "installed.txt")
        if stamp.exists() and stamp.read_text() == pins.read_text():
            continue
        print(f"installing {family} into {stamp.parent}", flush=True)
        if not os.access(python(root, family), os.X_OK):
            venv.create(stamp.parent, with_pip=True)
        subprocess.run([python(root, family), "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "-r", str(pins)], check=True)
        shutil.copyfile(pins, stamp)
