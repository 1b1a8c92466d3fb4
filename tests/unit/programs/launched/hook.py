# SPDX-License-Identifier: Apache-2.0
import sys
import traceback


def hook(kind, value, tb):
    print("hook", kind, value, traceback.extract_tb(tb), sys.exc_info())
    print(tb is value.__traceback__, tb.tb_frame.f_globals is globals())


sys.excepthook = hook
raise ValueError(1)
