# SPDX-License-Identifier: Apache-2.0
import dataclasses
import typing


@dataclasses.dataclass
class Record:
    value: "Record | None" = None  # found by its name in this module


number: int = 1
print(Record(), typing.get_type_hints(Record), __annotations__)
