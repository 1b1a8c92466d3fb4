# SPDX-License-Identifier: Apache-2.0
"""python -m docs [man]: build the site, or write the man pages."""

import os
import subprocess
import sys

from docs import ROOT, man


def main(words: list[str]) -> int:
    if words == ["man"]:
        man.write()
        return 0
    if words:
        print("usage: python -m docs [man]", file=sys.stderr)
        return 2
    # Material's banner about another project is not a warning about these pages.
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = ["mkdocs", "build", "--quiet", "--strict", "--clean"]
    code = subprocess.call(
        [sys.executable, "-m", *command, "--config-file", "docs/mkdocs.yml"],
        cwd=ROOT,
        env=environment,
    )
    if code == 0:
        print("docs: .cache/docs/index.html")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
