"""Bad input: each gives a clear message that names place and remedy; nothing is lost and nothing crashes."""
from harness import *

GOOD = '{"eventVersion":"1.08","eventID":"e-%d","eventTime":"2026-11-23T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject",' \
       '"userIdentity":{"type":"IAMUser","userName":"ada","arn":"arn:aws:iam::123456789012:user/ada"},"sourceIPAddress":"192.0.2.1",' \
       '"requestParameters":{"bucketName":"b","key":"k"}}'


class Decoding(unittest.TestCase):
    def decode(self, content, *more, name="input.log"):
        with Folder() as folder:
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(content)
            done = run("decode", "--json", *more, path)
            self.assertIn(done.returncode, (0, 1), done.stderr.decode())
            return done, lines(done.stdout)

    def test_a_truncated_gzip_gives_what_was_before_the_damage(self):
        whole = gzip.compress("\n".join(GOOD % i for i in range(5000)).encode() + b"\n")
        done, out = self.decode(whole[: len(whole) * 2 // 3], "--format", "cloudtrail")
        self.assertEqual(done.returncode, 1)
        self.assertGreater(len([o for o in out if "error" not in o]), 100)
        self.assertRegex(done.stderr.decode(), r"gzip|compressed|truncated|ends")

    def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory(self):
        import resource
        with Folder() as folder:
            path = os.path.join(folder, "huge.json")
            with open(path, "wb") as f:
                f.write((GOOD % 1).encode() + b"\n" + b'{"a":"')
                f.seek((1 << 30), os.SEEK_CUR)  # a hole: zeros that cost no disk
                f.write(b'"}\n' + (GOOD % 2).encode() + b"\n")
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            done = run("decode", "--json", "--format", "cloudtrail", path, timeout=600)
            out = lines(done.stdout)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len([o for o in out if "error" not in o]), 2)
            self.assertEqual(len([o for o in out if "error" in o]), 1)
            self.assertEqual([o["line"] for o in out], [1, 2, 3])
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            self.assertLess(peak - min(before, peak), 800 * 1024, "kB")

    def test_deep_json_and_bad_utf8_are_errors_of_their_line(self):
        deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
        done, out = self.decode((GOOD % 1).encode() + b"\n" + deep + b"\n" + (GOOD % 2).replace("ada", "\xff\xfe").encode("latin-1") + b"\n" +
                                (GOOD % 3).encode() + b"\n", "--format", "cloudtrail")
        good = [o for o in out if "error" not in o]
        bad = [o for o in out if "error" in o]
        self.assertEqual([b["line"] for b in bad][:1], [2])
        self.assertIn(4, [g["line"] for g in good])
        self.assertTrue(all(b["error"] for b in bad))

    def test_a_file_of_nothing_known_says_which_formats_there_are(self):
        done, _ = self.decode(b"\x00\x01\x02 nothing\n" * 10)
        self.assertEqual(done.returncode, 1)
        self.assertIn("pgaudit", done.stderr.decode())

    def test_an_unreadable_or_missing_file_is_named(self):
        done = run("decode", "--json", "/nowhere/at/all.json")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nowhere/at/all.json", done.stderr.decode())
        done = run("replay", "--json", "/nowhere/at/all.json")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nowhere/at/all.json", done.stderr.decode())


class Configuration(unittest.TestCase):
    def test_a_wrong_key_is_named_with_line_and_remedy_and_nothing_starts(self):
        with Folder() as folder:
            path = os.path.join(folder, "tocsin.yml")
            with open(path, "w", encoding="utf-8") as f:
                f.write("lisen: 127.0.0.1:1\nsources:\n  - {name: a, fil: b}\n")
            done = run("config", "check", path)
            self.assertEqual(done.returncode, 1)
            text = done.stdout.decode()
            self.assertIn("tocsin.yml:1: unknown key 'lisen' (did you mean 'listen'?)", text)
            self.assertIn(":3: unknown key 'fil' (did you mean 'file'?)", text)
            started = run("serve", "--config", path)
            self.assertEqual(started.returncode, 1)
            self.assertIn("nothing was started", started.stderr.decode())

    def test_a_rule_with_a_syntax_error_is_refused_by_name_and_the_rest_load(self):
        with Folder() as folder:
            rules = os.path.join(folder, "rules")
            os.mkdir(rules)
            with open(os.path.join(rules, "bad.yml"), "w", encoding="utf-8") as f:
                f.write("title: Broken\nlogsource: {category: data_access}\ndetection:\n  sel: {actor: x}\n  condition: sel and (nothing\n")
            with open(os.path.join(rules, "good.yml"), "w", encoding="utf-8") as f:
                f.write("title: Good\nid: 0c1b7a0e-6e1c-4b3e-9d55-6a1d50f9c001\nlogsource: {category: data_access}\ndetection:\n  sel: {actor: mallory}\n  condition: sel\n")
            done = run("rules", "check", "--json", rules)
            self.assertEqual(done.returncode, 1)
            by_title = {r["title"]: r for r in lines(done.stdout)}
            self.assertEqual(by_title["Broken"]["status"], "rejected")
            self.assertTrue(by_title["Broken"]["code"] and by_title["Broken"]["message"] and by_title["Broken"]["line"])
            self.assertEqual(by_title["Good"]["status"], "ok")
            config = write_config(folder, "  channel: mailbox", extra="rules: {sigma: [rules]}")
            out = run("replay", "--config", config, "--json", os.path.join(folder, "postgresql.json"))
            self.assertIn("Broken", out.stderr.decode())
            self.assertTrue([f for f in lines(out.stdout) if f["title"].startswith("Good")])

    def test_a_taken_address_and_a_second_start_say_what_to_do(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox")
            with Tocsin(config) as server:
                again = run("serve", "--config", config, "--listen", "127.0.0.1:0", timeout=60)
                self.assertNotEqual(again.returncode, 0)
                self.assertIn("another tocsin uses this data directory", again.stderr.decode())
                other = run("serve", "--config", config, "--data", os.path.join(folder, "other"), "--listen", f"127.0.0.1:{server.port}", timeout=60)
                self.assertNotEqual(other.returncode, 0)
                self.assertIn(str(server.port), other.stderr.decode())


class Serving(unittest.TestCase):
    def start(self, folder, notices="  channel: mailbox", **more):
        server = Tocsin(write_config(folder, notices, **more))
        admin = server.api()
        admin.claim(server.claim_url, "anna", "Anna")
        return server, admin

    def test_bad_bodies_are_refused_and_store_nothing(self):
        with Folder() as folder:
            server, admin = self.start(folder, sources=" []")
            with server:
                token = admin.post("/v1/tokens", {"name": "shipper", "roles": ["shipper"]})["token"]
                anyone = server.api()
                headers = {"Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"}
                whole = gzip.compress((GOOD % 1).encode() * 200)
                url = "/v1/events?source=s&format=cloudtrail"
                status, answer = anyone.call("POST", url, whole[:-20], {**headers, "Content-Encoding": "gzip"})
                self.assertEqual(status, 400, answer)
                self.assertIn("gzip", json.dumps(answer))
                bomb = gzip.compress(b"0" * (200 << 20))
                status, answer = anyone.call("POST", url, bomb, {**headers, "Content-Encoding": "gzip"})
                self.assertEqual(status, 413, answer)
                status, answer = anyone.call("POST", "/v1/events?source=s&format=nonsense", b"{}", headers)
                self.assertEqual(status, 400, answer)
                self.assertIn("cloudtrail", json.dumps(answer))
                status, answer = anyone.call("POST", url, b"{}", {"Authorization": "Bearer wrong"})
                self.assertEqual(status, 401, answer)
                body = ((GOOD % 7) + "\nnot json\n" + (GOOD % 8) + "\n").encode()
                status, answer = anyone.call("POST", url, body, headers)
                self.assertEqual((status, answer["accepted"]), (200, 3), answer)
                rejects = wait_for(lambda: admin.get("/v1/sources/s/rejects")["items"])
                self.assertEqual(rejects[0]["line"], 2)
                self.assertTrue(rejects[0]["error"])

    def test_standard_input_is_a_source_and_stopping_does_not_wait_for_its_writer(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources='\n  - {name: piped, file: "-"}')
            with Tocsin(config, stdin=subprocess.PIPE) as server:
                admin = server.api()
                admin.claim(server.claim_url, "anna", "Anna")
                for i in range(20):
                    server.process.stdin.write((GOOD % i) + "\n")
                server.process.stdin.flush()
                wait_for(lambda: [s for s in admin.get("/v1/sources")["items"] if s["name"] == "piped" and s["decoded"] == 20])
                started = time.time()
                server.stop()  # the pipe is still open
                self.assertLess(time.time() - started, 15)
                server.process.stdin.close()

    def test_an_smtp_server_that_refuses_or_is_not_there_loses_nothing(self):
        with Folder() as folder:
            port = free_port()
            server, admin = self.start(folder, f"  channel: smtp\n  smtp: {{host: 127.0.0.1, port: {port}, tls: none, timeout_seconds: 2}}")
            with server:
                link = admin.post("/v1/users", {"login": "bela", "name": "Bela", "roles": ["approver"]})["claim_url"]
                approver = server.api()
                approver.claim(link, "bela", "Bela")
                alert = wait_for(lambda: next((a for a in admin.get("/v1/alerts")["items"] if a["actor"] == "mallory" and a["kind"] == "export"), None))
                incident = admin.post(f"/v1/alerts/{alert['id']}/incident", {"reason": "theft", "confirm": True})["incident"]
                number = incident["id"] if isinstance(incident, dict) else incident
                notice = admin.post(f"/v1/incidents/{number}/notices", {"language": "en"})
                body = re.sub(r"\[Write here[^\]]*\]", "We have locked the account.", notice["body"])
                admin.call("PUT", f"/v1/notices/{notice['id']}", {"subject": notice["subject"], "body": body})
                notice = admin.post(f"/v1/notices/{notice['id']}/submit")
                approver.post(f"/v1/notices/{notice['id']}/approve", {"hash": notice["hash"]})
                admin.post(f"/v1/notices/{notice['id']}/send")
                stuck = wait_for(lambda: (lambda n: n if n.get("trouble") else None)(admin.get(f"/v1/notices/{notice['id']}")))
                self.assertIn(str(port), stuck["trouble"])
                self.assertEqual(stuck["progress"]["failed"], 0)
                self.assertEqual(stuck["progress"]["sent"], 0)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk_refuses_and_recovers(self):
        with Folder() as folder:
            data = os.path.join(folder, "data")
            os.mkdir(data)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", data], capture_output=True).returncode != 0:
                self.skipTest("a small file system cannot be mounted here")
            try:
                server, admin = self.start(folder, sources=" []")
                with server:
                    token = admin.post("/v1/tokens", {"name": "shipper", "roles": ["shipper"]})["token"]
                    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"}
                    shipper = server.api()
                    filler = os.path.join(data, "filler")
                    with open(filler, "wb", buffering=0) as f:
                        try:
                            while True:
                                f.write(b"0" * 65536)
                                f.flush()
                        except OSError:
                            pass
                    refused, accepted = None, 0
                    for batch in range(200):
                        body = "\n".join(GOOD % (batch * 100 + i) for i in range(100)).encode()
                        status, answer = shipper.call("POST", "/v1/events?source=s&format=cloudtrail", body, headers)
                        if status == 200:
                            accepted += answer["accepted"]
                        else:
                            refused = (status, answer, body)
                            break
                    self.assertIsNotNone(refused)
                    self.assertIn(refused[0], (503, 507), refused[1])
                    self.assertTrue(refused[1].get("detail"), refused[1])
                    os.remove(filler)
                    def again():
                        status, answer = shipper.call("POST", "/v1/events?source=s&format=cloudtrail", refused[2], headers)
                        return answer if status == 200 else None
                    answer = wait_for(again)
                    self.assertEqual(answer["accepted"] + answer["duplicates"], 100)
            finally:
                subprocess.run(["umount", "-l", data], capture_output=True)


class Ledger(unittest.TestCase):
    def test_one_flipped_byte_or_a_truncation_is_named(self):
        rng = random.Random(seed())
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox")
            with Tocsin(config) as server:
                admin = server.api()
                admin.claim(server.claim_url, "anna", "Anna")
                for i in range(12):
                    admin.post("/v1/tokens", {"name": f"t{i}", "roles": ["shipper"]})
            data = os.path.join(folder, "data")
            verify = lambda: run("ledger", "verify", "--data", data)
            self.assertEqual(verify().returncode, 0, verify().stderr)
            files = [os.path.join(root, name) for root, _, names in os.walk(os.path.join(data, "ledger")) for name in names]
            self.assertGreaterEqual(len(files), 3)
            for path in files:
                with open(path, "rb") as f:
                    whole = f.read()
                for damage in ("flip", "truncate", "remove"):
                    at = rng.randrange(len(whole))
                    if damage == "flip":
                        broken = whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1:]
                    else:
                        broken = whole[:at]
                    if damage == "remove":
                        os.remove(path)
                    else:
                        with open(path, "wb") as f:
                            f.write(broken)
                    done = verify()
                    self.assertEqual(done.returncode, 1, f"{damage} at {at} of {path}: {done.stdout} {done.stderr}")
                    with open(path, "wb") as f:
                        f.write(whole)
            self.assertEqual(verify().returncode, 0)


if __name__ == "__main__":
    unittest.main()
