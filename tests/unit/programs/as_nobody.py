# SPDX-License-Identifier: Apache-2.0
"""The command line as another user; without a word, a process that waits. What it needs is imported
before: that user may not be allowed to read it."""

import argparse
import ctypes
import difflib
import locale
import os
import shutil
import sys

import rich.console
import rich.table
import rich.text

import pyusdt.commands.record
import pyusdt.commands.set
import pyusdt.commands.status
import pyusdt.main
import pyusdt.remote.attached
import pyusdt.report.console
import pyusdt.report.table

os.setgroups([])
os.setgid(int(os.environ["NOBODY"]))
os.setuid(int(os.environ["NOBODY"]))
PR_SET_DUMPABLE = 4
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)  # which setuid() has taken away
if sys.argv[1:]:
    pyusdt.main.console()
else:
    print("ready", flush=True)
    input()
