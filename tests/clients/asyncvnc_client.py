"""asyncvnc_client.py PORT PASSWORD WORD FILE: types the word and saves the screen."""

import asyncio
import sys

import asyncvnc
from PIL import Image


async def main(port, password, word, path):
    async with asyncvnc.connect("127.0.0.1", int(port), password=password) as client:
        screen = await asyncio.wait_for(client.screenshot(), 20)
        Image.fromarray(screen).convert("RGB").save(path)
        client.keyboard.write(word)
        await client.drain()


asyncio.run(main(*sys.argv[1:]))
