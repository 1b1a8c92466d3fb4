# SPDX-License-Identifier: Apache-2.0
import asyncio

log = []


async def nap(n):
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        log.append(n)
        raise
    finally:
        await asyncio.sleep(0)


async def agen():
    try:
        for i in range(10):
            yield i
            await asyncio.sleep(0)
    finally:
        log.append("closed")


async def main():
    tasks = [asyncio.create_task(nap(n)) for n in range(5)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    print(len(await asyncio.gather(*tasks, return_exceptions=True)))
    async for i in agen():
        if i == 3:
            break
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)
    except TimeoutError:
        log.append("timeout")


asyncio.run(main())
print(log)
