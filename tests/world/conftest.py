# SPDX-License-Identifier: Apache-2.0
"""Tests with tools that only the second world has (tools/world): not collected anywhere else."""

from pathlib import Path

collect_ignore_glob = [] if Path("/etc/world-recipe").exists() else ["test_*.py"]
