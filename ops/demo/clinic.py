#!/usr/bin/python3
"""A small clinic at work, and a theft: the workload behind the demo recording (ops/demo/record).

Everyone here is invented. Staff look patients up through the clinic's application, a nightly job exports a
statistic, and mallory, a contractor with a read-only reporting account, takes the patients in three ways.
The application writes its own log; a careless debug line puts a password into it.

What the database really handed out is kept beside the logs in truth.ndjson, taken from the rows received,
never from the log.
"""
import argparse
import csv
import datetime
import itertools
import json
import os
import random
import subprocess
import threading
import time

import psycopg

SEED = 20261123
PATIENTS = 1200
FIRST = ("Ada Alma Amir Anja Anton Aylin Bela Bruno Carla Cem Chiara Clara Dario Dilan Edda Elias Elif Emil Enzo Esra "
         "Fatima Felix Finn Frida Gero Greta Hanna Henri Ida Ilay Ines Ivan Jana Jonas Juna Kaan Karl Kira Lara Lea Leon "
         "Lina Luca Mara Marlon Mats Mila Mina Mona Nael Nele Nora Olga Oskar Paula Pia Ravi Rosa Samir Selma Sofia Tilda "
         "Timo Uma Veit Wanda Yara Yusuf Zoe").split()
LAST = ("Abel Adler Akin Albrecht Arslan Bachmann Becker Bianchi Brandt Busch Castell Costa Demir Dietz Dubois Eder Egger "
        "Falk Ferrari Fink Franke Gerber Graf Gruber Haas Hartl Heller Horvat Ilic Jansen Jovanovic Kaya Keller Kern Klein "
        "Koch Kovacs Krause Lang Lehner Lindner Lorenz Maier Marek Moreau Moser Nagy Novak Oswald Peters Pichler Reiter "
        "Ricci Roth Sauer Schmid Seidl Sommer Steiner Szabo Thaler Toth Ulrich Vogt Wagner Weber Winkler Yilmaz Zeller").split()
COUNTRIES = (("DE", "de", 62), ("AT", "de", 22), ("FR", "fr", 8), ("IT", "it", 5), ("NL", "nl", 3))
WARDS = ("cardiology", "surgery", "oncology", "maternity", "paediatrics", "psychiatry")
REASONS = ("check-up", "follow-up", "emergency", "vaccination", "laboratory", "consultation")


def people(rng):
    for number in range(1, PATIENTS + 1):
        if rng.random() < 0.03:  # people who left: ids have gaps, as in life
            continue
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        code, language, _ = rng.choices(COUNTRIES, weights=[c[2] for c in COUNTRIES])[0]
        mail = name.lower().replace(" ", ".") + f".{number}@example.org"
        born = datetime.date(1936, 1, 1) + datetime.timedelta(days=rng.randrange(31000))
        yield number, name, mail, f"+49 1520 555{number:04d}", born.isoformat(), code, language


