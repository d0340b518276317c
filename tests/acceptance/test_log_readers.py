"""A password in a log, and who read that log: known over a stop and over a kill, and told in the alert of the password."""
from harness import *
from test_correlation import audit_line


def said(number, user, sql, relation="public.patient", minute=None):
    line = json.loads(audit_line(number, 1, user, minute))
    line["message"] = line["message"].replace("public.patient", relation).replace("select * from patient where id=1;", sql)
    return json.dumps(line)


class LogReaders(unittest.TestCase):
    def test_who_read_the_log_is_known_after_a_stop_and_after_a_kill(self):
        with Folder() as path:
            config = write_config(path, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json, read_at: [ops.db_log]}",
                                  extra="rules: {sigma: []}")
            written = 0

            def see(api, *lines):
                nonlocal written
                with open(os.path.join(path, "live.json"), "a", encoding="utf-8") as live:
                    live.write("".join(line + "\n" for line in lines))
                written += len(lines)
                wait_for(lambda: next((s for s in api.get("/v1/sources")["items"] if s["name"] == "live" and s["decoded"] >= written - before), None))

            def leak(api):
                return next((a for a in api.get("/v1/alerts?state=open")["items"] if a["title"].startswith("Plaintext password in")), None)

            before = 0
            with Tocsin(config) as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                see(api, said(1, "admin", "alter role app password 'butterfly7canary'"))
                first = wait_for(lambda: leak(api))
            before = written
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                see(api, said(2, "mallory", "select * from ops.db_log", "ops.db_log"))
                wait_for(lambda: any("mallory read" in f["title"] for f in api.get(f"/v1/alerts/{first['id']}")["findings"]))
                # What was kept last does not hold this one: it was seconds ago.
                see(api, said(3, "etl", "select * from ops.db_log", "ops.db_log"))
                wait_for(lambda: any("etl read" in f["title"] for f in api.get(f"/v1/alerts/{first['id']}")["findings"]))
                server.kill()
            before = written
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                see(api, said(4, "admin", "alter role web password 'dragonfly8canary'"))
                alert = wait_for(lambda: next((a for a in [api.get(f"/v1/alerts/{first['id']}")] if any("Read since by" in f["reason"] for f in a["findings"])), None))
                reasons = [f["reason"] for f in alert["findings"]]
                self.assertTrue(any("Read since by: etl (once), mallory (once)." in reason for reason in reasons), reasons)
                self.assertNotIn("canary", json.dumps(alert))


if __name__ == "__main__":
    unittest.main()
