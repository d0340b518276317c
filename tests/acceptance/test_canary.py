"""Canaries: secrets are planted in everything that comes in, and looked for in everything that the program writes.

The journal is the one exception: it holds raw events for a set time, as its purpose is.
"""
import base64
import urllib.parse

from harness import *


class Nest:
    """Makes secrets that occur nowhere else, and remembers them with the place they were put."""

    def __init__(self, rng):
        self.rng = rng
        self.planted = {}

    def egg(self, place, length=14):
        alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        egg = "".join(self.rng.choice(alphabet) for _ in range(length)) + "x7Q"
        self.planted[egg] = place
        return egg

    def found_in(self, name, content):
        """Where the canaries show, also percent-encoded, as hex or in base64 at any alignment."""
        if isinstance(content, str):
            content = content.encode()
        out = []
        for egg, place in self.planted.items():
            forms = {egg.encode(), urllib.parse.quote(egg).encode(), egg.encode().hex().encode()}
            for shift in range(3):
                coded = base64.b64encode(b"\0" * shift + egg.encode())
                forms.add(coded[4 if shift else 0:-4])
            if any(form in content for form in forms):
                out.append(f"the canary from {place} is in {name}")
        return out


def pgaudit(number, statement, nest_class="WRITE", command="SELECT"):
    quoted = '"' + statement.replace('"', '""') + '"'
    return json.dumps({
        "timestamp": f"2026-11-23 10:{number % 60:02d}:00.000 UTC", "user": "nurse_anna", "dbname": "clinic", "pid": 7, "remote_host": "127.0.0.1",
        "remote_port": 5, "session_id": "c.1", "line_num": number, "ps": "SELECT", "session_start": "2026-11-23 10:00:00 UTC", "vxid": "3/8", "txid": 0,
        "error_severity": "LOG", "message": f"AUDIT: SESSION,{number},1,{nest_class},{command},TABLE,public.patient,{quoted},<none>,1",
        "application_name": "clinic-web", "backend_type": "client backend", "query_id": 0})


