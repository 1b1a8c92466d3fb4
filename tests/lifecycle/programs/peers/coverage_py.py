# SPDX-License-Identifier: Apache-2.0
import coverage

import __main__

cov = coverage.Coverage(data_file=None, include=[__main__.__file__])


def begin():
    cov.start()


def end():
    cov.stop()


def answer():
    return cov.get_data().lines(__main__.__file__)
