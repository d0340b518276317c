"""Random queries over people, for the live tests: conditions and shapes of SELECT, each with a query for the ids of the
people whose rows it shows. PostgreSQL and MariaDB share it; a Dialect says where they differ.

The tables: patient(id, name, email, birth_date, country, weight, active) and visit(id, patient_id, ward, reason)."""
import random

COUNTRIES = ["DE", "AT", "FR", "NL", "PL"]
WARDS = ["surgery", "oncology", "maternity"]
COLUMNS = ["id", "name", "email", "birth_date", "country", "weight", "active"]
NAMES = ["Anna", "Bela", "Çağla", "Dörte", "Émile", "O'Brien", "per_cent%", "back\\slash", "de", "DE "]


def people(rng, count, empty_texts=True):
    """Rows of the register: with NULLs, odd names, and values that differ in case only."""
    out = []
    for i in range(1, count + 1):
        name = rng.choice(NAMES) if i % 40 == 0 else f"Person {i % 150}"
        email = None if i % 17 == 0 else ("" if empty_texts and i == 18 else f"{'P' if i % 23 == 0 else 'p'}{i}@example.org")
        birth = None if i % 13 == 0 else f"19{i % 90 + 10:02}-{i % 12 + 1:02}-{i % 28 + 1:02}"
        country = None if i % 29 == 0 else rng.choice(COUNTRIES)
        weight = None if i % 11 == 0 else f"{40 + i % 80}.{i % 10}"
        out.append((i, name, email, birth, country, weight, None if i % 7 == 0 else i % 3 == 0))
    return out


def write_register(path, rows, yes="t", no="f"):
    """As COPY … CSV writes it: NULL is an empty field, an empty text is ""."""
    def field(v):
        if v is None or isinstance(v, bool):
            return "" if v is None else yes if v else no
        text = str(v)
        return '"' + text.replace('"', '""') + '"' if text == "" or any(c in text for c in ',"\n') else text
    with open(path, "w", newline="") as f:
        for row in [COLUMNS, *rows]:
            f.write(",".join(field(v) for v in row) + "\n")


def ranges(ids):
    """"1-4,9": as truth.ndjson has them."""
    out = []
    for i in sorted(set(ids)):
        if out and out[-1][1] == i - 1:
            out[-1][1] = i
        else:
            out.append([i, i])
    return ",".join(f"{a}-{b}" if a < b else str(a) for a, b in out)


