#!/usr/bin/python3
"""Every way out of a real MariaDB, and random queries, with the truth about who was reached.

Starts a MariaDB with the server_audit plug-in in a directory of its own, runs statements as one user, asks a second
connection who was in each result, and writes OUT/server_audit.log, OUT/patient.csv, OUT/as_of and OUT/truth.ndjson
({"tag", "way", "ids"}; the tag is a comment inside the statement). tests/unit/engine/exposure/live_test.cpp holds
Tocsin's answers against it:

    tests/live/mysql_ways_out.py --out /tmp/ways --queries 500 --seed 1
    TOCSIN_LIVE_CAPTURE=/tmp/ways build/dev/tests/unit/engine/exposure/test_exposure_live
"""
import argparse
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time

import pymysql

import grammar

PEOPLE = 5000


class Server:
    def __init__(self, port, limit, events):
        self.port = port
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-my-"))
        self.user = []
        if os.getuid() == 0:
            shutil.chown(self.dir, "mysql")
            self.user = ["runuser", "-u", "mysql", "--"]
        data = self.dir / "data"
        self.audit = self.dir / "server_audit.log"
        subprocess.run([*self.user, "mkdir", data, self.dir / "out"], check=True)
        subprocess.run([*self.user, "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
                        "--auth-root-authentication-method=normal"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self.dir)
        self.process = subprocess.Popen(
            [*self.user, "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.dir}/s", f"--pid-file={self.dir}/pid",
             "--bind-address=127.0.0.1", f"--port={port}", "--plugin-load-add=server_audit", "--server-audit-logging=ON",
             f"--server-audit-events={events}", f"--server-audit-file-path={self.audit}", "--secure-file-priv=",
             f"--server-audit-query-log-limit={limit}", "--server-audit-file-rotate-size=1000000000", "--default-time-zone=+00:00", "--innodb-flush-log-at-trx-commit=0",
             "--local-infile=1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TZ": "UTC"})
        for _ in range(150):
            try:
                self.connect().close()
                return
            except pymysql.Error:
                time.sleep(0.2)
        raise SystemExit("MariaDB does not start")

    def connect(self, user="root", database=None):
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, database=database, autocommit=True, local_infile=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)


# What letters are equal differs a lot.
COLLATIONS = ["general_ci", "unicode_ci", "swedish_ci", "danish_ci", "turkish_ci", "lithuanian_ci", "roman_ci", "estonian_ci", "german2_ci",
              "hungarian_ci", "spanish2_ci", "unicode_520_nopad_ci", "nopad_bin", "uca1400_ai_ci", "uca1400_swedish_as_cs"]


