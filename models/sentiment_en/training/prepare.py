"""Stage: vaderSentiment's source distribution → snippets.tar.gz, the rated snippets inside it.

A wheel does not hold them. pip checks the digest of what it downloads, and builds nothing of it
that is used.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
INSIDE = "additional_resources/hutto_ICWSM_2014.tar.gz"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        argv = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary=:all:",
        ]
        argv += ["--require-hashes", "--requirement", str(HERE / "snippets.lock"), "--dest", folder]
        subprocess.run(argv, check=True)
        (distribution,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(distribution) as archive:
            name = next(name for name in archive.getnames() if name.endswith(INSIDE))
            member = archive.extractfile(name)
            assert member is not None
            (HERE / "snippets.tar.gz").write_bytes(member.read())


if __name__ == "__main__":
    main()
