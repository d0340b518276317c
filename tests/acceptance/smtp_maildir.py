#!/usr/bin/python3
"""aiosmtpd on a free loopback port, storing into a Maildir: smtp_maildir.py DIR [ok|slow]. Prints its port."""
import asyncio
import sys

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP


class Slow(Mailbox):
    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(0.02)
        return await super().handle_DATA(server, session, envelope)


async def main():
    handler = (Slow if len(sys.argv) > 2 and sys.argv[2] == "slow" else Mailbox)(sys.argv[1])
    if not asyncio.iscoroutinefunction(getattr(Mailbox, "handle_DATA", None)):
        handler = Mailbox(sys.argv[1])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
