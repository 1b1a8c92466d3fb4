# SPDX-License-Identifier: Apache-2.0
"""An application of two modules, for filters."""