class Canaries(unittest.TestCase):
    def plant(self, nest):
        """Files by name, each with secrets in the shapes of its kind, readable lines and broken ones."""
        egg = nest.egg
        sql = [pgaudit(1, f"ALTER ROLE app PASSWORD '{egg('ALTER ROLE')}'", "ROLE", "ALTER ROLE"),
               pgaudit(2, f"select * from patient where id = 7 /* password={egg('a comment')} */", "READ"),
               pgaudit(3, f"insert into users(login, password) values ('bob', '{egg('INSERT')}')", "WRITE", "INSERT"),
               pgaudit(4, f"COPY patient TO PROGRAM 'curl -u bob:{egg('COPY TO PROGRAM')} https://x.example'", "READ", "COPY"),
               '{"timestamp": "broken", "message": "AUDIT: SESSION,5 password=' + egg("a broken audit line") + '"',
               pgaudit(6, f"CREATE SUBSCRIPTION s CONNECTION 'postgres://rep:{egg('DSN')}@db/x' PUBLICATION p", "DDL", "CREATE SUBSCRIPTION")]
        text = [f"10:00 login failed user=bob password={egg('key=value')}", f'{{"level":"info","body":"{{\\"password\\":\\"{egg("JSON in JSON")}\\"}}"}}',
                f"GET /login?user=bob&password={egg('query string')} 200", f"Authorization: Basic {base64.b64encode(('bob:' + egg('Basic')).encode()).decode()}",
                f"mysql -u bob -p{egg('command line')} clinic", f"spring.datasource.password={egg('properties')}", f"<password>{egg('XML')}</password>",
                f"passwort: {egg('German')}", f"\x1b[31mpassword={egg('escape sequence')}\x00\xff"]
        cloud = [json.dumps({"eventVersion": "1.08", "eventID": f"e-{i}", "eventTime": "2026-11-23T10:00:00Z", "eventSource": "rds.amazonaws.com",
                             "eventName": "ModifyDBInstance", "userIdentity": {"type": "IAMUser", "userName": "ada", "arn": "arn:aws:iam::123456789012:user/ada"},
                             "sourceIPAddress": "192.0.2.1", "requestParameters": {"masterUserPassword": egg("CloudTrail"), "password": egg("CloudTrail parameter")}})
                 for i in range(2)]
        web = [f'192.0.2.7 - bob [23/Nov/2026:10:00:00 +0000] "GET /export?password={egg("web")} HTTP/1.1" 200 512 "https://x/?token_secret=1&password={egg("referer")}" "curl/8"']
        generic = [json.dumps({"time": "2026-11-23T10:00:00Z", "user": "ada", "password": egg("generic JSON")}), "{" + f'"password":"{egg("broken JSON")}"']
        return {"audit.json": sql, "app.log": text, "trail.ndjson": cloud, "access.log": web, "generic.ndjson": generic}

    def test_no_secret_leaves_the_journal(self):
        nest = Nest(random.Random(seed()))
        leaks = []
        with Folder() as folder:
            for name, content in self.plant(nest).items():
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(b"".join(line.encode("utf-8", "surrogateescape") + b"\n" for line in content))
            config = write_config(folder, "  channel: mailbox", sources="""
  - {name: db, file: audit.json, format: pgaudit-json}
  - {name: app, file: app.log, format: text}
  - {name: trail, file: trail.ndjson, format: cloudtrail}
  - {name: web, file: access.log, format: combined}
  - {name: generic, file: generic.ndjson, format: json, fields: {actor: user, time: time}}""")
            with Tocsin(config, "--log", "debug") as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                token = api.post("/v1/tokens", {"name": "shipper", "roles": ["shipper"]})["token"]
                posted = f"10:01 db_password={nest.egg('POST')}\n".encode()
                status, _ = api.call("POST", "/v1/events?source=app2&format=text", posted,
                                     {"Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"})
                self.assertEqual(status, 200)
                # The same secret in another place is known again, without being kept.
                known = nest.egg("two places")
                for source in ("app3", "app4"):
                    status, _ = api.call("POST", f"/v1/events?source={source}&format=text", f"10:02 db_password={known}\n".encode(),
                                         {"Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"})
                    self.assertEqual(status, 200)
                # What a client sends by mistake comes back to nobody either.
                status, answer = api.call("POST", "/v1/session", {"login": "bob", "password": nest.egg("a failed login")})
                self.assertEqual(status, 401)
                leaks += nest.found_in("the answer to a failed login", json.dumps(answer))
                alerts = wait_for(lambda: (lambda a: a if sum(x["findings"] for x in a) >= 12 else None)(api.get("/v1/alerts?limit=500")["items"]))
                def second():
                    found = {f["evidence"][0]["source"]: (a["id"], f["same_secret_first_in"]) for a in api.get("/v1/alerts?limit=500")["items"]
                             for f in api.get(f"/v1/alerts/{a['id']}")["findings"] if f["evidence"][0]["source"] in ("app3", "app4")}
                    return len(found) == 2 and found
                places = wait_for(second)
                self.assertIsNone(places["app3"][1])
                self.assertEqual(places["app4"][1], places["app3"][0])
                wait_for(lambda: all(s["decoded"] + s["rejected"] >= s["accepted"] for s in api.get("/v1/sources")["items"]))
                self.assertGreater(sum(a["kind"] == "secret" for a in alerts), 0)
                for path in ["/v1/alerts?limit=500", "/v1/sources", "/v1/rules", "/v1/overview", "/v1/ledger/entries?limit=200", *(f"/v1/alerts/{a['id']}" for a in alerts),
                             *(f"/v1/sources/{s}/rejects" for s in ("db", "app", "trail", "web", "generic"))]:
                    leaks += nest.found_in(path, json.dumps(api.get(path)))
                status, metrics = server.api().call("GET", "/metrics", raw=True)
                leaks += nest.found_in("/metrics", metrics)
                # Its last words, too.
                server.process.send_signal(signal.SIGABRT)
                server.process.wait(30)
                server.process.stdout.close()
                leaks += nest.found_in("what serve logs", server.errors())
            self.assertFalse([name for name in os.listdir(folder) if name.startswith("core")])
            kept = b""
            for place, _, names in os.walk(os.path.join(folder, "data", "journal")):
                for name in names:
                    with open(os.path.join(place, name), "rb") as f:
                        kept += f.read()
            self.assertGreater(len(nest.found_in("the journal", kept)), 20, "the search itself must find what is there")
            files = 0
            for place, _, names in os.walk(os.path.join(folder, "data")):
                if os.path.relpath(place, os.path.join(folder, "data")).split(os.sep)[0] == "journal":
                    continue
                for name in names:
                    if not os.path.isfile(os.path.join(place, name)):
                        continue  # the control socket
                    files += 1
                    with open(os.path.join(place, name), "rb") as f:
                        leaks += nest.found_in(os.path.relpath(os.path.join(place, name), folder), f.read())
            self.assertGreater(files, 3)
            inputs = [os.path.join(folder, name) for name in ("audit.json", "app.log", "trail.ndjson", "access.log", "generic.ndjson")]
            for command in (["replay", "--config", config, "--json", *inputs], ["replay", "--config", config, *inputs], ["scan", "--json", *inputs], ["scan", *inputs],
                            ["scan", "--explain", *inputs], ["scan", "--json", "--explain", *inputs]):
                done = run(*command)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                leaks += nest.found_in(" ".join(command[:3]), done.stdout + done.stderr)
        self.assertEqual(leaks, [])


if __name__ == "__main__":
    unittest.main()
