"""tocsin scan over directories as they are found: what cannot be read, what is no text, links in circles, pipes, sockets,
files that change while they are read. Each is named on standard error, counted, and shows in the exit status; nothing waits
for ever. Standard output stays data."""
import gzip
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

TOCSIN = os.environ["TOCSIN"]
LEAK = b"login user=anna password=hunter2canary\n"
NOBODY = 65534


class Scan(unittest.TestCase):
    def setUp(self):
        # As nobody where the tests run as root, who may read everything.
        self.folder = tempfile.mkdtemp(prefix="tocsin-scan-")
        os.chmod(self.folder, 0o777)

    def tearDown(self):
        subprocess.run(["chmod", "-R", "u+rwx", self.folder], check=False)
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data=LEAK):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def scan(self, *words, stdin=subprocess.DEVNULL, timeout=60):
        root = os.geteuid() == 0
        done = subprocess.run([TOCSIN, "scan", "--data", "/nonexistent", *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout, cwd="/", preexec_fn=(lambda: os.setuid(NOBODY)) if root else None, env={**os.environ, "LSAN_OPTIONS": "detect_leaks=0"})
        return done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "surrogateescape")

    def test_what_may_not_be_read_is_named_and_fails_the_run(self):
        self.write("d/open.log", b"all is well\n")
        os.chmod(self.write("d/closed.log"), 0)
        self.write("d/closed/a.log")
        os.chmod(self.path("d/closed"), 0)
        status, out, err = self.scan("--json", self.path("d"))
        self.assertEqual(status, 3)
        self.assertIn("closed.log: cannot be opened: Permission denied", err)
        self.assertIn("d/closed: cannot be listed: Permission denied", err)
        self.assertIn("not scanned: 2 could not be read", err)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([set(line) for line in lines], [{"file", "error"}] * 2)
        # What was found elsewhere is told, and the status is the failure's.
        self.write("d/open.log")
        status, out, _ = self.scan("--json", self.path("d"))
        self.assertEqual((status, [json.loads(line).get("rule") for line in out.splitlines()]), (3, ["tocsin.password-field", None, None]))
        sarif = json.loads(self.scan("--sarif", self.path("d"))[1])["runs"][0]["invocations"][0]
        told = sarif["toolExecutionNotifications"]
        self.assertEqual((sarif["executionSuccessful"], [n["level"] for n in told]), (False, ["error", "error"]))
        self.assertTrue(told[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///"), told)

    def test_what_is_passed_over_on_purpose_is_named_and_does_not_fail(self):
        self.write("d/a.log")
        self.write("d/x.bin", b"\x7fELF\0\0" + LEAK)
        self.write("d/old.zst", b"\x28\xb5\x2f\xfd" + LEAK)
        self.write("d/old.xz", b"\xfd7zXZ\0" + LEAK)
        self.write("d/old.bz2", b"BZh91AY&SY" + LEAK)
        self.write("d/ps.log", LEAK.decode().encode("utf-16"))
        self.write("d/.git/config")
        os.mkfifo(self.path("d/pipe"))
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.path("d/socket"))
        self.addCleanup(unix.close)
        os.symlink("nowhere", self.path("d/dangling"))
        status, out, err = self.scan("--json", self.path("d"))
        self.assertEqual((status, len(out.splitlines())), (1, 1), err)
        for words in ("x.bin: binary, passed over", "old.zst: compressed by zstd", "old.xz: compressed by xz", "old.bz2: compressed by bzip2", "ps.log: UTF-16",
                      "pipe: a pipe", "socket: a socket", "dangling: a link; --follow", ".git: git's own files"):
            self.assertIn(words, err)
        self.assertIn("not scanned: 1 binary, 3 compressed otherwise than by gzip, 1 in UTF-16, 1 behind links (--follow reads them), "
                      "2 pipes, sockets and devices, 1 git's own\n", err)
        sarif = json.loads(self.scan("--sarif", self.path("d"))[1])["runs"][0]["invocations"][0]
        self.assertEqual((sarif["executionSuccessful"], len(sarif["toolExecutionNotifications"]), sarif["exitCode"]), (True, 9, 1))
        _, out, _ = self.scan("--json", "--explain", self.path("d"))
        self.assertEqual(sum("passed_over" in json.loads(line) for line in out.splitlines()), 9)
        # Of many of one kind the first are named.
        for i in range(9):
            self.write(f"d/{i}.bin", b"\0" + LEAK)
        _, _, err = self.scan("--json", self.path("d"))
        self.assertEqual(err.count(": binary, passed over"), 5)
        self.assertIn("1 git's own (--explain names each)\n", err)
        self.assertEqual(self.scan("--json", "--explain", self.path("d"))[2].count(": binary, passed over"), 10)
        # Named, what could find nothing is a failure, not a clean bill.
        for name in ("old.zst", "ps.log"):
            self.assertEqual(self.scan(self.path("d/" + name))[0], 3, name)
        self.assertEqual(self.scan(self.path("d/x.bin"))[0], 1)

    def test_links_are_followed_once_and_circles_end(self):
        self.write("pods/web/0.log")
        os.makedirs(self.path("containers"))
        os.symlink("../pods/web/0.log", self.path("containers/web.log"))
        os.symlink("web.log", self.path("containers/web2.log"))
        os.symlink(".", self.path("containers/round"))
        os.symlink("..", self.path("containers/up"))
        os.symlink("self", self.path("containers/self"))
        os.symlink("nowhere", self.path("containers/dangling"))
        status, out, err = self.scan("--json", self.path("containers"))
        self.assertEqual((status, out), (0, ""), "links are not followed unless asked")
        self.assertIn("6 behind links", err)
        status, out, err = self.scan("--json", "--follow", self.path("containers"))
        found = [line for line in map(json.loads, out.splitlines()) if "rule" in line]
        self.assertEqual(len(found), 1, out)
        self.assertIn("self: a link that cannot be followed: Too many levels", err)
        self.assertIn("dangling: a link that leads to nothing", err)
        self.assertIn("round: a directory where the walk has been", err)
        self.assertEqual(status, 3, "a link to itself could not be read")

    def test_gzip_is_read_and_a_bomb_ends(self):
        self.write("app.log.1.gz", gzip.compress(b"x\n" * 1000 + LEAK) + gzip.compress(LEAK))  # two members, as appended logs have
        status, out, _ = self.scan("--json", self.folder)
        self.assertEqual((status, [json.loads(line)["line"] for line in out.splitlines()]), (1, [1001, 1002]))
        with gzip.open(self.path("bomb.gz"), "wb", compresslevel=9) as bomb:
            for _ in range(300):
                bomb.write(b"a" * (1 << 20))
        status, _, err = self.scan(self.path("bomb.gz"))
        self.assertEqual(status, 3)
        self.assertRegex(err, "bomb.gz: unpacks to more than 400 times its size: read no further than (25|26)[0-9] MiB")
        os.truncate(self.path("app.log.1.gz"), 30)
        self.assertEqual(self.scan(self.path("app.log.1.gz"))[0], 3)

    def test_names_that_are_not_text(self):
        os.mkdir(self.path("d"))
        for name in (b"caf\xe9.log", b"new\nline.log", b"\x1b[31mred.log"):
            with open(os.path.join(os.fsencode(self.path("d")), name), "wb") as file:
                file.write(LEAK)
        status, out, err = self.scan("--json", self.path("d"))
        self.assertEqual((status, len([json.loads(line) for line in out.splitlines()])), (1, 3), err)
        _, out, _ = self.scan(self.path("d"))
        self.assertEqual(len(out.splitlines()), 3)
        self.assertNotIn("\x1b", out)
        uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in json.loads(self.scan("--sarif", self.path("d"))[1])["runs"][0]["results"]]
        self.assertTrue(any(uri.endswith("caf%E9.log") for uri in uris), uris)

    def test_files_that_change_while_they_are_read(self):
        # The reader is stopped by its full pipe after the first findings, so that the file changes under it for certain.
        def begin(path):
            process = subprocess.Popen([TOCSIN, "scan", "--json", "--data", "/nonexistent", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", bufsize=0)
            self.assertTrue(process.stdout.read(1))
            return process
        many = LEAK * 2000 + b"all is well\n" * 500_000
        log = self.write("app.log", many)
        process = begin(log)
        os.truncate(log, len(LEAK) * 100)
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 3)
        self.assertIn(b"app.log: became shorter while it was read", err)
        # One that grows is read to where it ends then; what vanished after the walk saw it is a failure.
        log = self.write("d/0.log", many)
        gone = self.write("d/1.log")
        process = begin(self.path("d"))
        with open(log, "ab") as file:
            file.write(LEAK)
        os.remove(gone)
        out, err = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out.count(b'"rule"')), (3, 2001))
        self.assertIn(b"1.log: cannot be opened: No such file", err)

    def test_named_pipes_are_read_and_devices_too(self):
        os.mkfifo(self.path("pipe"), 0o666)
        os.chmod(self.path("pipe"), 0o666)
        def write():
            with open(self.path("pipe"), "wb") as pipe:
                pipe.write(LEAK)
        writer = threading.Thread(target=write)
        writer.start()
        self.assertEqual(self.scan(self.path("pipe"))[0], 1)
        writer.join()
        self.assertEqual(self.scan("/dev/null")[0], 0)
        self.assertEqual(self.scan("/proc/self/mem")[0], 3, "reading fails")

    def test_sparse_files_and_deep_directories(self):
        with open(self.path("holes.log"), "wb") as file:
            file.write(LEAK)
            file.seek(64 << 20)
            file.write(b"\n" + LEAK)
        status, out, _ = self.scan("--json", self.path("holes.log"))
        self.assertEqual((status, len(out.splitlines())), (1, 2))
        deep = "/".join(["d"] * 70)
        self.write("deep/" + deep + "/a.log")
        self.write("deep/a.log")
        status, out, err = self.scan("--json", self.path("deep"))
        self.assertEqual((status, sum('"rule"' in line for line in out.splitlines())), (3, 1))
        self.assertIn("lies more than 64 directories deep", err)

    def test_nothing_is_said_where_all_was_read(self):
        self.write("d/a.log", b"all is well\n")
        started = time.monotonic()
        self.assertEqual(self.scan("--json", self.path("d")), (0, "", ""))
        self.assertLess(time.monotonic() - started, 20)


if __name__ == "__main__":
    unittest.main()
