# SPDX-License-Identifier: Apache-2.0
from pyusdt import libpyusdt
from pyusdt.remote import control_requests

good = control_requests.request(only="a")
libpyusdt.check(good)
for bad in (
    good[:-1],
    good + b"x",
    b"",
    good[:4] + b"\xff" * 4 + good[8:],
    good[:8] + b"\x02" + good[9:],
):
    try:
        libpyusdt.change(bad)
    except ValueError as error:
        print(error)
