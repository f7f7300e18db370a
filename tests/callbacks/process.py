"""A process of an application: `consume`, or `finish` a list of keys in random order.

python -m tests.callbacks.process consume ENVIRONMENT STORE
python -m tests.callbacks.process finish ENVIRONMENT STORE KEY...
"""

import asyncio
import random
import sys

from workers.callbacks import Callbacks
from workers.errors import WorkersError

FAILS = "-fails"
"""How keys end whose tasks are failed."""


async def main(work: str, environment: str, store: str, *keys: str) -> None:
    async with Callbacks(environment, "shop", store=store, visibility=2) as callbacks:
        print("ready", file=sys.stderr)
        if work == "consume":
            await callbacks.consume()
        for key in random.sample(keys, len(keys)):
            while True:
                try:
                    if key.endswith(FAILS):
                        await callbacks.failure(key, f"Failed.{key}")
                    else:
                        await callbacks.success(key, {"key": key})
                    break
                except WorkersError as error:
                    print(error, file=sys.stderr)
                    await asyncio.sleep(0.1)
        print("finished", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
