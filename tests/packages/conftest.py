# SPDX-License-Identifier: Apache-2.0
"""These tests fetch packages: `make test-packages` runs them, and nothing else does."""

import os

collect_ignore_glob = [] if os.environ.get("PYUSDT_TEST_PACKAGES") else ["test_*.py"]