class Capture:
    def __init__(self, server, out, seed, limit):
        self.rng = random.Random(seed)
        self.grammar = grammar.MariaDb(self.rng, PEOPLE)
        self.server = server
        self.limit = limit
        self.out = out
        self.n = 0
        self.next_id = 20_000
        self.truth = []
        self.judge = server.connect()
        self.ask(f"create database clinic character set utf8mb4 collate utf8mb4_{COLLATIONS[seed % len(COLLATIONS)]}")
        self.ask("use clinic")
        self.ask("create table patient(id int primary key auto_increment, name varchar(60) not null, email varchar(60) unique, birth_date date, country char(2), weight decimal(5,1), active boolean)")
        self.ask("create table visit(id bigint primary key auto_increment, patient_id int not null, ward varchar(20), reason varchar(40), key(patient_id))")
        people = grammar.people(self.rng, PEOPLE)
        with self.judge.cursor() as c:
            c.executemany("insert into patient values (%s, %s, %s, %s, %s, %s, %s)", people)
            c.executemany("insert into visit(patient_id, ward, reason) values (%s, %s, %s)",
                          [(self.rng.randint(1, PEOPLE), self.rng.choice(grammar.WARDS), None if i % 9 == 0 else 'check-up') for i in range(PEOPLE * 2)])
        for ddl in ["create view contact as select id, name, email from patient where country in ('DE','AT')",
                    "create view contact_names(number, called) as select id, name from contact",
                    "create view everyone as select country, group_concat(name) as people from patient group by country",
                    "create function name_of(i int) returns varchar(60) reads sql data return (select name from patient where id = i)",
                    "create user rita", "grant all on *.* to rita"]:
            self.ask(ddl)
        grammar.write_register(out / "patient.csv", people, "1", "0")
        time.sleep(1.1)
        (out / "as_of").write_text(datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        time.sleep(1.1)
        self.rita = server.connect("rita", "clinic")

    def ask(self, sql):
        with self.judge.cursor() as c:
            c.execute(sql)
            return c.fetchall()

    def tag(self):
        self.n += 1
        return f"/*{self.n}#*/"

    def ids(self, query):
        return sorted({row[0] for row in self.ask(query) if row[0] is not None})

    def tell(self, tag, way, ids):
        self.truth.append({"tag": tag, "way": way, "ids": grammar.ranges(ids)})

    def send(self, sql):
        with self.rita.cursor() as c:
            c.execute(sql)
            return c.fetchall()

    # ---- ways of running it

    late = False

    def one(self):
        r = self.rng
        sql, who = self.grammar.query()
        ids = self.ids(who)
        tag = self.tag()
        locking = sql.endswith("for update") or sql.endswith("share mode")
        way = r.choice(["select", "select", "select", "select", "outfile", "prepared", "immediate", "copied", "inserted", "explain", "temporary", "commented"])
        if way == "select" or locking:
            way = "select"
            self.send(f"{sql} {tag}")
        elif way == "commented":
            self.send(f"/* app:ward */ {sql.replace('select', 'SELECT /*!40001 SQL_NO_CACHE */', 1)} {tag} -- end")
        elif way == "outfile":
            self.send(f"{sql} into outfile '{self.server.dir}/out/{self.n}' fields terminated by ',' {tag}")
        elif way == "prepared":
            quoted = sql.replace("\\", "\\\\").replace("'", "''")
            self.send(f"prepare q{self.n} from '{quoted} {tag}'")
            self.send(f"execute q{self.n}")
            self.send(f"deallocate prepare q{self.n}")
        elif way == "immediate":
            quoted = sql.replace("\\", "\\\\").replace("'", "''")
            self.send(f"execute immediate '{quoted} {tag}'")
        elif way in ("copied", "temporary"):
            try:
                self.send(f"create {'temporary ' if way == 'temporary' else ''}table t{self.n} {r.choice(['as ', ''])}{sql}")
                self.send(f"select * from t{self.n} {tag}")
            except pymysql.Error:  # two columns of one name
                ids = []
        elif way == "inserted":
            where = self.grammar.condition("p", None)
            ids = self.ids(f"select id from patient p where {where}")
            self.send(f"create table i{self.n}(number int, called varchar(60))")
            self.send(f"insert into i{self.n}(called, number) select name, id from patient p where {where}")
            n = r.randint(1, PEOPLE)
            if r.random() < 0.5:
                self.send(f"select called from i{self.n} {tag}")
            else:
                ids = [i for i in ids if i < n]
                self.send(f"select called from i{self.n} where number < {n} {tag}")
        elif way == "explain":
            self.send(f"{r.choice(['explain', 'analyze'])} {sql} {tag}")
            ids = []
        self.tell(tag, way, ids)

    def measured(self):
        """What is exact, or derived from registered attributes that are plain texts, numbers or dates: the truth itself."""
        kind, sql, who = self.grammar.plain()
        # Left out: names, as letters with accents may be equal to others, and tenths, which a FLOAT does not hold.
        while "name" in who or re.search(r"[.][1-46-9]", who):
            kind, sql, who = self.grammar.plain()
        ids = self.ids(who)
        tag = self.tag()
        self.send(f"{sql} {tag}")
        self.tell(tag, f"{kind} by select", ids)

    def special(self):
        r = self.rng
        tag = self.tag()
        n = r.randint(1, PEOPLE)
        kind = r.randint(0, 16)
        everyone = lambda: self.ids("select id from patient")
        way, ids = "special", []
        if kind == 0:
            way, ids = "handler", [self.ask("select id from patient order by id limit 1")[0][0]]
            self.send("handler patient open")
            self.send(f"handler patient read `PRIMARY` first {tag}")
            self.send("handler patient close")
        elif kind == 1:
            way, ids = "handler", self.ids("select id from patient order by id limit 20")
            self.send("handler patient open as h")
            self.send(f"handler h read `PRIMARY` next limit 20 {tag}")
            self.send("handler h close")
        elif kind == 2:
            way, ids = "variable", self.ids(f"select id from patient where id = {n}")
            self.send(f"set @n = (select name from patient where id = {n}) {tag}")
            self.send("select @n")
        elif kind == 3:
            way, ids = "procedure", self.ids(f"select id from patient where id = {n}")
            self.send(f"create procedure look_up{self.n}(i int) begin select name from patient {tag} where id = i; end")
            self.send(f"call look_up{self.n}({n})")
        elif kind == 4:
            way, ids = "mysqldump", everyone()
            subprocess.run(["mariadb-dump", "--no-defaults", "-h127.0.0.1", f"-P{self.server.port}", "-urita", "clinic", "patient", f"--where=1=1 {tag}"],
                           check=True, stdout=subprocess.DEVNULL)
        elif kind == 5:
            way, ids = "locked", self.ids(f"select id from contact where id < {n}")
            self.send("lock tables patient read, contact read")
            self.send(f"select * from contact where id < {n} {tag}")
            self.send("unlock tables")
        elif kind == 6:
            way, ids = "long", self.ids(f"select id from patient where id = {n} or id < {n}")
            # The second half of the condition lies beyond the limit of the log.
            self.send(f"select name from patient where {tag} id = {n} or ({' or '.join(['id = 0'] * (self.limit // 5))}) or id < {n}")
        elif kind == 7:
            way, ids = "failed", []
            try:
                self.send(f"select nosuch from patient {tag}")
            except pymysql.Error:
                pass
        elif kind == 8:
            way, ids = "returning", self.ids(f"select id from patient where id = {n}")
            self.send(f"delete from patient where id = {n} returning * {tag}")
        elif kind == 9:
            way, ids = "returning", [n]
            self.send(f"insert into visit(patient_id, ward) values ({n}, 'surgery') returning patient_id {tag}")
        elif kind == 10:
            self.next_id += 1
            way = "write"
            self.send(r.choice([
                f"insert into patient(id, name, email, country) values ({self.next_id}, 'New', 'n{self.next_id}@example.org', 'DE') {tag}",
                f"insert into patient set id = {self.next_id}, name = 'Set', email = 's{self.next_id}@example.org' {tag}",
                f"replace into patient(id, name, email, country) values ({self.next_id}, 'Rep', 'r{self.next_id}@example.org', 'AT') {tag}",
                f"insert into patient(name, email) values ('Auto', 'a{self.next_id}@example.org') {tag}" if self.late else f"update patient p join visit v on v.patient_id = p.id set p.country = 'PL' where p.id = {n} {tag}",
                f"update patient set email = 'u{self.next_id}@example.org' where id = {n} order by id limit 1 {tag}"][:5 if self.late else 3]))
        elif kind == 11:
            way, ids = "rolled back", self.ids(f"select id from patient where id = {n}")
            self.send("start transaction")
            self.send(f"delete from patient where id = {n}")
            self.send("rollback")
            self.send(f"select * from patient where id between {n} and {n} {tag}")
        elif kind == 12:
            way, ids = "whole", everyone()
            self.send(r.choice([f"select * from patient {tag}", f"select * from `clinic`.`patient` {tag}", f"select {tag} * from patient where 1=1",
                                f"SELECT name FROM Patient{tag}" if False else f"(select name from patient) {tag}"]))
        elif kind == 14:  # no case, no accents, no trailing blanks: so do utf8mb4_general_ci and its like compare
            way = "collation"
            where = r.choice(["name = 'cagla'", "name = 'DORTE   '", "name in ('emile', 'DE')", "name between 'c' and 'f'", "name < 'É'", "name like 'é%'", "country = 'de '", "name > 'ß'",
                              "email like 'P1%' and name <> 'bela '", "name = 'dorte' collate utf8mb4_bin", "name collate utf8mb4_unicode_ci = 'çagla'", "cast(id as char) between '5' and '6'"])
            ids = self.ids(f"select id from patient where {where}")
            self.send(f"select email from patient where {where} {tag}")
        elif kind == 15:
            way, ids = "copy, changed", self.ids(f"select id from patient where id < {n}")
            self.send(f"create table u{self.n} as select id, name from patient where id < {n}")
            self.send(f"update u{self.n} set id = id + 100000")
            self.send(f"select name from u{self.n} where id > 100000 {tag}")
        elif kind == 16:
            way, ids = "copy by trigger", self.ids(f"select id from patient where id = {n}")
            self.send(f"create table h{self.n}(number int, called varchar(60))")
            self.send(f"create table f{self.n}(number int)")
            self.send(f"create trigger g{self.n} after insert on f{self.n} for each row insert into h{self.n} select id, name from patient where id = new.number")
            self.send(f"insert into f{self.n} values ({n})")
            self.send(f"select called from h{self.n} {tag}")
        else:
            way = "paging"
            ids = self.ids(f"select id from patient order by id limit {n % 300}, 20")
            self.send(f"select * from patient order by id limit {n % 300}, 20 {tag}")
        self.tell(tag, way, ids)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=54482)
    parser.add_argument("--limit", type=int, default=1024)
    parser.add_argument("--events", default="CONNECT,QUERY,TABLE")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    server = Server(args.port, args.limit, args.events)
    try:
        capture = Capture(server, args.out, args.seed, args.limit)
        for _ in range(300):  # before anything has changed
            capture.measured()
        for i in range(args.queries):
            capture.late = i > args.queries * 0.9  # from then on, writes that cannot be followed: every range becomes "anyone"
            try:
                # The first half changes nobody, so that conditions on attributes are judged.
                capture.special() if i > args.queries / 2 and capture.rng.random() < 0.4 else capture.one()
            except pymysql.Error:  # a value that does not fit a column of a copy: nothing was read by the tagged statement
                capture.send("unlock tables")
        capture.rita.close()
        capture.judge.close()
        time.sleep(0.3)
        with open(args.out / "truth.ndjson", "w") as f:
            for row in capture.truth:
                f.write(json.dumps(row, ensure_ascii=False) + "\n")
        (args.out / "server_audit.log").write_bytes(server.audit.read_bytes())
    finally:
        server.stop()


if __name__ == "__main__":
    main()
