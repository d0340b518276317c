"""Registers are imported and changed, and people erased, by commands beside a running engine: it knows at once, and so does the
engine that starts after it."""
import threading

from harness import *


def read(user, number, statement, rows, hour=10):
    """One statement as PostgreSQL with pgaudit and log_rows writes it to its JSON log."""
    return json.dumps({
        "timestamp": f"2026-11-23 {hour:02d}:00:{number % 60:02d}.000 UTC", "user": user, "dbname": "clinic", "pid": 7,
        "session_id": f"6b0462e2.{number:x}", "line_num": 1, "ps": "SELECT",
        "vxid": f"3/{number}", "txid": 0, "error_severity": "LOG",
        "message": f'AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.patient,"{statement}",<none>,{rows}', "backend_type": "client backend"}) + "\n"


class Beside(unittest.TestCase):
    def setUp(self):
        self.room = Folder()
        self.addCleanup(self.room.__exit__)
        self.folder = self.room.path
        self.data = os.path.join(self.folder, "data")
        self.config = os.path.join(self.folder, "tocsin.yml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("data: data\nsources:\n  - {name: live, file: live.json, format: pgaudit-json}\n"
                    "datasets:\n  - {name: patient, key: id}\nnotices: {channel: mailbox}\n")
        self.lines = 0
        self.write("")

    def write(self, text):
        with open(os.path.join(self.folder, "live.json"), "a", encoding="utf-8") as f:
            f.write(text)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def register(self, *arguments, expect=0, stdin=None):
        done = run("register", *arguments, "--data", self.data, "--dataset", "patient", "--json", stdin=stdin)
        self.assertEqual(done.returncode, expect, done.stderr.decode())
        self.said = done.stderr.decode()
        return json.loads(done.stdout) if done.stdout else None

    def reached(self, actor):
        """The ids that an actor is reported to have reached; asked until the engine has read the log."""
        def ask():
            done = run("exposed", "--data", self.data, "--actor", actor, "--json")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            return lines(done.stdout)
        people = wait_for(ask)
        return {p["subject"] for p in people}

    def kinds(self):
        done = run("ledger", "show", "--data", self.data, "--json")
        return [e["kind"] for e in lines(done.stdout)]

    def test_a_register_is_imported_changed_and_narrowed_while_the_engine_runs(self):
        # Ward "" and no ward are two things: only one of them matches IS NULL.
        people = self.file("people.csv", "id,name,ward\n1,Ada,east\n2,Bo,west\n3,Cem,\n4,Dilan,\"\"\n5,Edda,east\n")
        with Tocsin(self.config):
            self.assertEqual(self.register("import", people, "--as-of", "2026-11-23T09:00:00Z"), {"dataset": "patient", "records": 5, "added": 5, "changed": 0, "unchanged": 0, "gone": 0, "bad": 0})
            self.write(read("early", 1, "SELECT name FROM patient WHERE ward = 'east'", 2))
            self.assertEqual(self.reached("early"), {"1", "5"})
            # 1 loses the ward, 2 gets an empty one: null and "" as JSON says them. 6 comes, 5 goes.
            changes = self.file("changes.ndjson", "".join(json.dumps(c) + "\n" for c in (
                {"time": "2026-11-23T10:10:00Z", "op": "update", "id": 1, "ward": None},
                {"time": "2026-11-23T10:10:00Z", "op": "update", "id": 2, "ward": ""},
                {"time": "2026-11-23T10:10:00Z", "op": "insert", "id": 6, "name": "Finn", "ward": "east", "user": "nobody's column"},
                {"time": "2026-11-23T10:10:00Z", "op": "delete", "id": 5})))
            self.assertEqual(self.register("apply", changes), {"dataset": "patient", "applied": 4, "unknown": 0, "bad": 0})
            self.write(read("null", 2, "SELECT name FROM patient WHERE ward IS NULL", 2, hour=12) +
                       read("empty", 3, "SELECT name FROM patient WHERE ward = ''", 2, hour=12) +
                       read("east", 4, "SELECT name FROM patient WHERE ward = 'east'", 1, hour=12))
            self.assertEqual(self.reached("null"), {"1", "3"})
            self.assertLessEqual({"2", "4"}, self.reached("empty"))
            self.assertEqual(self.reached("east"), {"6"})
            # A newer register from standard input; a file of another kind changes nothing.
            newer = b"id,name,ward\n1,Ada,\n2,Bo,\"\"\n3,Cem,\n4,Dilan,\"\"\n6,Finn,north\n"
            self.register("import", self.file("other.csv", "number;who\n1;Ada\n"), expect=1)
            self.assertIn("there is no column 'id'", self.said)
            self.register("import", self.file("none.csv", "id,nothing\n,\n,\n"), expect=1)
            self.assertIn("not one line could be read", self.said)
            self.assertEqual(self.register("import", "--as-of", "2026-11-23T12:40:00Z", "-", stdin=newer)["changed"], 1)
            self.write(read("north", 5, "SELECT name FROM patient WHERE ward = 'north'", 1, hour=14))
            self.assertEqual(self.reached("north"), {"6"})
            # Lines that cannot be read are told by number; the others count.
            mixed = self.file("mixed.ndjson", '{"time": "2026-11-23T14:55:00Z", "op": "delete", "id": 6}\nnot json\n\n{"op": "delete", "id": 1}\n')
            self.assertEqual(self.register("apply", mixed, expect=1), {"dataset": "patient", "applied": 1, "unknown": 0, "bad": 2})
            self.assertIn("mixed.ndjson:2: not a JSON object", self.said)
            self.assertIn("mixed.ndjson:4: it needs 'time'", self.said)
            self.assertNotIn("not json", self.said.replace("not a JSON", ""))
            missing = run("register", "apply", mixed, "--data", self.data, "--dataset", "visitor")
            self.assertEqual(missing.returncode, 1)
            self.assertIn(b"import it first", missing.stderr)
        with Tocsin(self.config):
            self.write(read("again", 6, "SELECT name FROM patient WHERE ward IS NULL", 2, hour=16))
            self.assertLessEqual({"1", "3"}, self.reached("again"))
        self.assertEqual(self.register("import", people, "--as-of", "2026-11-23T17:00:00Z")["changed"], 2)  # and without an engine
        entries = [k for k in self.kinds() if k.startswith("register-")]
        self.assertEqual(entries, ["register-imported", "register-changed", "register-imported", "register-changed", "register-imported"])
        self.assertEqual(run("ledger", "verify", "--data", self.data).returncode, 0)

    def test_a_person_is_erased_while_the_engine_runs_and_stays_erased(self):
        people = self.file("people.csv", "id,name,email\n" + "".join(f"{i},Person {i},p{i}@example.org\n" for i in range(1, 51)))
        with Tocsin(self.config):
            self.register("import", people)
            self.write(read("mallory", 1, "SELECT name FROM patient WHERE id IN (7, 8)", 2))
            self.assertEqual(self.reached("mallory"), {"7", "8"})
            for arguments, said in ((("--reason", " ", "7"), "must say why"), (("--reason", "asked", "999"), "nobody by that id")):
                done = run("forget", "--data", self.data, "--dataset", "patient", *arguments)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(said, done.stderr.decode())
            done = run("forget", "--data", self.data, "--dataset", "patient", "--reason", "asked for", "7")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.startswith(b"erased "), done.stdout)
            self.assertEqual(self.reached("mallory"), {None, "8"})  # counted still, named no more
            # A later register that still holds the person does not bring the name back.
            self.register("import", people, "--as-of", "2026-11-23T10:20:00Z")
            self.write(read("late", 2, "SELECT name FROM patient WHERE id IN (7, 9)", 2, hour=12))
            self.assertEqual(self.reached("late"), {None, "9"})
        with Tocsin(self.config):
            self.assertEqual(self.reached("mallory"), {None, "8"})
        self.assertIn("person-erased", self.kinds())
        self.assertEqual(run("ledger", "verify", "--data", self.data).returncode, 0)

    def test_several_commands_at_once_and_a_stop_in_the_middle(self):
        many = self.file("many.csv", "id,name\n" + "".join(f"{i},Person {i}\n" for i in range(1, 30_001)))
        server = Tocsin(self.config)
        self.register("import", many, "--as-of", "2026-11-23T09:00:00Z")
        done = []

        def change(number):
            changes = self.file(f"{number}.ndjson", json.dumps({"time": "2026-11-23T10:00:00Z", "op": "update", "id": number, "name": "New"}) + "\n")
            done.append(run("register", "apply", changes, "--data", self.data, "--dataset", "patient").returncode)

        threads = [threading.Thread(target=change, args=(n,)) for n in range(1, 7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(done, [0] * 6)
        # Whatever a command is told, the data is whole: either all of an import is there, or nothing of it.
        more = self.file("more.csv", "id,name\n" + "".join(f"{i},Person {i}\n" for i in range(1, 60_001)))
        outcome = []
        importing = threading.Thread(target=lambda: outcome.append(
            run("register", "import", more, "--data", self.data, "--dataset", "patient", "--as-of", "2026-11-23T09:30:00Z")))
        importing.start()
        time.sleep(0.3)
        server.stop()
        importing.join()
        with Tocsin(self.config):
            self.write(read("all", 1, "SELECT name FROM patient", 60_000, hour=12))
            count = wait_for(lambda: [int(n) for n in re.findall(rb"at most (\d+) people", run("exposed", "--data", self.data, "--actor", "all", "--pseudonyms").stderr) if int(n) > 0])[0]
        self.assertEqual(count, 60_000 if outcome[0].returncode == 0 else 30_000, outcome[0].stderr)


if __name__ == "__main__":
    unittest.main()
