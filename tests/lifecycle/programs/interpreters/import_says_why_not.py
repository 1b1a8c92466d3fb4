# SPDX-License-Identifier: Apache-2.0
import os

from interpreters import run

run(
    """if True:
    import os
    try:
        import pyusdt
    except ImportError as error:
        os.write(1, f"{error}\\n".encode())
    """,
    os.environ["LEGACY"] == "legacy",
)
