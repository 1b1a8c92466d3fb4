# SPDX-License-Identifier: Apache-2.0
import sys

import pyusdt

try:
    pyusdt.configure(**eval(f"dict({sys.argv[1]})"))
except Exception as error:
    print(f"{type(error).__name__}: {error}")
status = pyusdt.status()
assert (status["only"], status["exclude"], status["values"]) == ("", "", "safe")
assert status["slow_usec"] == 10_000
