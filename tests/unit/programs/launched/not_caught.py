# SPDX-License-Identifier: Apache-2.0
import traceback

try:
    raise ValueError
except ValueError as error:
    print(traceback.format_exc())
    print(len(traceback.extract_tb(error.__traceback__)))
