# SPDX-License-Identifier: Apache-2.0
def inner():
    raise KeyError("inner")


try:
    inner()
except KeyError as error:
    try:
        raise ValueError("middle") from error
    except ValueError:
        raise TypeError("outer")
