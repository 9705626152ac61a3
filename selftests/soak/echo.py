#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server that sends back what it gets, on the TCP ports named, for IPv4 and IPv6."""
import asyncio
import sys


async def serve(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main():
    for port in sys.argv[1:]:
        await asyncio.start_server(serve, ["0.0.0.0", "::"], int(port), backlog=1024)
    await asyncio.Event().wait()

asyncio.run(main())