class Grammar:
    def __init__(self, rng: random.Random, count):
        self.rng = rng
        self.count = count

    def quoted(self, text):
        return "'" + text.replace("'", "''") + "'"

    # What only one of the two databases knows; k is the alias with a dot.
    def own_conditions(self, k):
        return []

    def own_visit_conditions(self, j):
        return []

    connectives = [" and ", " or ", " and ", " and not ", " or not "]

    def key_conditions(self, k):
        r, n = self.rng, lambda: self.rng.randint(1, self.count + 50)
        near = n()
        return [lambda: f"{k}id = {n()}", lambda: f"{k}id < {n()}", lambda: f"{k}id >= {n()}", lambda: f"{n()} > {k}id",
                lambda: f"{k}id between {near} and {near + r.randint(0, 300)}", lambda: f"{k}id not between {r.randint(1, 200)} and {n()}",
                lambda: f"{k}id in ({', '.join(str(n()) for _ in range(r.randint(1, 4)))})", lambda: f"{k}id not in ({n()}, {n()})",
                lambda: f"{k}id <> {n()}", lambda: f"{k}id is not null", lambda: f"{k}id is null", lambda: f"{k}id % 7 = {r.randint(0, 6)}",
                lambda: f"{k}id = '{n()}'", lambda: f"({k}id, {k}country) = ({n()}, 'DE')", lambda: f"not ({k}id > {n()})"]

    def attribute_conditions(self, k):
        r = self.rng
        year = lambda: f"'19{r.randint(10, 99)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}'"
        some = lambda: r.choice(["=", "<>", "<", "<=", ">", ">="])
        return [lambda: f"{k}country = '{r.choice(COUNTRIES)}'", lambda: f"{k}country <> '{r.choice(COUNTRIES)}'",
                lambda: f"{k}country in ('DE', '{r.choice(COUNTRIES)}')", lambda: f"{k}country not in ('DE', '{r.choice(COUNTRIES)}')",
                lambda: f"{k}country is null", lambda: f"{k}country is not null", lambda: f"not {k}country = '{r.choice(COUNTRIES)}'",
                lambda: f"{k}email = 'p{r.randint(1, self.count)}@example.org'", lambda: f"{k}email is null", lambda: f"{k}email is not null",
                lambda: f"{k}email = ''", lambda: f"{k}name = 'Person {r.randint(0, 149)}'", lambda: f"{k}name = {self.quoted(r.choice(NAMES))}",
                lambda: f"{k}name <> {self.quoted(r.choice(NAMES))}", lambda: f"{k}name like 'Person {r.randint(1, 14)}%'",
                lambda: f"{k}name not like 'Person 1%'", lambda: f"{k}name like '%{r.randint(0, 9)}'", lambda: f"{k}email like 'p_{r.randint(0, 9)}%'",
                lambda: f"{k}birth_date {some()} {year()}", lambda: f"{k}birth_date between {year()} and {year()}",
                lambda: f"{k}birth_date not between {year()} and {year()}", lambda: f"{k}birth_date is null",
                lambda: f"{k}weight {some()} {r.randint(40, 120)}.{r.randint(0, 9)}", lambda: f"{k}weight {some()} {r.randint(40, 120)}",
                lambda: f"{k}weight in ({r.randint(40, 120)}.0, {r.randint(40, 120)}.5)", lambda: f"{k}active", lambda: f"not {k}active",
                lambda: f"{k}active = true", lambda: f"{k}active is null", lambda: f"{k}name < 'M'", lambda: f"{k}country = null"]

    def visit_conditions(self, j):
        r, n = self.rng, lambda: self.rng.randint(1, self.count)
        return [lambda: f"{j}patient_id = {n()}", lambda: f"{j}ward = '{r.choice(WARDS)}'", lambda: f"{j}patient_id < {n()}",
                lambda: f"{j}id = {n()}", lambda: f"{j}patient_id in ({n()}, {n()})", lambda: f"{j}ward <> '{r.choice(WARDS)}'",
                lambda: f"{j}patient_id <> {n()}", lambda: f"{j}ward like 's%'", lambda: f"{j}reason is null"]

    def condition(self, p, v, depth=0):
        """A condition on patient p and visit v (None: not there)."""
        r = self.rng
        if depth < 3 and r.random() < 0.4:
            a, b = self.condition(p, v, depth + 1), self.condition(p, v, depth + 1)
            return f"({a}{r.choice(self.connectives)}{b})"
        if depth < 3 and r.random() < 0.08:
            return f"not ({self.condition(p, v, depth + 1)})"
        choices = []
        if p:
            k = f"{p}."
            choices += self.key_conditions(k) + self.attribute_conditions(k) + self.own_conditions(k)
            choices += [lambda: f"exists (select 1 from visit w where w.patient_id = {k}id and w.ward = 'surgery')",
                        lambda: f"{k}id in (select patient_id from visit where ward = 'oncology')"]
        if v:
            choices += self.visit_conditions(f"{v}.") + self.own_visit_conditions(f"{v}.")
        return r.choice(choices)()

    def plain(self):
        """SELECT from patient only, by what conditions may derive: the measure of tightness."""
        r = self.rng
        kind = r.choice(["exact", "derived", "derived"])
        n = lambda: r.randint(1, self.count)
        if kind == "exact":
            where = r.choice([lambda: f"p.id = {n()}", lambda: f"p.id in ({n()}, {n()}, {n()})", lambda: f"p.id = '{n()}'"])()
        else:
            def part(depth):
                if depth < 2 and r.random() < 0.5:
                    return f"({part(depth + 1)}{r.choice([' and ', ' or ', ' and not '])}{part(depth + 1)})"
                pool = [c for c in self.key_conditions("p.")[1:7] + self.attribute_conditions("p.")[:27]]
                return r.choice(pool)()
            where = part(0)
            # Left out: the order of texts, and texts that differ in case only (a citext would take them for one).
            while any(word in where for word in ("email =", "email like", "name <", " % ", "= null", "'de'", "'DE '")):
                where = part(0)
        return kind, f"select {r.choice(['*', 'p.name', 'p.id, p.email'])} from patient p where {where}", f"select p.id from patient p where {where}"

    # ---- shapes: (the query, a query for the ids of the people in its rows)

    def shown(self):
        return self.rng.choice(["*", "p.name", "p.id, p.email", "p.country", "upper(p.name)", "distinct p.id, p.name"])

    def tail(self):
        """(what follows the condition, how much of it decides which rows come)."""
        r = self.rng
        page = f" order by p.id limit {r.randint(1, 60)} offset {r.randint(0, 50)}"
        return r.choice([("", ""), ("", ""), (page, page)])

    def simple(self):
        where = self.condition("p", None)
        tail, limited = self.tail()
        return f"select {self.shown()} from patient p where {where}{tail}", f"select p.id from patient p where {where}{limited}"

    def visits(self):
        where = self.condition(None, "v")
        return f"select {self.rng.choice(['*', 'v.ward', 'v.patient_id, v.ward'])} from visit v where {where}", f"select v.patient_id from visit v where {where}"

    def joined(self):
        where = self.condition("p", "v")
        shown = self.rng.choice(["p.name, v.ward", "v.*", "p.*"])
        return (f"select {shown} from patient p {self.rng.choice(['join', 'inner join'])} visit v on v.patient_id = p.id where {where}",
                f"select p.id from patient p join visit v on v.patient_id = p.id where {where}")

    def left_joined(self):
        where, on = self.condition("p", None), self.condition(None, "v")
        return (f"select p.name, v.ward from patient p left join visit v on v.patient_id = p.id and {on} where {where}",
                f"select p.id from patient p where {where}")

    def right_joined(self):
        where = self.condition("p", "v")
        query = f"from visit v left join patient p on v.patient_id = p.id where {where}"
        return f"select v.ward, p.name {query}", f"select v.patient_id {query}"

    def listed(self):
        where = self.condition("p", "v")
        return (f"select p.name, v.reason from patient p, visit v where p.id = v.patient_id and {where}",
                f"select p.id from patient p, visit v where p.id = v.patient_id and {where}")

    def united(self):
        a, b = self.condition("p", None), self.condition("q", None)
        word = self.rng.choice(["union", "union all"])
        return (f"select p.name from patient p where {a} {word} select q.email from patient q where {b}",
                f"select p.id from patient p where {a} union select q.id from patient q where {b}")

    def nested(self):
        a, b = self.condition("p", None), self.condition("s", None)
        return (f"select s.name from (select * from patient p where {a}) s where {b}",
                f"select s.id from (select * from patient p where {a}) s where {b}")

    def common(self):
        a, b = self.condition("p", None), self.condition("w", None)
        return (f"with w as (select * from patient p where {a}) select w.name, w.country from w where {b}",
                f"with w as (select * from patient p where {a}) select w.id from w where {b}")

    def collected(self):
        raise NotImplementedError

    def viewed(self):
        raise NotImplementedError

    def distinct(self):
        where = self.condition("p", None)
        return f"select distinct p.country, p.name from patient p where {where}", f"select p.id from patient p where {where}"

    def inner_value(self):
        raise NotImplementedError

    def query(self):
        return self.rng.choice([self.simple, self.simple, self.simple, self.visits, self.joined, self.left_joined, self.right_joined,
                                self.listed, self.united, self.nested, self.common, self.collected, self.viewed, self.distinct,
                                self.inner_value])()


