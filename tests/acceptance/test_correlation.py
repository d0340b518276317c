"""A correlation over a day in the life of the engine: it counts, dies, goes on counting, gets new rules, and rings once."""
from harness import *

RULES = """title: Read of a patient's record
id: 7b8f3a52-6f0e-4f0a-9f6e-0d5a3f5e1a01
name: patient_read
logsource: {category: data_access}
detection:
  read: {action: read, dataset: patient, outcome: success}
  condition: read
---
title: Many records read by one account
id: 7b8f3a52-6f0e-4f0a-9f6e-0d5a3f5e1a02
description: Somebody goes through the patients one by one.
level: high
correlation:
  type: value_count
  rules: [patient_read]
  group-by: [account]
  timespan: 1h
  condition: {gte: 20, field: subjects}
"""
COUNTING = "7b8f3a52-6f0e-4f0a-9f6e-0d5a3f5e1a02"
OTHER = """---
title: A rule that came later
id: 7b8f3a52-6f0e-4f0a-9f6e-0d5a3f5e1a03
logsource: {category: data_access}
detection:
  read: {account: nobody_has_this}
  condition: read
"""
BROKEN = OTHER.replace("account:", "account|contians:")


def audit_line(number, patient, user="nurse_anna", minute=None):
    minute = number if minute is None else minute
    return json.dumps({
        "timestamp": f"2026-11-23 10:{minute:02d}:00.000 UTC", "user": user, "dbname": "clinic", "pid": 7, "remote_host": "127.0.0.1",
        "remote_port": 5, "session_id": user + ".1", "line_num": number, "ps": "SELECT", "session_start": "2026-11-23 10:00:00 UTC", "vxid": "3/8",
        "txid": 0, "error_severity": "LOG",
        "message": f"AUDIT: SESSION,{number},1,READ,SELECT,TABLE,public.patient,select * from patient where id={patient};,<none>,1",
        "application_name": "clinic-web", "backend_type": "client backend", "query_id": 0})


class Correlation(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.path = self.folder.__enter__()
        self.rules = os.path.join(self.path, "counting.yml")
        self.write_rules(RULES)
        self.config = write_config(self.path, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}",
                                   extra="rules: {sigma: [counting.yml], secret_scan: off}")
        self.live = open(os.path.join(self.path, "live.json"), "a", encoding="utf-8")
        self.written = 0

    def tearDown(self):
        self.live.close()
        self.folder.__exit__()

    def write_rules(self, text):
        with open(self.rules, "w", encoding="utf-8") as f:
            f.write(text)

    def read_patients(self, count):
        """`count` more patients are read, one a minute."""
        for _ in range(count):
            self.written += 1
            self.live.write(audit_line(self.written, self.written) + "\n")
        self.live.flush()

    def processed(self, api):
        """Waits until everything written has been looked at."""
        def source():
            return next((s for s in api.get("/v1/sources")["items"] if s["name"] == "live" and s["decoded"] >= self.written - self.before), None)
        return wait_for(source)

    def counted(self, api):
        return [a for a in api.get("/v1/alerts?state=open")["items"] if a["rule"] == COUNTING]

    def test_it_counts_through_crashes_restarts_and_new_rules_and_rings_once(self):
        # Eight patients: nothing to say yet. Then the power goes.
        self.before = 0
        with Tocsin(self.config) as server:
            api = server.api()
            api.claim(server.claim_url, "anna", "Anna")
            self.read_patients(8)
            self.processed(api)
            self.assertEqual(self.counted(api), [])
            server.kill()
        # Six more, and a proper stop.
        self.before = 8
        with Tocsin(self.config) as server:
            api = server.api()
            api.login("anna")
            self.read_patients(6)
            self.processed(api)
            self.assertEqual(self.counted(api), [])
        # Three more; the rules change around the counting one.
        self.before = 14
        with Tocsin(self.config) as server:
            api = server.api()
            api.login("anna")
            self.read_patients(3)
            self.processed(api)
            self.write_rules(RULES + BROKEN)
            status, answer = api.call("POST", "/v1/rules/reload", {})
            self.assertEqual(status, 400, answer)
            self.assertIn("contians", answer["detail"] + answer["title"])
            titles = {rule["title"] for rule in api.get("/v1/rules")["items"]}
            self.assertIn("Many records read by one account", titles)
            self.assertNotIn("A rule that came later", titles)
            self.write_rules(RULES + OTHER)
            now = api.post("/v1/rules/reload")
            self.assertGreaterEqual(now["correlations"], 1)
            self.assertIn("A rule that came later", {rule["title"] for rule in api.get("/v1/rules")["items"]})
            # The same by signal, as systemd does it.
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "rules loaded again" in server.errors())
            self.read_patients(2)
            self.processed(api)
            self.assertEqual(self.counted(api), [])
            # The twentieth patient.
            self.read_patients(1)
            alert = wait_for(lambda: next(iter(self.counted(api)), None))
            self.assertEqual(alert["level"], "high")
            self.assertIn("nurse_anna", alert["title"])
            detail = api.get(f"/v1/alerts/{alert['id']}")
            finding = detail["findings"][0]
            self.assertEqual(finding["evidence_count"], 20)
            evidence = finding["evidence"]
            self.assertEqual(sorted(e["line"] for e in evidence), list(range(1, 21)))
            self.assertTrue(all("from patient where id=" in e["text"] for e in evidence), evidence)
            self.assertEqual(finding["exposure"]["grade"], "exact")
            self.assertEqual((finding["exposure"]["at_least"], finding["exposure"]["at_most"]), (20, 20))
            # It goes on: the same alert grows.
            self.read_patients(5)
            wait_for(lambda: api.get(f"/v1/alerts/{alert['id']}")["findings"][0]["evidence_count"] >= 24)
            self.assertEqual(len(self.counted(api)), 1)
            kinds = [entry["kind"] for entry in api.get("/v1/ledger/entries?limit=200")["items"]]
            self.assertEqual(kinds.count("rules-loaded"), 2, kinds)
            first = finding["id"]
        # Offline, over the same file: the same finding.
        done = run("replay", "--config", self.config, "--json", os.path.join(self.path, "live.json"))
        found = [f for f in lines(done.stdout) if f["rule"] == COUNTING]
        self.assertEqual([f["finding"] for f in found], [first], done.stderr)


if __name__ == "__main__":
    unittest.main()
