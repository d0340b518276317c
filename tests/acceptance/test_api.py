"""The way of a case through the HTTP API alone, as a program would go it. Every answer is held to openapi.yaml
(tests/acceptance/openapi_check.py), and so is what the server says to those who may not, must not or mistype."""
from harness import *


class WholeApi(unittest.TestCase):
    def test_every_answer_is_what_the_document_promises(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox")
            with Tocsin(config) as server:
                self.walk(server, folder)

    def walk(self, server, folder):
        admin, approver, nobody = server.api(), server.api(), server.api()
        admin.claim(server.claim_url, "ada", "Ada")
        link = admin.post("/v1/users", {"login": "bela", "name": "Bela", "roles": ["approver"]})["claim_url"]
        approver.claim(link, "bela", "Bela")
        admin.get("/v1/session")
        admin.get("/v1/users")

        # The queue.
        def bulk():
            alerts = admin.get("/v1/alerts")["items"]
            return next((a for a in alerts if a["kind"] == "export" and "mallory" in (a["actor"] or "")), None)
        wait_for(lambda: sum(s["behind_bytes"] for s in admin.get("/v1/sources")["items"]) == 0 and bulk(), 90)
        alerts = admin.get("/v1/alerts?state=new")["items"]
        for alert in alerts:
            admin.get(f"/v1/alerts/{alert['id']}")
        alert = bulk()
        people = admin.get(f"/v1/alerts/{alert['id']}/people?limit=5")
        self.assertGreater(people["total"], 0)
        others = [a for a in alerts if a["id"] != alert["id"]]
        if others:
            admin.post(f"/v1/alerts/{others[0]['id']}/assign", {"assignee": "ada"})
            admin.post(f"/v1/alerts/{others[0]['id']}/triage", {"state": "false_positive", "reason": "a test of ours"})
        if len(others) > 1:
            admin.post("/v1/alerts/triage", {"ids": [others[1]["id"]], "state": "acknowledged", "reason": "looking"})
        silence = admin.post("/v1/silences", {"actor": "nobody", "until": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400)), "reason": "a test"})
        admin.get("/v1/silences")
        status, _ = admin.call("DELETE", f"/v1/silences/{silence['id']}")
        self.assertEqual(status, 204)

        # People.
        admin.get("/v1/exposed?actor=mallory&limit=3")
        pseudonyms = [p["pseudonym"] for p in people["items"]]
        named = admin.post("/v1/people/reveal", {"pseudonyms": pseudonyms, "reason": "to call them", "alert": alert["id"]})["items"]
        self.assertTrue(all(n["name"] for n in named))
        saw = admin.post("/v1/who-saw", {"subject": named[0]["id"], "dataset": "patient", "reason": "she asked"})["items"]
        self.assertTrue(any("mallory" in w["actor"] for w in saw))

        # The incident.
        incident = admin.post(f"/v1/alerts/{alert['id']}/incident", {"reason": "it is theft", "confirm": True})["incident"]
        admin.get("/v1/incidents")
        full = admin.get(f"/v1/incidents/{incident}")
        self.assertEqual(full["state"], "confirmed")
        admin.call("PATCH", f"/v1/incidents/{incident}", {"summary": "The patients were copied.", "reason": "what we know"})
        admin.get(f"/v1/incidents/{incident}/people?limit=3")
        running = [d for d in full["duties"] if d["state"] in ("running", "late")]
        self.assertTrue(running)
        admin.post(f"/v1/incidents/{incident}/duties/{running[0]['id']}", {"state": "done", "reason": "told", "reference": "A-1"})
        admin.post(f"/v1/incidents/{incident}/tasks", {"title": "Change the passwords"})
        task = admin.get("/v1/tasks")["items"][0]
        status, answer = admin.call("PATCH", f"/v1/tasks/{task['id']}", {"state": "doing", "owner": "ada", "reason": "mine"})
        self.assertEqual(status, 200, answer)
        admin.get("/v1/tasks?mine=true")

        # The notice: two people, then one for everybody.
        admin.post(f"/v1/incidents/{incident}/notices", {"language": "en"})
        notice = admin.get(f"/v1/notices?incident={incident}")["items"][0]
        notice = admin.get(f"/v1/notices/{notice['id']}")
        written = re.sub(r"\[[^\]]*\]", "We closed this access and changed its password", notice["body"])
        status, changed = admin.call("PUT", f"/v1/notices/{notice['id']}", {"subject": notice["subject"], "body": written})
        self.assertEqual(status, 200, changed)
        admin.get(f"/v1/notices/{notice['id']}/preview?pseudonym={pseudonyms[0]}")
        status, lint = admin.call("POST", f"/v1/notices/{notice['id']}/submit", {})
        if status == 200:
            notice = approver.get(f"/v1/notices/{notice['id']}")
            self.assertEqual(admin.call("POST", f"/v1/notices/{notice['id']}/approve", {"hash": notice["hash"]})[0], 403)
            self.assertIn(approver.call("POST", f"/v1/notices/{notice['id']}/approve", {"hash": "0" * 64})[0], (400, 409))
            approver.post(f"/v1/notices/{notice['id']}/approve", {"hash": notice["hash"]})
            admin.post(f"/v1/notices/{notice['id']}/send")
            inbox = os.path.join(folder, "data", "mail", "new")
            mail = wait_for(lambda: os.path.isdir(inbox) and next(iter(os.listdir(inbox)), None), 60)
            admin.get(f"/v1/notices/{notice['id']}/deliveries")
            body = text_of(os.path.join(inbox, mail)).get_content()
            code = re.search(r"([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})", body).group(1)
            told = nobody.post("/portal/v1/check", {"code": code})
            self.assertTrue(told["genuine"])
            nobody.post("/portal/v1/acknowledge", {"code": code})
        else:
            self.fail(f"the drafted notice could not be submitted: {lint}")
        self.assertEqual(nobody.call("POST", "/portal/v1/check", {"code": "AAAA-AAAA-AAAA"})[0], 404)

        # The record, the report, the rest.
        wait_for(lambda: admin.get("/v1/overview")["notices"]["told"] > 0, 60)
        admin.get(f"/v1/incidents/{incident}/report")
        self.assertEqual(admin.call("GET", f"/v1/incidents/{incident}/report.html", raw=True)[0], 200)
        admin.get("/v1/ledger")
        admin.get("/v1/ledger/entries?limit=500")
        admin.get("/v1/rules")
        admin.get("/v1/tokens")
        for source in admin.get("/v1/sources")["items"]:
            admin.get(f"/v1/sources/{source['name']}/rejects")
        for page in ("/", "/n", "/v1/openapi.yaml", "/ledger/checkpoint", "/metrics"):
            self.assertEqual(nobody.call("GET", page, raw=True)[0], 200, page)
        nobody.get("/healthz")

        # Strangers.
        for path in ("/v1/alerts", "/v1/overview", "/v1/ledger", "/v1/users"):
            self.assertEqual(nobody.call("GET", path)[0], 401, path)
        admin.csrf, kept = "wrong", admin.csrf
        self.assertEqual(admin.call("POST", "/v1/silences", {})[0], 403)
        admin.csrf = kept
        self.assertEqual(admin.call("POST", "/v1/silences", b'{"until": 1, "until": 2}')[0], 400)
        self.assertEqual(admin.call("DELETE", "/v1/session")[0], 204)
        self.assertEqual(admin.call("GET", "/v1/session")[0], 401)


if __name__ == "__main__":
    unittest.main()
