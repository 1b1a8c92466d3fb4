# SPDX-License-Identifier: Apache-2.0
"""What is here for `python -m test` is not for pytest."""

collect_ignore = ["beside"]
