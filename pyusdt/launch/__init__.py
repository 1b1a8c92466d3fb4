# SPDX-License-Identifier: Apache-2.0
"""Running a program: `pyusdt [OPTIONS] SCRIPT`, and what its child processes join in."""