class Clinic:
    def __init__(self, port, out, binaries):
        self.port, self.out, self.binaries = port, out, binaries
        self.rng = random.Random(SEED)
        self.lock = threading.Lock()
        self.truth = open(os.path.join(out, "truth.ndjson"), "w", encoding="utf-8")
        self.app_log = open(os.path.join(out, "clinic-app.log"), "w", encoding="utf-8")
        self.people = list(people(self.rng))
        self.ids = [p[0] for p in self.people]

    def connect(self, user, address, application, database="clinic", **kw):
        return psycopg.connect(host="127.0.0.1", port=self.port, user=user, dbname=database, autocommit=True,
                               application_name=application, **kw)

    def log(self, level, message, **fields):
        """One line of the application's own log, in logfmt."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pairs = " ".join(f'{k}="{v}"' if " " in str(v) else f"{k}={v}" for k, v in fields.items())
        with self.lock:
            self.app_log.write(f'ts={now} level={level} app=clinic-web msg="{message}" {pairs}'.rstrip() + "\n")

    def tell(self, case, label, user, statement, ids, start):
        end = datetime.datetime.now(datetime.timezone.utc)
        record = {"case": case, "label": label, "user": user, "statement": statement,
                  "start": start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                  "end": end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                  "people": len(set(ids)), "ids": sorted(set(ids))}
        with self.lock:
            self.truth.write(json.dumps(record, ensure_ascii=False) + "\n")

    def read(self, connection, case, label, user, statement, parameters=(), key=0, prepare=None):
        start = datetime.datetime.now(datetime.timezone.utc)
        rows = connection.execute(statement, parameters, prepare=prepare).fetchall()
        self.tell(case, label, user, statement, [int(r[key]) for r in rows], start)
        return rows

    def set_up(self):
        with self.connect("postgres", "127.0.0.1", "psql", database="postgres") as c:
            c.execute("CREATE DATABASE clinic")
        # The load is the administrator's work, not the clinic's: pgaudit stays silent while it runs.
        with self.connect("postgres", "127.0.0.1", "psql", options="-c pgaudit.log=none") as c:
            c.execute("CREATE EXTENSION pgaudit")
            c.execute("CREATE TABLE patient(id int PRIMARY KEY, name text NOT NULL, email text, phone text, "
                      "birth_date date, country char(2), language char(2))")
            c.execute("CREATE TABLE visit(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, patient_id int NOT NULL, "
                      "visited_on date NOT NULL, ward text NOT NULL, reason text NOT NULL)")
            with c.cursor().copy("COPY patient FROM STDIN") as copy:
                for person in self.people:
                    copy.write_row(person)
            with c.cursor().copy("COPY visit(patient_id, visited_on, ward, reason) FROM STDIN") as copy:
                for number in self.ids:
                    for _ in range(self.rng.randrange(4)):
                        day = datetime.date(2026, 11, 23) - datetime.timedelta(days=self.rng.randrange(700))
                        copy.write_row((number, day, self.rng.choice(WARDS), self.rng.choice(REASONS)))
            c.execute("CREATE VIEW patient_contact AS SELECT id, name, email FROM patient")
            c.execute("CREATE TABLE staff_salary(account text, monthly int)")
            for role in ("nurse_anna", "nurse_bela", "dr_costa", "clerk_dina", "etl", "mallory"):
                c.execute(f"CREATE ROLE {role} LOGIN")
            c.execute("GRANT SELECT, INSERT, UPDATE ON patient, visit TO nurse_anna, nurse_bela, dr_costa, clerk_dina")
            c.execute("GRANT SELECT ON patient, visit, patient_contact TO mallory, etl")
        with open(os.path.join(self.out, "patients.csv"), "w", newline="", encoding="utf-8") as f:
            writer = csv.writer(f, lineterminator="\n")
            writer.writerow(("id", "name", "email", "phone", "birth_date", "country", "language"))
            writer.writerows(self.people)

    def staff(self, user, seed, rounds):
        """One person at work through the application: look-ups of single patients, with bound parameters."""
        rng = random.Random(seed)
        with self.connect(user, "127.0.0.1", "clinic-web") as c:
            self.log("info", "signed in", user=user, session=f"{seed:x}")
            for _ in range(rounds):
                number = rng.choice(self.ids)
                choice = rng.random()
                if choice < 0.55:
                    self.read(c, "point", "normal", user,
                              "SELECT id, name, email, phone, birth_date FROM patient WHERE id = %s", (number,), prepare=True)
                    self.log("info", "record opened", user=user, patient=number, ms=rng.randrange(2, 30))
                elif choice < 0.85:
                    self.read(c, "visits", "normal", user, "SELECT patient_id, visited_on, ward, reason FROM visit "
                              "WHERE patient_id = %s ORDER BY visited_on DESC LIMIT 10", (number,), prepare=True)
                    self.log("info", "visits listed", user=user, patient=number, ms=rng.randrange(2, 40))
                else:
                    c.execute("INSERT INTO visit(patient_id, visited_on, ward, reason) VALUES (%s, current_date, %s, %s)",
                              (number, rng.choice(WARDS), rng.choice(REASONS)))
                    self.log("info", "visit added", user=user, patient=number, ms=rng.randrange(2, 40))
                time.sleep(rng.random() * 0.02)
            self.log("info", "signed out", user=user, session=f"{seed:x}")

    def day(self):
        team = [("nurse_anna", 11, 60), ("nurse_bela", 12, 60), ("dr_costa", 13, 60), ("clerk_dina", 14, 60)]
        threads = [threading.Thread(target=self.staff, args=member) for member in team]
        for t in threads:
            t.start()
        time.sleep(0.4)
        # The careless debug line: a sign-in that failed its form check is logged with what was typed.
        for attempt in range(3):
            self.log("debug", "sign-in form rejected", user="dr_costa", reason="otp missing",
                     form=f"login=dr_costa&password=Herbstlaub-4711!&otp=&try={attempt + 1}")
            time.sleep(0.05)
        self.report()
        for t in threads:
            t.join()

    def report(self):
        """The lawful nightly export: age and country of everyone, for the statistics office."""
        with self.connect("etl", "127.0.0.1", "nightly-report") as c:
            start = datetime.datetime.now(datetime.timezone.utc)
            statement = "COPY (SELECT id, country, date_part('year', birth_date)::int FROM patient ORDER BY id) TO STDOUT"
            with c.cursor().copy(statement) as copy:
                ids = [int(row[0]) for row in copy.rows()]
            self.tell("nightly_report", "etl", "etl", statement, ids, start)

    def theft(self):
        with self.connect("mallory", "127.0.0.1", "psql") as c:
            self.read(c, "look_around", "normal", "mallory", "SELECT id, name FROM patient WHERE id = 17")
            try:
                c.execute("SELECT * FROM staff_salary").fetchall()
            except psycopg.errors.InsufficientPrivilege:
                pass
            statement = "COPY patient TO STDOUT"
            start = datetime.datetime.now(datetime.timezone.utc)
            with c.cursor().copy(statement) as copy:
                ids = [int(row[0]) for row in copy.rows()]
            self.tell("copy", "export", "mallory", statement, ids, start)
            start = datetime.datetime.now(datetime.timezone.utc)
            c.execute("BEGIN")
            c.execute("DECLARE c CURSOR FOR SELECT * FROM visit ORDER BY id")
            ids = []
            for n in itertools.count():
                rows = c.execute("FETCH 250 FROM c").fetchall()
                ids += [int(r[1]) for r in rows]
                if not rows:
                    break
            c.execute("COMMIT")
            self.tell("cursor", "export", "mallory", "FETCH 250 FROM c", ids, start)
        start = datetime.datetime.now(datetime.timezone.utc)
        dump = subprocess.run([os.path.join(self.binaries, "pg_dump"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "mallory",
                               "--inserts", "-t", "patient", "clinic"], check=True, capture_output=True, text=True).stdout
        ids = [int(line.split("VALUES (")[1].split(",")[0]) for line in dump.splitlines() if line.startswith("INSERT")]
        self.tell("pg_dump_inserts", "export", "mallory", "pg_dump --inserts -t patient clinic", ids, start)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--bin", required=True)
    a = arguments.parse_args()
    clinic = Clinic(a.port, a.out, a.bin)
    clinic.set_up()
    clinic.day()
    clinic.theft()
    clinic.truth.close()
    clinic.app_log.close()


if __name__ == "__main__":
    main()
