# SPDX-License-Identifier: Apache-2.0
"""tools/lint-layers passes this tree, and fails each one that breaks one of its rules."""

import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT

pytestmark = [pytest.mark.once, pytest.mark.apart]

# A tree in order: a file of each kind, and everything that is allowed.
GOOD = {
    "include/pyusdt_counts.h": "#include <stdint.h>\n",
    "include/usdt.h": "",
    "src/base/clock.h": "#include <time.h>\n",
    "src/base/clock.c": '#include "base/clock.h"\n',
    "src/probe/probes.h": '#include "base/clock.h"\n',
    "src/probe/probes.c": '#include "probe/probes.h"\n#include "usdt.h"\n',
    "src/probe/compat/compat_probes.c": '#include "usdt.h"\n',
    "src/python/textbuf.h": "/* Text.\n *\n * Private to: python, steps/mark.c\n */\n"
    "#include <Python.h>\n",
    "src/python/textbuf.c": '#include "python/textbuf.h"\n',
    "src/python/text.c": '#include "python/textbuf.h"\n',
    "src/steps/mark.c": '#include "python/textbuf.h"\n#include "pyusdt_counts.h"\n',
    "src/provider.h": "",
    "src/module.c": '#include "provider.h"\n#include "probe/probes.h"\n',
    "pyusdt/__init__.py": "def load():\n    from pyusdt import recording\n",
    "pyusdt/errors.py": "",
    "pyusdt/recording/__init__.py": "from pyusdt.recording.model import Recording\n",
    "pyusdt/recording/model.py": "import os\nfrom pyusdt.recording import store\n"
    "from ..errors import UserError\n",
    "pyusdt/recording/store.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
    "    from pyusdt.recording.model import Recording\n",
}

BAD = {
    "a circle of headers": (
        {"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/a.h"\n'},
        "src/: circle of includes: base/a -> base/b -> base/a",
    ),
    "a header that includes itself": (
        {"src/base/a.h": '#include "base/a.h"\n'},
        "src/: circle of includes: base/a -> base/a",
    ),
    "a circle of modules without a circle of files": (
        {
            "src/base/a.h": "",
            "src/base/a.c": '#include "base/a.h"\n#include "base/b.h"\n',
            "src/base/b.h": "",
            "src/base/b.c": '#include "base/c.h"\n',
            "src/base/c.h": "",
            "src/base/c.c": '#include "base/a.h"\n',
        },
        "src/: circle of includes: base/a -> base/b -> base/c -> base/a",
    ),
    "an include that goes up": (
        {"src/base/log.c": '#include "probe/probes.h"\n'},
        'src/base/log.c: includes "probe/probes.h", which goes up from base to probe',
    ),
    "an include of the top": (
        {"src/steps/mark.c": '#include "provider.h"\n'},
        'src/steps/mark.c: includes "provider.h", which goes up from steps to top',
    ),
    "an include that goes up from an interface": (
        {"include/pyusdt_counts.h": '#include "base/clock.h"\n'},
        'include/pyusdt_counts.h: includes "base/clock.h", which goes up from include to base',
    ),
    "Python.h": (
        {"src/base/log.c": "#  include <Python.h>\n"},
        "src/base/log.c: includes Python.h, and base does without an interpreter",
    ),
    "Python.h by way of a header": (
        {
            "src/calltree/nodes.c": '#include "calltree/nodes.h"\n',
            "src/calltree/nodes.h": '#include "pyusdt_counts.h"\n',
            "include/pyusdt_counts.h": "#include <Python.h>\n",
        },
        "src/calltree/nodes.c: includes Python.h by way of calltree/nodes.h, pyusdt_counts.h, "
        "and calltree does without an interpreter",
    ),
    "a private header outside": (
        {"src/steps/step.c": '#include "python/textbuf.h"\n'},
        'src/steps/step.c: includes "python/textbuf.h", which is private to python, steps/mark.c',
    ),
    "a private header of nobody": (
        {"src/base/log.h": "/* Private to: bass */\n"},
        "src/base/log.h: is private to bass, which is neither a layer nor a file of src/",
    ),
    "usdt.h": (
        {"src/probe/demand.c": '#include "usdt.h"\n'},
        'src/probe/demand.c: includes "usdt.h", which is for probe/probes.c, probe/compat',
    ),
    "a name without its layer": (
        {"src/base/log.c": '#include "clock.h"\n'},
        'src/base/log.c: includes "clock.h": write "layer/name.h"',
    ),
    "a name by a relative path": (
        {"src/probe/probes.c": '#include "../base/clock.h"\n'},
        'src/probe/probes.c: includes "../base/clock.h": write "layer/name.h"',
    ),
    "a source": (
        {"src/base/log.c": '#include "base/clock.c"\n'},
        'src/base/log.c: includes "base/clock.c": no header of src/ or include/',
    ),
    "a name in angle brackets": (
        {"src/base/log.c": "#include <base/clock.h>\n"},
        'src/base/log.c: includes <base/clock.h>, which is ours: write "base/clock.h"',
    ),
    "a folder that is no layer": (
        {"src/util/list.h": ""},
        "src/util/list.h: its folder is none of the layers base, probe, calltree, python, "
        "capture, memory, steps, control",
    ),
    "a circle in Python": (
        {"pyusdt/recording/store.py": "from pyusdt.recording.model import Recording\n"},
        "pyusdt/: circle of imports: pyusdt.recording.model -> pyusdt.recording.store -> "
        "pyusdt.recording.model",
    ),
    "a circle in Python through a function": (
        {"pyusdt/recording/store.py": "def f():\n    from .model import Recording\n"},
        "pyusdt/: circle of imports: pyusdt.recording.model -> pyusdt.recording.store -> "
        "pyusdt.recording.model",
    ),
    "a circle in Python through a package": (
        {"pyusdt/errors.py": "import pyusdt.recording\n"},
        "pyusdt/: circle of imports: pyusdt.errors -> pyusdt.recording -> "
        "pyusdt.recording.model -> pyusdt.errors",
    ),
}


def lint(root: Path) -> tuple[int, list[str]]:
    command = [sys.executable, str(ROOT / "tools" / "lint-layers"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_tree_in_order_is_drawn(tmp_path: Path) -> None:
    plant(tmp_path, GOOD)
    code, lines = lint(tmp_path)
    assert lines == [
        "src/, the lowest layer first:",
        "  include   pyusdt_counts usdt",
        "  base      clock",
        "  probe     compat/compat_probes probes  (uses include, base)",
        "  python    text textbuf",
        "  steps     mark  (uses include, python)",
        "  top       module provider  (uses probe)",
        "pyusdt/, what imports the least first:",
        "  pyusdt.recording  __init__ model store  (uses pyusdt)",
        "  pyusdt            __init__ errors  (uses pyusdt.recording)",
        "no circles",
    ]
    assert code == 0


@pytest.mark.parametrize("files, fault", BAD.values(), ids=BAD)
def test_a_broken_rule_fails(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    plant(tmp_path, GOOD | files)
    code, lines = lint(tmp_path)
    assert code == 1
    assert fault in lines
    assert "no circles" not in lines


def test_this_tree_is_in_order() -> None:
    code, lines = lint(ROOT)
    assert lines[-1] == "no circles"
    assert code == 0
