"""What must last: what the log has taught about views, copies, cursors, prepared statements and accounts outlives any
stop and any number of records in between; who reached whom outlives damage to its files."""
from harness import *

FILLER = 60_000  # more than a start reads again


def audit(session, number, user, command, statement, rows="", audit_class="READ", relation="public.patient", parameters="<none>",
          day=23, kind=None):
    """One line of pgaudit; `number` is the statement's in its session."""
    quoted = '"' + statement.replace('"', '""') + '"'
    kind = kind if kind is not None else ("TABLE" if relation else "")
    second = number % 60
    return json.dumps({
        "timestamp": f"2026-11-{day:02d} 10:{number // 60 % 60:02d}:{second:02d}.{number // 3600 % 1000:03d} UTC", "user": user, "dbname": "clinic", "pid": 7,
        "remote_host": "127.0.0.1", "remote_port": 5, "session_id": session, "line_num": number, "ps": command,
        "session_start": "2026-11-23 10:00:00 UTC", "vxid": "3/8", "txid": 0, "error_severity": "LOG",
        "message": f"AUDIT: SESSION,{number},1,{audit_class},{command},{kind},{relation},{quoted},{parameters},{rows}",
        "application_name": "clinic-web", "backend_type": "client backend", "query_id": 0}) + "\n"


def filler(begin, count, user="nurse_anna", session="f11e.1"):
    return "".join(audit(session, n, user, "SELECT", f"select name from patient where id={1 + n % 900}", 1) for n in range(begin, begin + count))


