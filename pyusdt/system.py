# SPDX-License-Identifier: Apache-2.0
"""The system as it is, whatever the program makes of it: modules with all that they had when pyusdt
was imported.

Tests replace functions of os, time and others (unittest.mock), whole modules (pyfakefs), and the
clock (freezegun). What a recorder does must not go wrong by that, and not be counted as a call of a
mock. So what runs in a recorded process takes these modules from here.
"""

TYPE_CHECKING = False  # what type checkers take for true, without importing typing
if TYPE_CHECKING:
    import io as io
    import os as os
    import time as time
else:
    import sys as _sys
    from types import FunctionType as _Function
    from types import SimpleNamespace as _Copy

    def copy_of(name):
        """Not a module, so that nobody takes it for one that is to be replaced."""
        __import__(name)
        return _Copy(**vars(_sys.modules[name]))

    def _copy_of_path(os):
        """Its functions in Python, too, use this `os`."""
        scope = {}
        for module in ("genericpath", "posixpath"):
            for name, value in vars(_sys.modules[module]).items():
                scope[name] = value
                if isinstance(value, _Function):
                    scope[name] = _Function(
                        value.__code__, scope, name, value.__defaults__, value.__closure__
                    )
                    scope[name].__kwdefaults__ = value.__kwdefaults__
        scope["os"] = os
        return _Copy(**scope)

    io, os, time = map(copy_of, ("_io", "os", "time"))  # io itself may not be imported yet
    os.path = _copy_of_path(os)

__all__ = ["io", "os", "time"]
