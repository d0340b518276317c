"""The recordings against the truth: each export is found, and the true people are all inside the reported set."""
from harness import *


def truth(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def moment(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class OwnRecording(unittest.TestCase):
    """ops/demo/recording, as this project recorded it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        folder = cls.folder.path
        cls.config = write_config(folder, "  channel: mailbox")
        cls.data = os.path.join(folder, "data")
        cls.log = os.path.join(folder, "postgresql.json")
        done = run("replay", "--config", cls.config, "--data", cls.data, "--json", cls.log, os.path.join(folder, "clinic-app.log"))
        assert done.returncode == 0, done.stderr.decode()
        cls.findings = lines(done.stdout)
        with open(cls.log, encoding="utf-8") as f:
            cls.log_lines = [json.loads(line) for line in f]
        cls.truth = truth(os.path.join(RECORDING, "truth.ndjson"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.__exit__()

    def exposed(self, actor, *more):
        done = run("exposed", "--data", self.data, "--actor", actor, "--json", *more)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return lines(done.stdout)

    def test_each_export_is_found_with_its_line_as_evidence(self):
        evidence = {e["line"] for f in self.findings if f["actor"] == "mallory" for e in f["evidence"]}
        for case in (t for t in self.truth if t["label"] == "export"):
            start, end = moment(case["start"]) - 0.002, moment(case["end"]) + 0.002
            inside = {i + 1 for i, entry in enumerate(self.log_lines)
                      if entry.get("user") == "mallory" and "AUDIT" in entry["message"]
                      and start <= moment(entry["timestamp"].replace(" UTC", "+00:00")) <= end}
            self.assertTrue(evidence & inside, f"{case['case']} has no evidence among lines {sorted(inside)}")

    def test_the_true_people_are_inside_the_reported_set(self):
        for actor in sorted({t["user"] for t in self.truth}):
            reported = {int(p["subject"]) for p in self.exposed(actor)}
            true = {i for t in self.truth if t["user"] == actor for i in t["ids"]}
            self.assertLessEqual(true, reported, f"{actor}: missing {sorted(true - reported)[:10]}")
            print(f"{actor}: {len(true)} people truly reached, {len(reported)} reported", file=sys.stderr)

    def test_ordinary_work_is_exact_and_rings_nothing(self):
        for actor in ("nurse_anna", "nurse_bela", "dr_costa", "clerk_dina"):
            true = {i for t in self.truth if t["user"] == actor for i in t["ids"]}
            people = self.exposed(actor)
            self.assertEqual({int(p["subject"]) for p in people if p["grade"] == "exact"} & true, true)
            self.assertFalse([f for f in self.findings if f["actor"] == actor])

    def test_the_password_in_the_application_log_is_found_once_and_never_shown(self):
        secrets = [f for f in self.findings if f["rule"].startswith("tocsin.secret.")]
        self.assertEqual(len(secrets), 1, [f["title"] for f in secrets])
        self.assertEqual(len(secrets[0]["evidence"]), 3)
        self.assertIn("password", secrets[0]["title"].lower())
        self.assertNotIn("Herbstlaub", json.dumps(self.findings))

    def test_the_secret_is_in_no_file_that_tocsin_derived(self):
        for root, _, files in os.walk(self.data):
            if "journal" in root:
                continue  # raw events are kept as they came, for a set time
            for name in files:
                with open(os.path.join(root, name), "rb") as f:
                    self.assertNotIn(b"Herbstlaub", f.read(), os.path.join(root, name))

    def test_who_saw_answers_the_other_way_round(self):
        case = next(t for t in self.truth if t["label"] == "normal" and t["ids"] and t["user"] != "mallory")
        done = run("who-saw", "--data", self.data, str(case["ids"][0]), "--json")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        actors = {w["actor"] for w in lines(done.stdout)}
        self.assertIn(case["user"], actors)
        self.assertIn("mallory", actors)

    def test_naming_people_is_on_record_and_pseudonyms_need_no_key(self):
        shown = run("ledger", "show", "--data", self.data, "--json")
        before = len(lines(shown.stdout))
        pseudonyms = self.exposed("mallory", "--pseudonyms")
        self.assertTrue(all(re.fullmatch(r"[0-9a-f]{32}", p["subject"]) for p in pseudonyms))
        self.assertEqual(len(lines(run("ledger", "show", "--data", self.data, "--json").stdout)), before)
        self.exposed("mallory")
        self.assertGreater(len(lines(run("ledger", "show", "--data", self.data, "--json").stdout)), before)


def pgaudit_line(when, user, statement, rows, number, host="127.0.0.1", command="SELECT"):
    """One statement as PostgreSQL 15 with pgaudit and log_rows writes it to its JSON log."""
    return json.dumps({
        "timestamp": when.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC", "user": user, "dbname": "clinic", "pid": 4000 + number,
        "remote_host": host, "remote_port": 50000 + number, "session_id": f"6b0462e2.{number:x}", "line_num": 1, "ps": "SELECT",
        "session_start": when.strftime("%Y-%m-%d %H:%M:%S") + " UTC", "vxid": f"3/{number}", "txid": 0, "error_severity": "LOG",
        "message": f'AUDIT: SESSION,1,1,READ,{command},TABLE,public.patient,"{statement}",<none>,{rows}',
        "application_name": "psql", "backend_type": "client backend", "query_id": 0}) + "\n"


class FrozenSet(unittest.TestCase):
    """Notices are approved, the set is frozen; a later event widens what is known; that is shown, and a manager takes the new
    people in, who alone are told then. The command line asks beside the running engine all the while."""

    def setUp(self):
        import datetime
        self.folder = Folder()
        folder = self.folder.path
        self.addCleanup(self.folder.__exit__)
        self.log = os.path.join(folder, "live.json")
        self.start = datetime.datetime(2026, 11, 23, 10, 0, 0)
        open(self.log, "w").close()
        self.config = write_config(folder, "  channel: mailbox", sources="\n  - {name: clinic-db, file: live.json, format: pgaudit-json}")
        self.data = os.path.join(folder, "data")
        with open(os.path.join(folder, "patients.csv"), encoding="utf-8") as f:
            self.ids = [int(row.split(",")[0]) for row in f.read().splitlines()[1:]][:63]

    def read(self, minutes, ids, number):
        import datetime
        statement = "SELECT id, name, email FROM patient WHERE id IN (%s)" % ",".join(map(str, ids))
        with open(self.log, "a", encoding="utf-8") as f:
            f.write(pgaudit_line(self.start + datetime.timedelta(minutes=minutes), "mallory", statement, len(ids), number))

    def ask(self, *arguments):
        done = run(*arguments, "--data", self.data)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done

    def of_incident(self, which):
        answer = lines(self.ask("exposed", "--incident", "1", "--set", which, "--json").stdout)
        return answer[0], {int(p["subject"]) for p in answer[1:]}

    def ledger(self, kind=None):
        entries = lines(run("ledger", "show", "--data", self.data, "--json").stdout)
        return [e for e in entries if kind is None or e["kind"] == kind]

    def notice(self, writer, approver, incident):
        writer.post(f"/v1/incidents/{incident}/notices", {"language": "en"})
        notice = writer.get(f"/v1/notices?incident={incident}")["items"][0]
        notice = writer.get(f"/v1/notices/{notice['id']}")
        written = re.sub(r"\[[^\]]*\]", "We closed this access and changed its password", notice["body"])
        writer.call("PUT", f"/v1/notices/{notice['id']}", {"subject": notice["subject"], "body": written})
        notice = writer.post(f"/v1/notices/{notice['id']}/submit")
        return notice["id"], approver.call("POST", f"/v1/notices/{notice['id']}/approve", {"hash": notice["hash"]})

    def mails(self):
        inbox = os.path.join(self.data, "mail", "new")
        return len(os.listdir(inbox)) if os.path.isdir(inbox) else 0

    def test_a_set_is_frozen_then_widened_then_added_to(self):
        first, later = self.ids[:60], self.ids[3:63]
        with Tocsin(self.config) as server:
            ada, bela, mia = server.api(), server.api(), server.api()
            ada.claim(server.claim_url, "ada", "Ada")
            bela.claim(ada.post("/v1/users", {"login": "bela", "name": "Bela", "roles": ["approver"]})["claim_url"], "bela", "Bela")
            # The second manager is invited from the command line, beside the engine that runs.
            claim = self.ask("user", "add", "mia", "--role", "manager,analyst").stdout.decode().strip()
            mia.claim(claim, "mia", "Mia")
            self.assertIn("mia", self.ask("user", "list").stdout.decode())

            self.read(0, first, 1)
            alert = wait_for(lambda: next((a for a in ada.get("/v1/alerts")["items"] if a["kind"] == "export"), None))
            self.assertEqual((alert["exposure"]["at_least"], alert["exposure"]["at_most"]), (60, 60))
            incident = ada.post(f"/v1/alerts/{alert['id']}/incident", {"reason": "it is theft", "confirm": True})["incident"]
            head, people = self.of_incident("now")
            self.assertIsNone(head["frozen"])
            self.assertEqual(people, set(first))
            status, refused = mia.call("POST", f"/v1/incidents/{incident}/frozen", {"people": 3, "reason": "too early"})
            self.assertEqual(status, 409, refused)

            # Frozen with the first approval.
            number, (status, answer) = self.notice(ada, bela, incident)
            self.assertEqual(status, 200, answer)
            ada.post(f"/v1/notices/{number}/send")
            told = wait_for(lambda: self.mails() if self.mails() >= answer["recipients"]["with_contact"] else None)
            self.assertEqual(ada.get(f"/v1/incidents/{incident}")["frozen"]["added"], 0)

            # A later event widens it: three more, and shown is by which.
            self.read(30, later, 2)
            frozen = wait_for(lambda: next((f for f in [ada.get(f"/v1/incidents/{incident}")["frozen"]] if f["added"]), None))
            self.assertEqual((frozen["people"], frozen["added"], frozen["events_total"]), (60, 3, 1))
            self.assertEqual(frozen["events"][0]["people"], 3)
            self.assertEqual(frozen["events"][0]["event"]["line"], 2)
            self.assertEqual(frozen["events"][0]["actor"], "mallory")
            head, added = self.of_incident("added")
            self.assertEqual(added, set(later) - set(first))
            self.assertEqual(self.of_incident("1")[1], set(first))
            self.assertEqual(self.of_incident("now")[1], set(first) | set(later))
            plain = self.ask("exposed", "--incident", "1").stdout.decode()
            self.assertIn(f"by bela: 60 people, hash {frozen['sets'][0]['hash']}", plain)
            self.assertIn("Since then 3 more would be affected, by 1 events", plain)
            self.assertIn("live.json:2", plain)
            self.assertIn("countries of residence:", plain)
            self.assertIn("kinds of data: contact,name", plain)

            # A further notice reaches nobody new as long as nobody decides.
            _, (status, answer) = self.notice(ada, bela, incident)
            self.assertEqual(status, 409, answer)
            for body, expected in (({"people": 2, "reason": "a look"}, 409), ({"people": 3}, 400), ({"reason": "all"}, 400)):
                self.assertEqual(mia.call("POST", f"/v1/incidents/{incident}/frozen", body)[0], expected, body)
            self.assertEqual(bela.call("POST", f"/v1/incidents/{incident}/frozen", {"people": 3, "reason": "me"})[0], 403)
            frozen = mia.post(f"/v1/incidents/{incident}/frozen", {"people": 3, "reason": "seen in the log of 10:30"})
            self.assertEqual([s["people"] for s in frozen["sets"]], [60, 3])
            self.assertEqual(frozen["added"], 0)
            second, (status, answer) = self.notice(ada, bela, incident)
            self.assertEqual(status, 200, answer)
            self.assertEqual(answer["recipients"]["total"], 3)
            ada.post(f"/v1/notices/{second}/send")
            wait_for(lambda: self.mails() == told + answer["recipients"]["with_contact"])
            entries = self.ledger("people-frozen")
            self.assertEqual([(e["by"], e["fields"]["people"]) for e in entries], [("bela", "60"), ("mia", "3")])
            self.assertEqual([e["fields"]["hash"] for e in entries], [s["hash"] for s in frozen["sets"]])
            self.assertEqual(self.of_incident("2")[1], set(later) - set(first))

            # Each question about a person is on record, with the account that asked at the machine.
            before = len(self.ledger())
            saw = lines(self.ask("who-saw", str(first[0]), "--json", "--reason", "she asked at the desk").stdout)
            self.assertEqual([(w["actor"], w["at_least"], w["at_most"]) for w in saw], [("mallory", 1, 1)])
            self.assertEqual([a["event"]["line"] for a in saw[0]["accesses"]["items"]], [1])
            both = lines(self.ask("who-saw", str(first[5]), "--json").stdout)[0]
            self.assertEqual([a["event"]["line"] for a in both["accesses"]["items"]], [2, 1])
            narrowed = lines(self.ask("who-saw", str(first[5]), "--json", "--from", "2026-11-23T10:10:00Z").stdout)[0]
            self.assertEqual([a["event"]["line"] for a in narrowed["accesses"]["items"]], [2])
            asked = self.ledger()[before:]
            self.assertEqual([e["kind"] for e in asked], ["who-saw-asked"] * 3)
            self.assertTrue(all(e["by"].startswith(f"local:{os.getuid()}") for e in asked), asked)
            self.assertNotIn("she asked", json.dumps(asked))
            self.assertEqual(run("who-saw", "nobody-of-that-id", "--data", self.data).returncode, 1)
            self.assertEqual(self.ask("ledger", "verify").returncode, 0)

        # Without an engine the same commands answer the same.
        self.assertEqual(lines(self.ask("who-saw", str(first[5]), "--json").stdout)[0]["accesses"], both["accesses"])
        self.assertEqual(self.of_incident("frozen")[1], set(first) | set(later))
        self.ask("forget", "--dataset", "patient", "--reason", "asked for", str(first[7]))
        self.assertEqual(self.ask("ledger", "verify").returncode, 0)
        head = lines(self.ask("exposed", "--incident", "1", "--set", "1", "--json").stdout)
        self.assertEqual(sum(p["subject"] is None and p["erased"] for p in head[1:]), 1)
        # Who changes the set that is kept is found out.
        import sqlite3
        database = sqlite3.connect(os.path.join(self.data, "tocsin.db"))
        database.execute("UPDATE frozen_part SET grade = 2 WHERE frozen = 1")
        database.commit()
        database.close()
        damaged = run("ledger", "verify", "--data", self.data)
        self.assertEqual(damaged.returncode, 1, damaged.stdout)
        self.assertIn(b"frozen people 1 of incident 1", damaged.stdout)


class ExportAlerts(unittest.TestCase):
    """Whatever rings as an export says whom it reached, how many they are, and how sure that is."""

    def test_each_kind_of_export_alert_carries_its_exposure(self):
        import datetime
        noon, night = datetime.datetime(2026, 11, 23, 12, 0, 0), datetime.datetime(2026, 11, 23, 3, 0, 0)
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: clinic-db, file: live.json, format: pgaudit-json}",
                                  extra="exports: {networks: [127.0.0.0/8], hours: 'Mon-Fri 07:00-19:00 +00:00', first_time_days: 30}")
            with open(os.path.join(folder, "patients.csv"), encoding="utf-8") as f:
                ids = sorted(int(row.split(",")[0]) for row in f.read().splitlines()[1:])
            some = ids[:60]
            named = "SELECT id, name FROM patient WHERE id IN (%s)" % ",".join(map(str, some))
            # actor -> (rule, the true people, their number as the log allows to say it, grade)
            truth = {
                "bulk": ("tocsin.export.select", set(some), (60, 60), "exact"),
                "whole": ("tocsin.export.copy", set(ids), (0, len(ids)), "bound"),
                "pages": ("tocsin.export.paging", set(ids[:300]), None, "bound"),
                "leafing": ("tocsin.export.one-by-one", set(ids[:250]), None, "bound"),
                "singly": ("tocsin.export.one-by-one", set(ids[:210]), (210, 210), "exact"),
                "pipe": ("tocsin.export.outside", {ids[6]}, None, "exact"),
                "remote": ("tocsin.export.outside", set(some), (60, 60), "exact"),
                "night": ("tocsin.export.off-hours", set(some), (60, 60), "exact"),
                "never": ("tocsin.export.first-time", set(some), (60, 60), "exact"),
            }
            rows = [(noon, "bulk", named, 60, {}), (noon, "remote", named, 60, {"host": "203.0.113.9"}), (night, "night", named, 60, {}),
                    (noon, "never", named, 60, {}), (noon, "whole", "COPY patient TO STDOUT", 0, {"command": "COPY"}),
                    (noon, "pipe", f"COPY (SELECT id, name FROM patient WHERE id = {ids[6]}) TO PROGRAM 'cat'", 1, {})]
            rows += [(noon + datetime.timedelta(seconds=i), "pages", f"SELECT id, name FROM patient ORDER BY id LIMIT 60 OFFSET {60 * i}", 60, {}) for i in range(5)]
            rows += [(noon + datetime.timedelta(seconds=i), "leafing", f"SELECT id, name FROM patient ORDER BY id LIMIT 25 OFFSET {25 * i}", 25, {}) for i in range(10)]
            rows += [(noon + datetime.timedelta(seconds=i), "singly", f"SELECT id, name FROM patient WHERE id = {n}", 1, {}) for i, n in enumerate(ids[:210])]
            with open(os.path.join(folder, "live.json"), "w", encoding="utf-8") as f:
                f.writelines(pgaudit_line(when, user, statement, count, number, **more)
                             for number, (when, user, statement, count, more) in enumerate(sorted(rows, key=lambda r: r[0]), 1))
            with Tocsin(config) as server:
                ada = server.api()
                ada.claim(server.claim_url, "ada", "Ada")
                alerts = wait_for(lambda: (lambda found: found if set(truth) <= set(found) else None)(
                    {a["actor"]: a for a in ada.get("/v1/alerts?limit=200")["items"] if a["kind"] == "export"}))
                for actor, (rule, people, count, grade) in truth.items():
                    alert = alerts[actor]
                    with self.subTest(actor):
                        findings = wait_for(lambda: (lambda f: f if rule in {one["rule"] for one in f} else None)(ada.get(f"/v1/alerts/{alert['id']}")["findings"]))
                        self.assertIn(rule, {f["rule"] for f in findings})
                        exposure = ada.get(f"/v1/alerts/{alert['id']}")["exposure"]
                        self.assertEqual(exposure["grade"], grade)
                        self.assertLessEqual(exposure["at_least"], len(people))
                        self.assertGreaterEqual(exposure["at_most"], len(people))
                        if count:
                            self.assertEqual((exposure["at_least"], exposure["at_most"]), count)
                        listed = ada.get(f"/v1/alerts/{alert['id']}/people?limit=2000&events=1")
                        names = ada.post("/v1/people/reveal", {"pseudonyms": [p["pseudonym"] for p in listed["items"]], "reason": "the truth"})["items"]
                        self.assertLessEqual(people, {int(n["id"]) for n in names})
                        if grade == "exact":
                            self.assertEqual(people, {int(n["id"]) for n in names})
                        for person in listed["items"]:
                            self.assertTrue(person["accesses"]["items"][0]["event"]["line"] > 0)
                            self.assertEqual(person["accesses"]["items"][0]["actor"], actor)


class WhoItWas(unittest.TestCase):
    """The person behind a shared account, and what of a record is only the client's own word: in answers, evidence and words."""

    def test_each_way_of_naming_a_person_is_told_apart(self):
        import datetime
        noon = datetime.datetime(2026, 11, 23, 12, 0, 0)
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: clinic-db, file: live.json, format: pgaudit-json, "
                                  "person: {webapp: comment.user, 'pool-*': application_name, batch: role}}")
            def record(number, user, statement, rows=1, application="psql", session=None, **more):
                line = json.loads(pgaudit_line(noon + datetime.timedelta(seconds=number), user, statement, rows, number, **more))
                line["application_name"] = application
                if session:
                    line.update(session_id=session, line_num=number)
                return json.dumps(line) + "\n"
            with open(os.path.join(folder, "live.json"), "w", encoding="utf-8") as f:
                f.writelines([
                    record(1, "mallory", "SELECT name FROM patient WHERE id = 17", application="nurse_anna"),  # a name that nobody checked
                    record(2, "webapp", "SELECT name FROM patient WHERE id = 17 /*action='open',user='nurse_bela'*/", host="10.0.0.5"),
                    record(3, "pool-7", "SELECT name FROM patient WHERE id = 17", application="dr_costa"),
                    record(4, "batch", "SET ROLE chief", "", session="aa.1", command="SET").replace("READ,SET,TABLE,public.patient", "MISC,SET,,"),
                    record(5, "batch", "SELECT name FROM patient WHERE id = 17", session="aa.1")])
            with Tocsin(config) as server:
                ada = server.api()
                ada.claim(server.claim_url, "ada", "Ada")
                want = {"mallory": "account", "nurse_bela": "record", "dr_costa": "application", "chief": "role"}
                def watchers():
                    found = {w["actor"]: w["accesses"]["items"][0] for w in ada.post("/v1/who-saw", {"subject": "17", "reason": "the truth"})["items"]}
                    return found if set(want) <= set(found) else None
                found = wait_for(watchers)
                self.assertEqual({actor: access["named_by"] for actor, access in found.items()}, want)
                self.assertEqual((found["nurse_bela"]["account"], found["nurse_bela"]["client"]), ("webapp", "10.0.0.5"))
                self.assertEqual((found["mallory"]["account"], found["mallory"]["application"]), ("mallory", "nurse_anna"))
                self.assertEqual((found["chief"]["account"], found["chief"]["role"]), ("batch", "chief"))
                data = os.path.join(folder, "data")
                said = run("who-saw", "17", "--data", data).stdout.decode()
                self.assertRegex(said, r"mallory .*application 'nurse_anna' \(its own word\)")
                self.assertRegex(said, r"nurse_bela .*account webapp, named in the record, .*from 10\.0\.0\.5")
                self.assertRegex(said, r"dr_costa .*account pool-7, application 'dr_costa' \(its own word\)")
                self.assertRegex(said, r"chief .*account batch, by SET ROLE chief")
                people = lines(run("exposed", "--actor", "nurse_bela", "--data", data, "--json").stdout)
                self.assertEqual([(p["subject"], p["accesses"]["items"][0]["account"]) for p in people], [("17", "webapp")])


class SharedClinic(unittest.TestCase):
    """The labelled capture, where it is at hand: no configuration at all."""

    def setUp(self):
        self.dir = os.path.join(SHARED, "pgaudit", "clinic")
        if not os.path.isdir(self.dir):
            self.skipTest("the labelled capture is not here (TOCSIN_SHARED_DATA)")

    def test_every_labelled_export_is_found_in_each_form_of_the_log(self):
        cases = [t for t in truth(os.path.join(self.dir, "truth.ndjson")) if t["label"] == "export" and t["people"]]
        with open(os.path.join(self.dir, "postgresql.json"), encoding="utf-8") as f:
            entries = [json.loads(line) for line in f]
        done = run("replay", "--json", os.path.join(self.dir, "postgresql.json"), timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        findings = lines(done.stdout)
        evidence = {e["line"] for f in findings if f["actor"] == "mallory" for e in f["evidence"]}
        for case in cases:
            start, end = moment(case["start"]) - 0.002, moment(case["end"]) + 0.002
            inside = {i + 1 for i, e in enumerate(entries) if e.get("pid") == case["pid"] and "AUDIT" in e["message"]
                      and start <= moment(e["timestamp"].replace(" UTC", "+00:00")) <= end}
            self.assertTrue(evidence & inside, f"case {case['n']} {case['case']}")
        normal = {t["user"] for t in truth(os.path.join(self.dir, "truth.ndjson")) if t["label"] == "normal"}
        self.assertFalse([f["title"] for f in findings if f["actor"] in normal])
        csv = run("replay", "--json", os.path.join(self.dir, "postgresql.csv"), timeout=600)
        self.assertEqual({(f["rule"], f["actor"], f["dataset"], f["evidence_count"]) for f in findings},
                         {(f["rule"], f["actor"], f["dataset"], f["evidence_count"]) for f in lines(csv.stdout)})

    def test_the_true_people_are_inside_the_reported_set(self):
        with Folder() as folder:
            data = os.path.join(folder, "data")
            config = os.path.join(folder, "tocsin.yml")
            with open(config, "w", encoding="utf-8") as f:
                f.write("datasets:\n  - {name: patient, key: id, register: %s, tables: {patient: id, visit: patient_id, patient_contact: id}}\n"
                        % os.path.join(self.dir, "patient.csv"))
            done = run("replay", "--config", config, "--data", data, "--json", os.path.join(self.dir, "postgresql.json"), timeout=600)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            everything = truth(os.path.join(self.dir, "truth.ndjson"))
            for actor in sorted({t["user"] for t in everything}):
                done = run("exposed", "--data", data, "--actor", actor, "--json", timeout=600)
                reported = {int(p["subject"]) for p in lines(done.stdout)}
                true = set().union(*(ids_of(t["ids"]) for t in everything if t["user"] == actor))
                self.assertLessEqual(true, reported, f"{actor}: missing {sorted(true - reported)[:10]}")
                print(f"{actor}: {len(true)} truly reached, {len(reported)} reported", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
