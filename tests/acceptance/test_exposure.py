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
