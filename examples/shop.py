# SPDX-License-Identifier: Apache-2.0
"""A shop that checks out a few orders, and is slow with one kind of them."""

import time

PRICES = {"tea": 4, "coffee": 6, "cocoa": 5}


def price(item: str) -> int:
    return PRICES[item]


def wrap_gift() -> None:
    time.sleep(0.02)


def checkout(order: list[str]) -> int:
    if "cocoa" in order:
        wrap_gift()
    return sum(price(item) for item in order)


turnover = 0
for number in range(300):
    basket = ["tea", "coffee", "cocoa"] if number % 60 == 0 else ["tea", "coffee"]
    turnover += checkout(basket)
print("turnover", turnover)