class Learned(unittest.TestCase):
    def settled(self, api, written):
        def all_decoded():
            source = {s["name"]: s for s in api.get("/v1/sources")["items"]}["live"]
            return source["behind_bytes"] == 0 and source["accepted"] > 0 and api.get("/v1/exposed?actor=marker&dataset=patient")["total"] == written
        wait_for(all_decoded, 300)

    def people(self, folder, actor):
        """{id: grade} of an actor."""
        done = run("exposed", "--data", os.path.join(folder, "data"), "--actor", actor, "--json")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return {int(p["subject"]): p["grade"] for p in lines(done.stdout)}

    def test_views_copies_cursors_and_prepared_statements_outlast_stops_and_kills(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            live = open(os.path.join(folder, "live.json"), "a", encoding="utf-8")
            markers = 0

            def write(text):
                # The marker's line is the last: when it shows, all before it was seen.
                nonlocal markers
                markers += 1
                live.write(text + audit("3a4c.1", markers, "marker", "SELECT", f"select name from patient where id={markers}", 1))
                live.flush()

            server = Tocsin(config)
            api = server.api()
            api.claim(server.claim_url, "anna", "Anna")
            write(audit("0001.a", 1, "eve", "CREATE VIEW", "create view few as select id, name from patient where id in (11, 12)", 0, "DDL", "public.few", kind="VIEW") +
                  audit("0001.a", 2, "eve", "CREATE TABLE AS", "create table copied as select * from patient where id in (21, 22)", 2, "DDL", "public.copied") +
                  audit("0001.a", 2, "eve", "SELECT", "create table copied as select * from patient where id in (21, 22)", 2) +
                  audit("0001.b", 1, "carl", "DECLARE CURSOR", "declare c cursor with hold for select * from patient where id in (31, 32)", "", "MISC", "") +
                  audit("0001.c", 1, "paul", "PREPARE", "prepare q(int) as select * from patient where id = $1", "", "MISC", "") +
                  audit("0001.d", 1, "rosa", "SET", "set role boss", "", "MISC", ""))
            self.settled(api, markers)
            # One stop within, so that the memory itself is kept over more than one life.
            write(filler(1, FILLER // 2))
            self.settled(api, markers)
            server.stop()
            server = Tocsin(config)
            api = server.api()
            api.login("anna")
            write(filler(FILLER // 2 + 1, FILLER - FILLER // 2))
            self.settled(api, markers)
            server.kill()
            server = Tocsin(config)
            api = server.api()
            api.login("anna")
            write(audit("0002.a", 1, "view_reader", "SELECT", "select name from few", 2, relation="public.patient") +
                  audit("0002.b", 1, "copy_reader", "SELECT", "select * from copied", 2, relation="public.copied") +
                  audit("0001.b", 2, "carl", "FETCH", "fetch all from c", "", "MISC", "") +
                  audit("0001.c", 2, "paul", "EXECUTE", "execute q(41)", "", "MISC", "") +
                  audit("0001.d", 2, "rosa", "SELECT", "select * from patient where id = 51", 1))
            self.settled(api, markers)
            server.stop()
            live.close()
            self.assertEqual(self.people(folder, "view_reader"), {11: "exact", 12: "exact"})
            self.assertEqual(self.people(folder, "copy_reader"), {21: "exact", 22: "exact"})
            self.assertEqual(self.people(folder, "carl"), {31: "exact", 32: "exact"})
            self.assertEqual(self.people(folder, "paul"), {41: "exact"})
            self.assertEqual(self.people(folder, "rosa"), {51: "exact"})
            # What is kept of statements is not readable beside the journal.
            with open(os.path.join(folder, "data", "tocsin.db"), "rb") as f:
                self.assertNotIn(b"prepare q(int)", f.read())

    def test_a_damaged_memory_is_told_and_answers_get_wider(self):
        import sqlite3
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            path = os.path.join(folder, "live.json")
            with open(path, "a", encoding="utf-8") as live:
                live.write(audit("0001.b", 1, "carl", "DECLARE CURSOR", "declare c cursor with hold for select * from patient where id in (31, 32)", "", "MISC", "") +
                           audit("3a4c.1", 1, "marker", "SELECT", "select name from patient where id=1", 1))
            with Tocsin(config) as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                self.settled(api, 1)
            database = sqlite3.connect(os.path.join(folder, "data", "tocsin.db"))
            (kept,) = database.execute("SELECT value FROM progress_windows WHERE name = 'learned'").fetchone()
            database.execute("UPDATE progress_windows SET value = ? WHERE name = 'learned'", (kept[:40] + bytes([kept[40] ^ 1]) + kept[41:],))
            database.commit()
            database.close()
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                self.assertIn("sealed bytes were changed", server.errors())
                with open(path, "a", encoding="utf-8") as live:
                    live.write(audit("0001.b", 2, "carl", "FETCH", "fetch all from c", "", "MISC", "") +
                               audit("3a4c.1", 2, "marker", "SELECT", "select name from patient where id=2", 1))
                self.settled(api, 2)
            # Few records: they are read again, as before there was such a memory.
            self.assertEqual(self.people(folder, "carl"), {31: "exact", 32: "exact"})


class Segments(unittest.TestCase):
    """Sealed segments of the index, damaged in every way, with the journal at hand and without it."""
    RECORDS = 85_000  # 50,000 stay rows; the rest is sealed

    def answers(self, data):
        out = {}
        for name, command in (("exposed", ("exposed", "--actor", "nurse_anna")), ("who-saw 5", ("who-saw", "5")), ("who-saw 812", ("who-saw", "812"))):
            done = run(*command, "--data", data, "--json")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            # A sealed time is cut to the second.
            out[name] = sorted(re.sub(rb"(:\d\d)\.\d+Z", rb"\1Z", done.stdout).splitlines())
        return out

    def elsewhere(self, folder, archive, whole):
        """Restored from a backup of the running engine, rows and segments answer the same; then a person is erased there."""
        restored = os.path.join(folder, "restored")
        done = run("restore", "--data", restored, archive)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertTrue([f for f in os.listdir(os.path.join(restored, "exposure")) if f.endswith(".tes")])
        self.assertEqual(self.answers(restored), whole)
        done = run("forget", "--data", restored, "--dataset", "patient", "--reason", "asked for it", "812")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        # That they were reached stays known, under no name; whoever has the id can still ask who saw them.
        done = run("exposed", "--actor", "nurse_anna", "--data", restored, "--json")
        people = lines(done.stdout)
        self.assertEqual(len(people), 900)
        self.assertEqual([p for p in people if p.get("subject") == "812"], [])
        self.assertEqual(len([p for p in people if p.get("erased")]), 1)
        done = run("who-saw", "812", "--data", restored, "--json")
        self.assertEqual([(w["actor"], w["reaches"]) for w in lines(done.stdout)],
                         [(w["actor"], w["reaches"]) for w in map(json.loads, whole["who-saw 812"])])

    def restart(self, config):
        with Tocsin(config) as server:
            return server.errors()

    def test_what_was_lost_is_made_again_from_the_journal_or_said(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            data, index = os.path.join(folder, "data"), os.path.join(folder, "data", "exposure")
            with open(os.path.join(folder, "live.json"), "w", encoding="utf-8") as live:
                live.write(filler(1, self.RECORDS) + audit("3a4c.1", 1, "marker", "SELECT", "select name from patient where id=1", 1))
            with Tocsin(config) as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                wait_for(lambda: api.get("/v1/exposed?actor=marker&dataset=patient")["total"] == 1, 300)
            # A start looks whether rows can be sealed.
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                with open(os.path.join(folder, "live.json"), "a", encoding="utf-8") as live:
                    live.write(audit("3a4c.1", 2, "marker", "SELECT", "select name from patient where id=1", 1))
                wait_for(lambda: os.path.isdir(index) and os.listdir(index), 60)
                archive = os.path.join(folder, "running.tar")
                done = run("backup", "--data", data, "--with-keys", archive)
                self.assertEqual(done.returncode, 0, done.stderr.decode())
            whole = self.answers(data)
            self.assertEqual(len(whole["exposed"]), 900)
            self.elsewhere(folder, archive, whole)

            def damage(how):
                files = sorted(f for f in os.listdir(index) if f.endswith(".tes"))
                path = os.path.join(index, files[-1])
                with open(path, "rb") as f:
                    content = f.read()
                self.assertGreater(len(content), 10_000)
                if how == "removed":
                    os.remove(path)
                    return
                with open(path, "wb") as f:
                    f.write(content[:len(content) // 2] if how == "truncated"
                            else content[:3000] + bytes([content[3000] ^ 0x40]) + content[3001:])

            for round_, how in enumerate(("flipped", "truncated", "removed"), 3):
                damage(how)
                done = run("exposed", "--actor", "nurse_anna", "--data", data, "--json")
                self.assertNotEqual(done.returncode, 0, how)  # never silently smaller
                told = self.restart(config)
                self.assertIn("were made again from the journal", told, how)
                self.assertEqual(self.answers(data), whole, how)
                # It is sealed again, for the next round of damage.
                with Tocsin(config) as server:
                    api = server.api()
                    api.login("anna")
                    with open(os.path.join(folder, "live.json"), "a", encoding="utf-8") as live:
                        live.write(audit("3a4c.1", round_, "marker", "SELECT", "select name from patient where id=1", 1))
                    wait_for(lambda: "reaches sealed" in server.errors(), 60)
                self.assertEqual(self.answers(data), whole, how)

            # Without the journal it is said, at every start and in every answer, until the file is back.
            damage("removed")
            journal, log = os.path.join(data, "journal"), os.path.join(folder, "live.json")
            os.rename(journal, os.path.join(folder, "journal-elsewhere"))
            os.rename(log, os.path.join(folder, "log-elsewhere"))  # or it would be read as new
            for _ in range(2):
                told = self.restart(config)
                self.assertIn("cannot be made again from the journal", told)
                self.assertIn("the journal begins with event", told)
                done = run("exposed", "--actor", "nurse_anna", "--data", data, "--json")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(b"people would be missing", done.stderr)
            shutil.rmtree(journal)
            os.rename(os.path.join(folder, "journal-elsewhere"), journal)
            self.assertIn("were made again from the journal", self.restart(config))
            self.assertEqual(self.answers(data), whole)


class FirstTime(unittest.TestCase):
    def test_an_account_that_exported_before_the_restart_is_not_new(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}",
                                  extra="exports: {first_time_days: 30}")
            path = os.path.join(folder, "live.json")

            def export(number, user, day):
                with open(path, "a", encoding="utf-8") as live:
                    live.write(audit(f"{number:04x}.e", 1, user, "SELECT", "select * from patient", 1155, day=day))

            def first_times(api):
                found = api.get("/v1/alerts?limit=500")["items"]
                return sorted(a["actor"] for a in found for f in api.get(f"/v1/alerts/{a['id']}")["findings"] if f["rule"].endswith("first-time"))

            with Tocsin(config) as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                export(1, "usual", 1)
                wait_for(lambda: first_times(api) == ["usual"])
                server.kill()
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                export(2, "usual", 20)      # again, within thirty days: nothing new
                export(3, "stranger", 20)
                wait_for(lambda: "stranger" in first_times(api))
                self.assertEqual(first_times(api), ["stranger", "usual"])


class JournalGone(unittest.TestCase):
    """The journal disappears and the log is read again under new numbers: nobody is missing, nobody counts twice."""

    def test_nothing_doubles_that_is_known_by_its_statement(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            data, log = os.path.join(folder, "data"), os.path.join(folder, "live.json")
            with open(log, "w", encoding="utf-8") as live:
                live.write(filler(1, 400) + audit("3a4c.1", 1, "marker", "SELECT", "select name from patient where id=1", 1))

            def known(api):
                who = run("who-saw", "5", "--data", data, "--json")
                self.assertEqual(who.returncode, 0, who.stderr.decode())
                (nurse,) = [w for w in lines(who.stdout) if w["actor"] == "nurse_anna"]
                exports = [a for a in api.get("/v1/alerts?limit=500")["items"] if a["kind"] == "export"]
                return (api.get("/v1/exposed?actor=nurse_anna&dataset=patient")["total"], nurse["reaches"],
                        [(a["id"], a["findings"], a["exposure"]) for a in exports])

            with Tocsin(config) as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                wait_for(lambda: api.get("/v1/exposed?actor=marker&dataset=patient")["total"] == 1)
                before = known(api)
                self.assertEqual(before[:2], (400, 1))
                self.assertEqual(len(before[2]), 1)
            shutil.rmtree(os.path.join(data, "journal"))
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                with open(log, "a", encoding="utf-8") as live:
                    live.write(audit("3a4c.1", 2, "marker2", "SELECT", "select name from patient where id=2", 1))
                wait_for(lambda: api.get("/v1/exposed?actor=marker2&dataset=patient")["total"] == 1)
                self.assertEqual(known(api), before)


class Texts(unittest.TestCase):
    """A register imported by the command line, and an engine that starts later, twice: conditions on texts are derived."""

    def test_like_and_not_are_derived_after_a_restart(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            data, csv = os.path.join(folder, "data"), os.path.join(folder, "patients.csv")
            with open(csv, "w", encoding="utf-8") as out:
                out.write("id,name,ward\n" + "".join(f"{n},Name{n},{('north', 'South', 'eastern')[n % 3]}\n" for n in range(1, 61)))
            with Tocsin(config) as server:
                server.api().claim(server.claim_url, "anna", "Anna")
            done = run("register", "import", "--data", data, "--dataset", "patient", "--key", "id", "--as-of", "2026-11-01T00:00:00Z", csv)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            path = os.path.join(folder, "live.json")
            for round_ in (1, 2):
                with Tocsin(config) as server:
                    api = server.api()
                    api.login("anna")
                    with open(path, "a", encoding="utf-8") as live:
                        live.write(audit(f"00{round_}0.a", 1, f"like{round_}", "SELECT", "select name from patient where ward like 'nor%'", 20) +
                                   audit(f"00{round_}0.b", 1, f"not{round_}", "SELECT", "select name from patient where not ward = 'eastern'", 40))
                    for actor, people in ((f"like{round_}", 20), (f"not{round_}", 40)):
                        wait_for(lambda: api.get(f"/v1/exposed?actor={actor}&dataset=patient")["total"] > 0)
                        answer = api.get(f"/v1/exposed?actor={actor}&dataset=patient")
                        self.assertEqual((answer["grade"], answer["total"]), ("derived", people), answer)
            for name in os.listdir(data):
                if name.startswith("tocsin.db"):
                    with open(os.path.join(data, name), "rb") as f:
                        self.assertNotIn(b"eastern", f.read().replace(b"not ward = 'eastern'", b""))


class SlowExport(unittest.TestCase):
    """One person after the other: the count of different people goes on over a stop and a kill, and rings once."""

    def test_one_by_one_is_found_once_although_the_engine_was_stopped_in_the_middle(self):
        with Folder() as folder:
            config = write_config(folder, "  channel: mailbox", sources="\n  - {name: live, file: live.json, format: pgaudit-json}")
            path = os.path.join(folder, "live.json")

            def read(begin, end):
                with open(path, "a", encoding="utf-8") as live:
                    live.write(filler(begin, end - begin, "slow_sam", "510a.1"))

            def people(api):
                return api.get("/v1/exposed?actor=slow_sam&dataset=patient")["total"]

            def slow(api):
                return [(a, f) for a in api.get("/v1/alerts?limit=500")["items"] for f in api.get(f"/v1/alerts/{a['id']}")["findings"]
                        if f["rule"] == "tocsin.export.one-by-one"]

            with Tocsin(config) as server:
                api = server.api()
                api.claim(server.claim_url, "anna", "Anna")
                read(1, 151)
                wait_for(lambda: people(api) == 150)
                self.assertEqual(slow(api), [])
                server.kill()
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                read(151, 200)
                wait_for(lambda: people(api) == 199)
                self.assertEqual(slow(api), [])
                read(200, 231)
                wait_for(lambda: people(api) == 230)
                wait_for(lambda: len(slow(api)) == 1)
                server.stop()
            with Tocsin(config) as server:
                api = server.api()
                api.login("anna")
                read(231, 261)
                wait_for(lambda: people(api) == 260)
                wait_for(lambda: slow(api)[0][1]["exposure"]["at_least"] == 260)
                (alert, finding), = slow(api)
                self.assertEqual(finding["exposure"], {"grade": "exact", "at_least": 260, "at_most": 260})
                exports = [a for a in api.get("/v1/alerts?limit=500")["items"] if a["actor"] == "slow_sam" and a["kind"] == "export"]
                self.assertEqual([a["id"] for a in exports], [alert["id"]])


if __name__ == "__main__":
    unittest.main()
