"""What the acceptance tests stand on: a real tocsin process, its API over HTTP, and a real SMTP server.

Only Python's standard library and Debian's python3-aiosmtpd. The program under test is $TOCSIN (default
build/asan/tocsin); where it is a sanitizer build, a report fails the test.
"""
import gzip
import http.cookiejar
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import openapi_check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOCSIN = os.environ.get("TOCSIN", os.path.join(ROOT, "build", "asan", "tocsin"))
RECORDING = os.path.join(ROOT, "ops", "demo", "recording")
SHARED = os.environ.get("TOCSIN_SHARED_DATA", os.path.join(ROOT, "..", "shared", "data"))
PASSWORD = "a long enough passphrase 17"
START_SECONDS = 240  # an index made again from the journal, under a sanitizer, on a busy machine


def seed():
    """A seed from TOCSIN_SEED, or a new one; printed, so that a failure can be repeated."""
    value = int(os.environ.get("TOCSIN_SEED", random.randrange(1 << 30)))
    print(f"seed {value}", file=sys.stderr)
    return value


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*arguments, stdin=None, timeout=300, env=None):
    """Runs `tocsin ARGUMENTS…` to its end."""
    return subprocess.run([TOCSIN, *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout,
                          env={**os.environ, **(env or {})})


def lines(output):
    """NDJSON as objects."""
    return [json.loads(line) for line in output.decode("utf-8").splitlines() if line]


class Folder:
    """A temporary folder, kept if TOCSIN_KEEP is set."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="tocsin-accept-")

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        if os.environ.get("TOCSIN_KEEP"):
            print("kept", self.path, file=sys.stderr)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


class Smtp:
    """A real SMTP server (aiosmtpd) that stores what it takes in a Maildir."""

    def __init__(self, maildir, manner="ok"):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(ROOT, "tests", "acceptance", "smtp_maildir.py"), maildir, manner],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Api:
    """A logged-in (or anonymous) user of the HTTP API."""

    def __init__(self, url):
        self.url = url
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.csrf = None

    def call(self, method, path, body=None, headers=None, raw=False):
        """(status, body as JSON). Errors are answers too."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers or {})
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        if self.csrf and method != "GET":
            request.add_header("X-CSRF-Token", self.csrf)
        try:
            with self.opener.open(request, timeout=60) as answer:
                content, status = answer.read(), answer.status
        except urllib.error.HTTPError as answer:
            content, status = answer.read(), answer.code
        if raw:
            return status, content
        answer = json.loads(content) if content else None
        openapi_check.check(method, path, status, answer)
        return status, answer

    def get(self, path):
        status, body = self.call("GET", path)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, body=None, expect=(200, 201)):
        status, answer = self.call("POST", path, body if body is not None else {})
        assert status in expect, (path, status, answer)
        return answer

    def claim(self, claim_url, login, name):
        token = claim_url.rsplit("/", 1)[1]
        answer = self.post("/v1/session/claim", {"token": token, "login": login, "name": name, "password": PASSWORD})
        self.csrf = answer["csrf"]
        return answer

    def login(self, login):
        answer = self.post("/v1/session", {"login": login, "password": PASSWORD})
        self.csrf = answer["csrf"]
        return answer


class Tocsin:
    """`tocsin serve`, started and watched."""

    def __init__(self, config, *more, env=None, stdin=subprocess.DEVNULL):
        self.config = config
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.err = tempfile.TemporaryFile()
        self.process = subprocess.Popen([TOCSIN, "serve", "--config", config, "--listen", f"127.0.0.1:{self.port}", *more],
                                        stdin=stdin, stdout=subprocess.PIPE, stderr=self.err, env={**os.environ, **(env or {})}, text=True)
        self.claim_url = None
        patience = threading.Timer(START_SECONDS, self.process.kill)
        patience.start()
        try:
            for line in self.process.stdout:
                found = re.search(r"First login .*: (\S+)", line)
                if found:
                    self.claim_url = found.group(1)
                if line.startswith("Ctrl-C"):
                    return
        finally:
            patience.cancel()
        self.process.wait(10)
        raise AssertionError("tocsin did not start:\n" + self.errors())

    def errors(self):
        self.err.seek(0)
        return self.err.read().decode("utf-8", "replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process.stdout.close()
        assert code == 0, f"exit status {code}\n" + self.errors()

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    def api(self):
        return Api(self.url)


def wait_for(condition, seconds=60, every=0.1):
    """Calls `condition` until it gives something true, and returns that."""
    deadline = time.time() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.time() > deadline:
            raise AssertionError("it did not happen in %d s" % seconds)
        time.sleep(every)


def write_config(folder, notices, sources=None, extra=""):
    """A configuration for the demo clinic in `folder`, with copies of the recording."""
    for name in ("postgresql.json", "clinic-app.log", "patients.csv"):
        if not os.path.exists(os.path.join(folder, name)):
            shutil.copy(os.path.join(RECORDING, name), folder)
    sources = sources if sources is not None else """
  - {name: clinic-db, description: the clinic's database, file: postgresql.json, format: pgaudit-json}
  - {name: clinic-app, description: the application log, file: clinic-app.log, format: text}"""
    path = os.path.join(folder, "tocsin.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"""organisation:
  name: Linden Clinic
  contact: privacy@linden-clinic.example
  phone: "+49 30 5550100"
  country: DE
  authority: Berlin Commissioner for Data Protection
data: data
sources: {sources}
datasets:
  - name: patient
    key: id
    register: patients.csv
    tables: {{patient: id, patient_contact: id, visit: patient_id}}
    columns: {{name: identity, email: contact, phone: contact, birth_date: identity, country: contact, language: contact,
      ward: health, reason: health, visited_on: health}}
notices:
  from: privacy@linden-clinic.example
{notices}
{extra}
""")
    return path


def text_of(mail_path):
    """The decoded body of a stored mail."""
    import email
    import email.policy
    with open(mail_path, "rb") as f:
        return email.message_from_binary_file(f, policy=email.policy.default)


def ids_of(spec):
    """"1-5,7" as a set of ids."""
    out = set()
    for part in filter(None, str(spec).split(",")):
        low, _, high = part.partition("-")
        out.update(range(int(low), int(high or low) + 1))
    return out


__all__ = [name for name in globals() if not name.startswith("_")]
