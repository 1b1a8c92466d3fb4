# SPDX-License-Identifier: Apache-2.0
import sys


def hook(kind, value, tb):
    raise RuntimeError("in the hook")


sys.excepthook = hook
raise ValueError(1)
