# SPDX-License-Identifier: Apache-2.0
"""At the end of a run with --only or --lines: which of the patterns have matched nothing."""

import difflib as difflib  # now: what the program changes is not for us
import sqlite3
import sys
from contextlib import suppress

from pyusdt import unmatched
from pyusdt.errors import UserError, print_line
from pyusdt.recording import store


def print_unmatched(path: str, only: str, lines: str) -> None:
    """Print a line for each on stderr. Nothing is known as long as processes have still to write,
    or have written so much that it is not in the file."""
    with suppress(UserError, sqlite3.Error), store.opened(path) as it:
        if store.identity(it)[1]:
            return
        store.check_table(it, "functions")
        functions = {
            (str(m), str(q)) for m, q in it.execute("SELECT module, qualname FROM functions")
        }
        modules = [name for name in list(sys.modules) if type(name) is str]
        for option, wanted in (("--only", only), ("--lines", lines)):
            others = unmatched.of_modules(wanted)
            for message in unmatched.messages(option, wanted, functions, modules, others):
                print_line(message)
