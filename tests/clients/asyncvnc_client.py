"""asyncvnc_client.py PORT PASSWORD WORD X Y FILE: clicks and types, and goes on saving the screen."""

import asyncio
import sys

import asyncvnc

import latest


async def main(port, password, word, x, y, path):
    async with asyncvnc.connect("127.0.0.1", int(port), password=password or None) as client:
        latest.save(await client.screenshot(), path)
        client.mouse.move(int(x), int(y))
        client.mouse.click()
        client.keyboard.write(word)
        await client.drain()
        while True:
            latest.save(await client.screenshot(), path)
            await asyncio.sleep(0.05)


asyncio.run(main(*sys.argv[1:]))
