# SPDX-License-Identifier: Apache-2.0
import sys

print(sys.argv, sys.path[0], sys.flags)
for name, value in dict(globals()).items():
    print(name, type(value), value)
print(sys.modules["__main__"].__dict__ is globals(), vars(__builtins__)["len"] is len)
