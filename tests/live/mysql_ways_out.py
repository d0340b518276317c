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
import csv
import datetime
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import pymysql

COUNTRIES = ["DE", "AT", "FR", "NL", "PL"]
WARDS = ["surgery", "oncology", "maternity"]
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


class Capture:
    def __init__(self, server, out, seed, limit):
        self.rng = random.Random(seed)
        self.server = server
        self.limit = limit
        self.out = out
        self.n = 0
        self.next_id = 20_000
        self.truth = []
        self.judge = server.connect()
        self.ask("create database clinic character set utf8mb4")
        self.ask("use clinic")
        self.ask("create table patient(id int primary key auto_increment, name varchar(60) not null, email varchar(60) unique, birth_date date, country char(2))")
        self.ask("create table visit(id bigint primary key auto_increment, patient_id int not null, ward varchar(20), reason varchar(40), key(patient_id))")
        people = [(i, f"Person {i % 150}", f"p{i}@example.org", f"19{i % 90 + 10}-01-02", self.rng.choice(COUNTRIES)) for i in range(1, PEOPLE + 1)]
        with self.judge.cursor() as c:
            c.executemany("insert into patient values (%s, %s, %s, %s, %s)", people)
            c.executemany("insert into visit(patient_id, ward, reason) values (%s, %s, 'check-up')",
                          [(self.rng.randint(1, PEOPLE), self.rng.choice(WARDS)) for _ in range(PEOPLE * 2)])
        for ddl in ["create view contact as select id, name, email from patient where country in ('DE','AT')",
                    "create view contact_names(number, called) as select id, name from contact",
                    "create view everyone as select country, group_concat(name) as people from patient group by country",
                    "create function name_of(i int) returns varchar(60) reads sql data return (select name from patient where id = i)",
                    "create user rita", "grant all on *.* to rita"]:
            self.ask(ddl)
        with open(out / "patient.csv", "w", newline="") as f:
            writer = csv.writer(f)
            writer.writerow(["id", "name", "email", "birth_date", "country"])
            writer.writerows(people)
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
        self.truth.append({"tag": tag, "way": way, "ids": ids})

    def send(self, sql):
        with self.rita.cursor() as c:
            c.execute(sql)
            return c.fetchall()

    # ---- the grammar

    def condition(self, p, v, depth=0):
        r = self.rng
        n = lambda: r.randint(1, PEOPLE + 50)
        choices = []
        if p:
            k = f"{p}."
            choices += [lambda: f"{k}id = {n()}", lambda: f"{k}id = '{n()}'", lambda: f'{k}id = "{n()}"', lambda: f"`{p}`.`id` = {n()}",
                        lambda: f"{k}ID = {n()}", lambda: f"{k}id < {n()}", lambda: f"{k}id >= {n()}", lambda: f"{n()} > {k}id",
                        lambda: f"{k}id between {n()} and {n()}", lambda: f"{k}id <=> {n()}",
                        lambda: f"{k}id in ({', '.join(str(n()) for _ in range(r.randint(1, 4)))})",
                        lambda: f"{k}id in ('{n()}', {n()})", lambda: f"{k}id = '{n()}abc'", lambda: f"{k}id = '{n()}.0'",
                        lambda: f"{k}id = {n()}.0", lambda: f"{k}id = ' {n()}'", lambda: f"{k}id < '{n()}'", lambda: f"{k}id = 0x2A",
                        lambda: f"{k}id = {n()} + 1", lambda: f"{k}id = true", lambda: f"{k}id = 4e1", lambda: f"{k}id = '4e1'",
                        lambda: f"{k}country = '{r.choice(COUNTRIES)}'", lambda: f"{k}country = 'de'", lambda: f"{k}email = 'P{n()}@EXAMPLE.org'",
                        lambda: f"{k}name = 'Person {r.randint(0, 149)}'", lambda: f"{k}name like 'Person 1%%'".replace("%%", "%"),
                        lambda: f"{k}birth_date < '1950-01-01'", lambda: f"{k}birth_date < now() - interval 70 year",
                        lambda: f"{k}id % 7 = {r.randint(0, 6)}", lambda: f"{k}id mod 7 = 3", lambda: f"{k}id is not null",
                        lambda: f"{k}name = 0", lambda: f"{k}id <> {n()}", lambda: f"({k}id, {k}country) = ({n()}, 'DE')",
                        lambda: f"{k}name regexp 'on 1[0-4]$'", lambda: f"1", lambda: f"{k}id && {n()}", lambda: f"!({k}id = 5)",
                        lambda: f"exists (select 1 from visit w where w.patient_id = {k}id and w.ward = 'surgery')",
                        lambda: f"{k}id in (select patient_id from visit where ward = 'oncology')",
                        lambda: f"binary {k}id = '{n()}'", lambda: f"{k}name = 'O\\'Brien'", lambda: f"{k}name = 'it''s'"]
        if v:
            j = f"{v}."
            choices += [lambda: f"{j}patient_id = {n()}", lambda: f"{j}ward = '{r.choice(WARDS)}'", lambda: f"{j}patient_id < {n()}",
                        lambda: f"{j}id = {n()}", lambda: f"{j}patient_id in ({n()}, {n()})", lambda: f"{j}patient_id = '{n()}'"]
        if depth < 2 and r.random() < 0.45:
            op = r.choice([" and ", " or ", " and ", " or ", " && ", " || ", " and not ", " xor "])
            return f"({self.condition(p, v, depth + 1)}{op}{self.condition(p, v, depth + 1)})"
        return r.choice(choices)()

    def query(self):
        """A query over people, and one for the ids of the people in its rows."""
        r = self.rng
        shape = r.randint(0, 15)
        if shape <= 3:
            where = self.condition("p", None)
            a, b = r.randint(0, 50), r.randint(1, 60)
            tail = r.choice(["", "", f" order by p.id limit {a},{b}", f" order by p.id limit {b} offset {a}", " for update", " lock in share mode"])
            limited = tail if "limit" in tail else ""
            shown = r.choice(["*", "p.name", "p.id, p.email", "p.country", "upper(p.name)", "sql_no_cache p.*", "if(p.id, p.name, '')",
                              "concat(p.name, ' ', p.email)", "clinic.p.name" if False else "`p`.`name`", "distinct p.id, p.name"])
            return f"select {shown} from patient p where {where}{tail}", f"select p.id from patient p where {where}{limited}"
        if shape == 4:
            where = self.condition(None, "v")
            return f"select {r.choice(['*', 'v.ward', 'v.patient_id, v.ward'])} from clinic.visit v where {where}", f"select v.patient_id from visit v where {where}"
        if shape == 5:
            where = self.condition("p", "v")
            join = r.choice(["join", "inner join", "straight_join"])
            return (f"select {r.choice(['p.name, v.ward', 'v.*', 'p.*'])} from patient p {join} visit v on v.patient_id = p.id where {where}",
                    f"select p.id from patient p join visit v on v.patient_id = p.id where {where}")
        if shape == 6:
            where, on = self.condition("p", None), self.condition(None, "v")
            return (f"select p.name, v.ward from patient p left join visit v on v.patient_id = p.id and {on} where {where}",
                    f"select p.id from patient p where {where}")
        if shape == 7:
            where = self.condition("p", "v")
            return (f"select p.name, v.reason from patient p, visit v where p.id = v.patient_id and {where}",
                    f"select p.id from patient p, visit v where p.id = v.patient_id and {where}")
        if shape == 8:
            a, b = self.condition("p", None), self.condition("q", None)
            word = r.choice(["union", "union all"])
            return (f"select p.name from patient p where {a} {word} select q.email from patient q where {b}",
                    f"select p.id from patient p where {a} union select q.id from patient q where {b}")
        if shape == 9:
            a, b = self.condition("p", None), self.condition("s", None)
            return (f"select s.name from (select * from patient p where {a}) s where {b}", f"select s.id from (select * from patient p where {a}) s where {b}")
        if shape == 10:
            a, b = self.condition("p", None), self.condition("w", None)
            return (f"with w as (select * from patient p where {a}) select w.name, w.country from w where {b}",
                    f"with w as (select * from patient p where {a}) select w.id from w where {b}")
        if shape == 11:
            n = r.randint(1, PEOPLE)
            m = r.randint(1, PEOPLE)
            return r.choice([
                (f"select * from contact where id < {n}", f"select id from contact where id < {n}"),
                (f"select called from contact_names where number = {n}", f"select id from contact where id = {n}"),
                ("select * from contact_names", "select id from contact"),
                ("select people from everyone where country = 'DE'", "select id from patient where country = 'DE'"),
                (f"select name_of({n})", f"select id from patient where id = {n}"),
                (f"select name_of({n}), p.name from patient p where p.id = {m}",
                 f"select id from patient where id = {m} union select id from patient where id = {n} and exists (select 1 from patient where id = {m})"),
                (f"select p.name, (select c.name from contact c where c.id = {n}) from patient p where p.id = {m}",
                 f"select id from patient where id = {m} union select id from contact where id = {n} and exists (select 1 from patient where id = {m})"),
                (f"select c.name, v.ward from contact c join visit v on v.patient_id = c.id where v.patient_id = {n}",
                 f"select c.id from contact c join visit v on v.patient_id = c.id where c.id = {n}")])
        if shape == 12:
            where = self.condition("p", None)
            shown = r.choice(["group_concat(p.name)", "group_concat(distinct p.name order by p.id separator ';')", "json_arrayagg(p.name)",
                              "p.id, group_concat(p.email)"])
            # group_concat cuts its result at 1 MiB here; every row of the condition counts as read
            return f"select {shown} from patient p where {where}", f"select p.id from patient p where {where}"
        if shape == 13:
            where = self.condition("p", None)
            return f"select distinct p.country, p.name from patient p where {where}", f"select p.id from patient p where {where}"
        if shape == 14:
            where = self.condition("p", None)
            return f"select * from patient p use index (primary) where {where}", f"select p.id from patient p where {where}"
        where = self.condition("p", None)
        return (f"select p.id, (select group_concat(v.reason) from visit v where v.patient_id = p.id) from patient p where {where}",
                f"select p.id from patient p where {where}")

    # ---- ways of running it

    late = False

    def one(self):
        r = self.rng
        sql, who = self.query()
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
            where = self.condition("p", None)
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

    def special(self):
        r = self.rng
        tag = self.tag()
        n = r.randint(1, PEOPLE)
        kind = r.randint(0, 13)
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
        for i in range(args.queries):
            capture.late = i > args.queries * 0.9  # from then on, writes that cannot be followed: every range becomes "anyone"
            try:
                capture.special() if capture.rng.random() < 0.2 else capture.one()
            except pymysql.Error:  # a value that does not fit a column of a copy: nothing was read by the tagged statement
                capture.send("unlock tables")
        capture.rita.close()
        capture.judge.close()
        time.sleep(0.3)
        with open(args.out / "truth.ndjson", "w") as f:
            for row in capture.truth:
                f.write(json.dumps(row) + "\n")
        (args.out / "server_audit.log").write_bytes(server.audit.read_bytes())
    finally:
        server.stop()


main()
