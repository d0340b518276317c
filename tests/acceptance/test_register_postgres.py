"""A register taken from a real PostgreSQL 15: whole, then only what is new; what goes wrong is said, and nothing is kept of it."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import Folder, free_port, run

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
try:
    import psycopg
    MISSING = None if BIN.is_dir() else "PostgreSQL 15 is not installed"
except ImportError as error:
    MISSING = f"not installed: {error.name}"


class Server:
    """A PostgreSQL of its own, on this machine only."""

    def __init__(self):
        self.port = free_port()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-register-"))
        self.user = []
        if os.getuid() == 0:
            shutil.chown(self.dir, "postgres")
            self.user = ["runuser", "-u", "postgres", "--"]
        self.run("initdb", "-D", self.dir / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        self.run("pg_ctl", "-D", self.dir / "data", "-l", self.dir / "log", "-w", "-o",
                 f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.dir} -c fsync=off", "start")

    def run(self, program, *arguments):
        subprocess.run([*self.user, str(BIN / program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd=self.dir)

    def stop(self):
        self.run("pg_ctl", "-D", self.dir / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.dir)


QUERY = "SELECT id, full_name AS name, email, country, born, changed FROM crm.person ORDER BY id;"


@unittest.skipIf(MISSING, MISSING)
class RegisterFromPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.port = cls.server.port
        cls.addClassCleanup(cls.server.stop)
        cls.database = psycopg.connect(host="127.0.0.1", port=cls.port, user="postgres", dbname="postgres", autocommit=True)
        cls.addClassCleanup(cls.database.close)
        cls.database.execute("CREATE SCHEMA crm; CREATE ROLE register LOGIN; GRANT USAGE ON SCHEMA crm TO register")
        cls.database.execute("CREATE TABLE crm.person (id int, full_name text, email text, country text, born date, changed timestamptz)")
        cls.database.execute("GRANT SELECT ON crm.person TO register; CREATE SEQUENCE crm.s; GRANT ALL ON SEQUENCE crm.s TO register")

    def setUp(self):
        folder = Folder()
        self.folder = folder.__enter__()
        self.addCleanup(folder.__exit__)
        self.data = os.path.join(self.folder, "data")
        self.database.execute("TRUNCATE crm.person")
        for n, name in enumerate(["Xanthippe Öz", 'Quote "Q" O\'Brien', "Line\nBreak, Comma"], 1):
            self.put(n, name, f"2026-01-0{n}")

    def put(self, n, name, changed):
        self.database.execute("INSERT INTO crm.person VALUES (%s, %s, %s, 'DE', '1980-02-03', %s)", (n, name, f"p{n}@example.org", changed))

    def take(self, *more, query=QUERY, connection=None, env=None):
        connection = f"host=127.0.0.1 port={self.port} dbname=postgres user=register" if connection is None else connection
        return run("register", "import", "--data", self.data, "--dataset", "person", "--json", "--postgres", connection, "--query", query, *more, env=env)

    def counts(self, done):
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        counts = json.loads(done.stdout)
        return tuple(counts[key] for key in ("added", "changed", "unchanged", "gone", "bad"))

    def test_whole_then_whole_again(self):
        self.assertEqual(self.counts(self.take()), (3, 0, 0, 0, 0))
        self.database.execute("UPDATE crm.person SET email = 'new@example.org' WHERE id = 1; DELETE FROM crm.person WHERE id = 2")
        self.put(4, "Four", "2026-02-01")
        self.assertEqual(self.counts(self.take()), (1, 1, 1, 1, 0))
        self.assertEqual(self.counts(self.take()), (0, 0, 3, 0, 0))

    def test_only_what_is_new(self):
        self.assertEqual(self.counts(self.take("--since", "changed")), (3, 0, 0, 0, 0))
        self.database.execute("DELETE FROM crm.person WHERE id = 2")
        self.database.execute("UPDATE crm.person SET country = 'AT', changed = '2026-03-01' WHERE id = 1")
        self.put(4, "Four", "2026-03-02")
        # Row 3 has the greatest value of the last time and is read once more; nobody leaves by rows that do not come.
        self.assertEqual(self.counts(self.take("--since", "changed")), (1, 1, 1, 0, 0))
        self.assertEqual(self.counts(self.take("--since", "changed")), (0, 0, 1, 0, 0))
        # Another query begins anew, and the whole comparison ends who is gone.
        self.assertEqual(self.counts(self.take("--since", "changed", query="TABLE crm.person")), (0, 3, 0, 1, 0))
        self.assertEqual(self.counts(self.take()), (0, 0, 3, 0, 0))

    def test_a_large_register_and_odd_values(self):
        self.database.execute("TRUNCATE crm.person; INSERT INTO crm.person SELECT i, 'P' || i, NULL, 'FR', '1990-01-01', now() FROM generate_series(1, 50000) i")
        self.assertEqual(self.counts(self.take()), (50000, 0, 0, 0, 0))
        self.assertEqual(self.counts(self.take()), (0, 0, 50000, 0, 0))

    def test_nothing_personal_lies_open(self):
        self.counts(self.take("--since", "changed"))
        for folder, _, names in os.walk(self.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    held = file.read()
                for secret in (b"Xanthippe", b"p1@example.org", b"1980-02-03", b"2026-01-03 00:00"):
                    self.assertNotIn(secret, held, os.path.join(folder, name))

    def test_errors_are_clear_and_change_nothing(self):
        self.assertEqual(self.counts(self.take()), (3, 0, 0, 0, 0))
        where = f"host=127.0.0.1 port={self.port} dbname=postgres user=register"
        rows = [
            ("no server", {"connection": f"host=127.0.0.1 port={free_port()} dbname=x"}, b"cannot connect to PostgreSQL"),
            ("no such database", {"connection": where.replace("postgres", "nowhere")}, b'database "nowhere" does not exist'),
            ("no connection string", {"connection": "host=a secretword"}, b"no connection string"),
            ("a password", {"connection": where + " password=secretword"}, b"seen by everybody"),
            ("a password in an address", {"connection": f"postgresql://register:secretword@127.0.0.1:{self.port}/postgres"}, b"seen by everybody"),
            ("no such column", {"query": "SELECT idd FROM crm.person"}, b'column "idd" does not exist'),
            ("no key", {"query": "SELECT id AS idd FROM crm.person"}, b"no column 'id' (did you mean 'idd'?)"),
            ("no such table", {"query": "SELECT * FROM nowhere"}, b'relation "nowhere" does not exist'),
            ("a value that does not fit", {"query": "SELECT id, full_name::int FROM crm.person"}, b"does not fit its type (SQLSTATE 22P02)"),
            ("broken off after many rows", {"query": "SELECT i AS id, 1 / (40000 - i) AS x FROM generate_series(1, 50000) i"}, b"does not fit its type (SQLSTATE 22012)"),
            ("not allowed", {"query": "SELECT * FROM pg_authid"}, b"permission denied"),
            ("a write", {"query": "WITH d AS (DELETE FROM crm.person RETURNING id) SELECT * FROM d"}, b"writes nothing"),
            ("a write in a function", {"query": "SELECT nextval('crm.s') AS id"}, b"read-only transaction"),
            ("two statements", {"query": "SELECT 1 AS id; DELETE FROM crm.person"}, b"query"),
            ("out of the brackets", {"query": "SELECT 1 AS id) TO PROGRAM 'cat' --"}, b"query"),
            ("no SELECT", {"query": "DELETE FROM crm.person"}, b"query"),
            ("nobody", {"query": "SELECT id FROM crm.person WHERE false"}, b"not one line"),
        ]
        for name, arguments, words in rows:
            with self.subTest(name):
                done = self.take(**arguments)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(words, done.stderr)
                self.assertNotIn(b"secretword", done.stderr)
                self.assertNotIn(b"Xanthippe", done.stderr)
        self.assertNotEqual(self.take("--since", "nothing").returncode, 0)
        self.assertEqual(self.counts(self.take()), (0, 0, 3, 0, 0))

    def test_the_environment_names_the_server(self):
        done = self.take(connection="", env={"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGDATABASE": "postgres", "PGUSER": "register"})
        self.assertEqual(self.counts(done), (3, 0, 0, 0, 0))

    def test_a_password_comes_from_a_file(self):
        self.database.execute("SET password_encryption = 'scram-sha-256'; ALTER ROLE register PASSWORD 'secretword'")
        hba = self.server.dir / "data" / "pg_hba.conf"
        before = hba.read_text()
        hba.write_text("host all register all scram-sha-256\n" + before)
        self.addCleanup(lambda: (hba.write_text(before), self.database.execute("SELECT pg_reload_conf()")))
        self.database.execute("SELECT pg_reload_conf()")
        self.assertIn(b"cannot connect", self.take(env={"PGPASSFILE": "/dev/null"}).stderr)
        passes = os.path.join(self.folder, "pgpass")
        with open(os.open(passes, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write("127.0.0.1:*:*:register:secretword\n")
        self.assertEqual(self.counts(self.take(env={"PGPASSFILE": passes})), (3, 0, 0, 0, 0))


if __name__ == "__main__":
    unittest.main()
