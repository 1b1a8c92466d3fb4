# SPDX-License-Identifier: Apache-2.0
import io
import pdb
import sys

import __main__

output = io.StringIO()
backend = {"backend": "monitoring"} if sys.version_info >= (3, 14) else {}
commands = io.StringIO("continue\n" * 30)
debugger = pdb.Pdb(stdin=commands, stdout=output, nosigint=True, readrc=False, **backend)


def begin():
    debugger.set_break(__main__.__file__, __main__.work.__code__.co_firstlineno + 1)
    debugger.set_trace()


def end():
    getattr(debugger, "stop_trace", lambda: sys.settrace(None))()


def answer():
    return [line for line in output.getvalue().splitlines() if line.endswith("work()")]
