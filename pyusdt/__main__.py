# SPDX-License-Identifier: Apache-2.0
"""`python -m pyusdt`: the same program as the `pyusdt` script."""

from pyusdt.main import console

console()