class PostgreSql(Grammar):
    def quoted(self, text):
        return "'" + text.replace("'", "''") + "'"

    def own_conditions(self, k):
        r, n = self.rng, lambda: self.rng.randint(1, self.count)
        return [lambda: f"{k}id = any('{{{n()},{n()}}}')", lambda: f"{k}id = any(array[{n()}, {n()}])", lambda: f"{k}id <> all('{{{n()},{n()}}}')",
                lambda: f"{k}id::text = '{n()}'", lambda: f"{k}id::text < '{n()}'", lambda: f"{k}id::text like '1%'",
                lambda: f"{k}id is not distinct from {n()}", lambda: f"{k}id is distinct from {n()}", lambda: f"{k}country is distinct from 'DE'",
                lambda: f"{k}country is not distinct from null", lambda: f"{k}email is distinct from null", lambda: f"{k}name ilike 'person 1%'",
                lambda: f"{k}name ilike '%Ö%'", lambda: f"{k}name like 'per\\_cent\\%'", lambda: f"{k}name like 'D_rte'", lambda: f"{k}country like 'D%'",
                lambda: f"{k}country::text = 'DE'", lambda: f"{k}birth_date::text like '195%'", lambda: f"{k}birth_date < 'Jan 2 1950'",
                lambda: f"{k}birth_date = date '1950-05-05'", lambda: f"({k}country = 'DE') is not true", lambda: f"({k}country = 'DE') is true",
                lambda: f"({k}country = 'DE') is unknown", lambda: f"{k}active is false", lambda: f"{k}active is not true",
                lambda: f"{k}weight = '{r.randint(40, 120)}.50'", lambda: f"{k}weight < '9'", lambda: f"{k}country > 'E'", lambda: "null", lambda: "false",
                lambda: f"{k}birth_date < '1950-01-01 12:00'", lambda: f"{k}active = 'yes'", lambda: f"({k}country, {k}active) <> ('DE', true)",
                lambda: f"{k}weight between '50' and 60.25", lambda: f"{k}id between symmetric {n()} and {n()}", lambda: f"{k}email similar to 'p1%'"]

    def shown(self):
        return self.rng.choice(["*", "p.name", "p.id, p.email", "p.country", "upper(p.name)", "p", "to_json(p)", "row_number() over (order by p.id), p.name"])

    def viewed(self):
        r = self.rng
        n = r.randint(1, self.count)
        return r.choice([
            (f"select * from contact where id < {n}", f"select id from contact where id < {n}"),
            (f"select called from contact_names where number = {n}", f"select id from contact where id = {n}"),
            ("select * from contact_names", "select id from contact"),
            ("select people from everyone_json where country = 'DE'", "select id from patient where country = 'DE'"),
            (f"select name_of({n})", f"select id from patient where id = {n}"),
            (f"select * from contact where not email like 'p{n % 10}%'", f"select id from contact where not email like 'p{n % 10}%'"),
            (f"select c.name, v.ward from contact c join visit v on v.patient_id = c.id where v.patient_id = {n}",
             f"select c.id from contact c join visit v on v.patient_id = c.id where c.id = {n}")])

    def collected(self):
        where = self.condition("p", None)
        shown = self.rng.choice(["json_agg(p)", "array_agg(p.name)", "string_agg(p.email, ',')", "jsonb_object_agg(p.id, p.name)"])
        return f"select {shown} from patient p where {where}", f"select p.id from patient p where {where}"

    def inner_value(self):
        where = self.condition("p", None)
        return (f"select p.id, (select string_agg(v.reason, ',') from visit v where v.patient_id = p.id) from patient p where {where}",
                f"select p.id from patient p where {where}")


