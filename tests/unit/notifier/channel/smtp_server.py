#!/usr/bin/python3
"""A real SMTP server (aiosmtpd) on a free loopback port, with the manners that a test asks for.

Prints "PORT" on its first line. Each accepted message is appended to FILE as one JSON line. Manners:
ok, reject-rcpt (550), later (451 after DATA), drop-after-data (takes the message, then dies before answering),
hang (accepts the connection and says nothing).  With --cert/--key it offers STARTTLS and requires it.
"""
import argparse
import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, manner, path):
        self.manner, self.path = manner, path

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.manner == "reject-rcpt":
            return f"550 5.1.1 <{address}> no such person here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        if self.manner == "later":
            return "451 4.3.0 come back later"
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                                "data": envelope.content.decode("utf-8", "replace")}) + "\n")
            f.flush()
            os.fsync(f.fileno())
        if self.manner == "drop-after-data":
            server.transport.abort()
            return "250 never seen"
        return "250 2.0.0 Ok: queued"


class Silent(asyncio.Protocol):
    pass


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--manner", default="ok")
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--cert")
    arguments.add_argument("--key")
    a = arguments.parse_args()
    context = None
    if a.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(a.cert, a.key)
    loop = asyncio.get_running_loop()

    def factory():
        if a.manner == "hang":
            return Silent()
        return SMTP(Handler(a.manner, a.out), hostname="localhost", tls_context=context, require_starttls=context is not None,
                    enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(factory, "127.0.0.1", a.port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # ends when the test closes our standard input


asyncio.run(main())
