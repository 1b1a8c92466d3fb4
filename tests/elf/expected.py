# SPDX-License-Identifier: Apache-2.0
"""What each probe of programs/kinds.c must look like: sizes for its note, values for a tracer."""

from __future__ import annotations

# provider "kinds": name: (size, negative if signed; value, or a word that the program prints).
# A bit-field has its own type in gcc's C, as wide as it needs, and the declared one elsewhere.
KINDS: dict[str, tuple[int | set[int], int | str]] = {
    "s8": (-1, -8),
    "u8": (1, 200),
    "s16": (-2, -1600),
    "u16": (2, 60000),
    "s32": (-4, -320000),
    "u32": (4, 4000000000),
    "s64": (-8, -64000000000000),
    "u64": (8, 2**64 - 1),
    "ll": (-8, -5),
    "ull": (8, 5),
    "plain_char": (-1, ord("A")),
    "boolean": (1, 1),
    "plain_enum": (4, 2),
    "signed_enum": (-4, -40),
    "expression": (-4, 320200),
    "conditional": (-8, -1600),
    "bit_u3": ({1, 4}, 5),
    "bit_s5": ({-1, -4}, -9),
    "bit_bool": (1, 1),
    "bit_u40": (8, 0xF123456789),
    "constant": (-4, 42),
    "negative": (-4, -1),
    "large": (-8, 0x123456789ABC),
    "cast": (1, 0xFF),
    "named": (-2, -7),
    "incomplete": (8, 0),
    "pointer_void": (8, "numbers"),
    "pointer_const": (8, "numbers"),
    "pointer_function": (8, "function"),
    "function": (8, "function"),
    "array": (8, "numbers"),
}

# provider "kinds": arguments that are literals, on x86-64
CONSTANTS = {
    "constant": ("-4@$42",),
    "negative": ("-4@$-1",),
    "large": ("-8@$20015998343868",),
}

# provider "text": what lies where the pointer points
TEXTS = {"literal": "a literal", "array": "on the stack A", "inner": "the stack A"}

# provider "arity". The values are those that bpftrace 0.17 can read on x86-64: of six arguments.
MIXED = (-1, 8, -2, 4, -8, 1, 2, -4, -4, 8, 1, 8)
MIXED_VALUES = [KINDS[kind][1] for kind in ("s8", "u64", "s16", "u32", "s64", "u8")]
ARITIES = {f"a{n}": (-4,) * n for n in range(12)} | {"a12": MIXED}


def check_kinds(sizes: dict[str, tuple[int, ...]], plain_char: int = -1) -> None:
    """Compare the sizes of provider "kinds" with the table. Plain char is unsigned on aarch64."""
    assert sizes.keys() == KINDS.keys()
    for name, (wanted, _) in KINDS.items():
        choice = wanted if isinstance(wanted, set) else {wanted}
        if name == "plain_char":
            choice = {plain_char}
        assert sizes[name] in {(size,) for size in choice}, name