class MariaDb(Grammar):
    connectives = [" and ", " or ", " and ", " or ", " && ", " || ", " and not ", " xor "]

    def quoted(self, text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def own_conditions(self, k):
        n = lambda: self.rng.randint(1, self.count)
        return [lambda: f"{k}id <=> {n()}", lambda: f"{k}id = '{n()}abc'", lambda: f"{k}id = {n()}.0", lambda: f"{k}id = 1e3", lambda: f"{k}name = 0",
                lambda: f"{k}name regexp 'on 1[0-4]$'", lambda: "1", lambda: f"{k}id && {n()}", lambda: f"!({k}id = 5)", lambda: f"{k}country = 'de'",
                lambda: f"binary {k}id = '{n()}'", lambda: f"{k}name = 'O\\'Brien'", lambda: f"{k}name = 'it''s'", lambda: f"`{k[:-1]}`.`id` = {n()}",
                lambda: f"{k}id in ('{n()}', {n()})", lambda: f"{k}email like 'P1%'", lambda: f"{k}country <=> null", lambda: f"{k}name = 'PERSON 12'"]

    def own_visit_conditions(self, j):
        return [lambda: f"{j}patient_id = '{self.rng.randint(1, self.count)}'"]

    def shown(self):
        return self.rng.choice(["*", "p.name", "p.id, p.email", "p.country", "upper(p.name)", "sql_no_cache p.*", "if(p.id, p.name, '')",
                                "concat(p.name, ' ', p.email)", "`p`.`name`", "distinct p.id, p.name"])

    def tail(self):
        r = self.rng
        a, b = r.randint(0, 50), r.randint(1, 60)
        one, two = f" order by p.id limit {a},{b}", f" order by p.id limit {b} offset {a}"
        return r.choice([("", ""), ("", ""), (one, one), (two, two), (" for update", ""), (" lock in share mode", "")])

    def simple(self):
        query, who = super().simple()
        return (query.replace("from patient p", "from patient p use index (primary)", 1) if self.rng.random() < 0.1 else query), who

    def visits(self):
        query, who = super().visits()
        return query.replace("from visit v", "from clinic.visit v", 1), who

    def joined(self):
        query, who = super().joined()
        return query.replace(" inner join ", " straight_join ", 1), who

    def viewed(self):
        r = self.rng
        n, m = r.randint(1, self.count), r.randint(1, self.count)
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

    def collected(self):
        where = self.condition("p", None)
        # group_concat cuts its result; every row of the condition counts as read
        shown = self.rng.choice(["group_concat(p.name)", "group_concat(distinct p.name order by p.id separator ';')", "json_arrayagg(p.name)",
                                 "p.id, group_concat(p.email)"])
        return f"select {shown} from patient p where {where}", f"select p.id from patient p where {where}"

    def inner_value(self):
        where = self.condition("p", None)
        return (f"select p.id, (select group_concat(v.reason) from visit v where v.patient_id = p.id) from patient p where {where}",
                f"select p.id from patient p where {where}")
