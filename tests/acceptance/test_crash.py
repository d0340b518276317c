"""kill -9 at seeded moments: nothing acknowledged is lost, nothing counts twice, no notice goes out twice."""
import http.client
import threading

from harness import *

KILLS_INTAKE = 30  # and KILLS_SENDING: more than fifty together
KILLS_SENDING = 25
BATCH = 40


def audit_line(session, number, patient):
    return json.dumps({
        "timestamp": f"2026-11-23 10:{number // 60 % 60:02d}:{number % 60:02d}.000 UTC", "user": "nurse_anna", "dbname": "clinic",
        "pid": 7, "remote_host": "127.0.0.1", "remote_port": 5, "session_id": session, "line_num": number, "ps": "SELECT",
        "session_start": "2026-11-23 10:00:00 UTC", "vxid": "3/8", "txid": 0, "error_severity": "LOG",
        "message": f"AUDIT: SESSION,{number},1,READ,SELECT,TABLE,public.patient,select * from patient where id={patient};,<none>,1",
        "application_name": "clinic-web", "backend_type": "client backend", "query_id": 0})


class Intake(unittest.TestCase):
    def test_what_was_acknowledged_is_there_once(self):
        rng = random.Random(seed())
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            live = open(os.path.join(folder, "live.json"), "a", encoding="utf-8")
            token, written, posted, number, unanswered = None, 0, [], 0, None
            for kill in range(KILLS_INTAKE):
                server = Tocsin(config)
                try:
                    if token is None:
                        admin = server.api()
                        admin.claim(server.claim_url, "anna", "Anna")
                        token = admin.post("/v1/tokens", {"name": "shipper", "roles": ["shipper"]})["token"]
                    # The kill comes whenever it comes: also between a request and its answer.
                    timer = threading.Timer(rng.uniform(0.02, 0.6), server.process.kill)
                    timer.start()
                    shipper = server.api()
                    while True:
                        for _ in range(rng.randrange(1, 8)):
                            written += 1
                            live.write(audit_line("f11e.1", written, 1 + written % 900) + "\n")
                        live.flush()
                        if not unanswered:
                            batch = list(range(number + 1, number + 1 + rng.randrange(1, BATCH)))
                            number = batch[-1]
                            body = "\n".join(audit_line("9057.1", n, 1 + n % 900) for n in batch).encode()
                            headers = {"Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"}
                            if rng.random() < 0.5:
                                body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
                            unanswered = (batch, body, headers)
                        status, answer = shipper.call("POST", "/v1/events?source=post&format=pgaudit-json", *unanswered[1:])
                        self.assertEqual(status, 200, answer)
                        posted.append(unanswered)
                        unanswered = None
                except (OSError, http.client.HTTPException):
                    pass  # it died; what was not answered is sent again to the next one
                finally:
                    server.kill()
            live.close()
            with Tocsin(config) as server:
                user = server.api()
                user.login("anna")

                def settled():
                    sources = {s["name"]: s for s in user.get("/v1/sources")["items"]}
                    return sources["live"]["decoded"] and sources["live"]["state"] == "following" and user
                wait_for(settled)
                # A shipper that never heard the answer sends again: all of it is known already.
                shipper = server.api()
                for batch, body, headers in posted[-5:]:
                    status, answer = shipper.call("POST", "/v1/events?source=post&format=pgaudit-json", body, headers)
                    self.assertEqual((status, answer["accepted"], answer["duplicates"]), (200, 0, len(batch)))

                def everyone_counted():
                    found = user.get("/v1/exposed?actor=nurse_anna&dataset=patient&limit=1000")
                    return found if len(found["items"]) >= min(900, len({1 + n % 900 for n in range(1, number + 1)})) else None
                wait_for(everyone_counted, 90)
            # The independent count: every line that was acknowledged or written is in the journal, once.
            kept = {"live": [], "post": []}
            for record in lines(run("journal", "show", "--data", os.path.join(folder, "data"), "--json").stdout):
                kept[record["source"]].append(json.loads(record["raw"])["line_num"])
            self.assertEqual(sorted(kept["live"]), list(range(1, written + 1)))
            acknowledged = [n for batch, _, _ in posted for n in batch]
            self.assertEqual(len(kept["post"]), len(set(kept["post"])))
            self.assertLessEqual(set(acknowledged), set(kept["post"]))
            print(f"{KILLS_INTAKE} kills, {written} lines followed, {len(acknowledged)} records posted", file=sys.stderr)


class Sending(unittest.TestCase):
    def test_everybody_has_exactly_one_notice(self):
        rng = random.Random(seed())
        with Folder() as folder:
            # Slow enough that each kill finds work under way.
            config = write_config(folder, "  channel: mailbox\n  per_minute: 2400")
            mail = os.path.join(folder, "data", "mail", "new")
            with Tocsin(config) as server:
                admin = server.api()
                admin.claim(server.claim_url, "anna", "Anna")
                link = admin.post("/v1/users", {"login": "bela", "name": "Bela", "roles": ["approver"]})["claim_url"]
                approver = server.api()
                approver.claim(link, "bela", "Bela")
                alert = wait_for(lambda: next((a for a in admin.get("/v1/alerts")["items"]
                                               if a["actor"] == "mallory" and a["kind"] == "export" and a["dataset"] == "patient"
                                               and a["level"] in ("high", "critical")), None))
                incident = admin.post(f"/v1/alerts/{alert['id']}/incident", {"reason": "it is theft", "confirm": True})["incident"]
                number = incident["id"] if isinstance(incident, dict) else incident
                notice = admin.post(f"/v1/incidents/{number}/notices", {"language": "en"})
                body = notice["body"].replace("[Write here what has been done to end the breach and to keep it from happening again.]",
                                              "We have locked the account.")
                status, notice = admin.call("PUT", f"/v1/notices/{notice['id']}", {"subject": notice["subject"], "body": body})
                self.assertEqual(status, 200, notice)
                notice = admin.post(f"/v1/notices/{notice['id']}/submit")
                notice = approver.post(f"/v1/notices/{notice['id']}/approve", {"hash": notice["hash"]})
                total = notice["recipients"]["with_contact"]
                self.assertGreater(total, 1000)
                admin.post(f"/v1/notices/{notice['id']}/send")
                time.sleep(rng.uniform(0.01, 0.1))
                server.kill()
                server.stop = lambda: None
            kills = 1
            while kills < KILLS_SENDING and len(os.listdir(mail)) < total:
                server = Tocsin(config)
                time.sleep(rng.uniform(0.0, 0.25))
                server.kill()
                kills += 1
            with Tocsin(config) as server:
                user = server.api()
                user.login("anna")
                sent = wait_for(lambda: (lambda n: n if n["state"] == "sent" else None)(user.get(f"/v1/notices/{notice['id']}")), 120)
            self.assertEqual(kills, KILLS_SENDING)
            self.assertEqual(sent["progress"]["sent"], total)
            recipients = [text_of(os.path.join(mail, name))["To"] for name in os.listdir(mail)]
            self.assertEqual(len(recipients), total)
            self.assertEqual(len(set(recipients)), total)
            verified = run("ledger", "verify", "--data", os.path.join(folder, "data"))
            self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
            print(f"{kills} kills while sending {total} notices", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
