#!/usr/bin/python3
"""Our national numbers against python3-stdnum, on values made at random: whole ones, and valid ones with a digit changed,
swapped, lost or added. national_numbers.py PROBE [COUNT]; TOCSIN_LONG=1 makes it ten million. Exit 77: no stdnum here.

Where the two disagree on purpose, DIFFERENT says when and why; anything else is a failure.
"""
import datetime
import importlib
import os
import random
import re
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")
try:
    import stdnum
except ImportError:
    print("python3-stdnum is not installed")
    sys.exit(77)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"

# kind: (module of stdnum, or None where it has none; shapes of values). In a shape # is a digit, @ a letter, * either;
# {ymd} {Ymd} {dmy} {dmY3} are days; "…|…" is a choice.
KINDS = {
    "at-svnr": ("at.vnr", ["####{dmy}"]), "at-tin": ("at.tin", ["#########", "03#######", "46#######"]),
    "be-nn": ("be.nn", ["{ymd}#####"]),
    "bg-egn": ("bg.egn", ["{ymd}####", "{ymd+20}####", "{ymd+40}####"]), "bg-lnch": ("bg.pnf", ["##########"]),
    "ch-ahv": ("ch.ssn", ["756##########"]),
    "cz-rc": ("cz.rc", ["{ymd}####", "{ymd+50}####", "{ymd+20}####", "{ymd+70}####", "{ymd}###"]),
    "de-tax-id": ("de.idnr", ["###########", "{perm10}#"]), "de-rvnr": (None, []),
    "dk-cpr": ("dk.cpr", ["{dmy}####"]), "ee-ik": ("ee.ik", ["[1-8]{ymd}####"]), "lt-asmens": ("lt.asmens", ["[1-9]{ymd}####"]),
    "es-dni": (("es.dni", "es.nie"), ["########@", "[XYZ]#######@"]),
    "fi-hetu": ("fi.hetu", ["{dmy}[+A-]###*", "{dmy}A###*"]), "fr-nif": ("fr.nif", ["[0-3]############"]),
    "fr-nir": ("fr.nir", ["[12]{ym}##########", "[12]{ym}2A########"]), "gr-amka": ("gr.amka", ["{dmy}#####"]),
    "gr-afm": ("gr.vat", ["#########"]), "hr-oib": ("hr.oib", ["###########"]),
    "hu-ado": (None, []), "hu-taj": (None, []), "ie-pps": ("ie.pps", ["#######[A-W]", "#######[A-W][A-IW]"]),
    "is-kennitala": ("is_.kennitala", ["{dmy}###[089]", "{dmy+40}###[089]"]),
    "it-codice-fiscale": ("it.codicefiscale", ["@@@@@@##[ABCDEHLMPRST]##@###@", "@@@@@@##[ABCDEHLMPRST]##@##[LMNPQRSTUV]@"]),
    "lu-matricule": (None, []), "lv-pk": ("lv.pvn", ["{dmy}[012]####", "32#########"]), "mt-id": (None, []),
    "nl-bsn": ("nl.bsn", ["#########"]), "no-fnr": ("no.fodselsnummer", ["{dmy}#####", "{dmy+40}#####"]),
    "pl-pesel": ("pl.pesel", ["{ymd}#####", "{ymd+20}#####"]), "pt-nif": ("pt.nif", ["#########"]),
    "pt-cc": ("pt.cc", ["#########@@#", "#########**#"]), "ro-cnp": ("ro.cnp", ["[1-9]{ymd}######", "[1256]{ymd}[0-4]#####"]),
    "ru-inn": ("ru.inn", ["############"]), "ru-snils": (None, []),
    "se-personnummer": ("se.personnummer", ["{ymd}-####"]), "si-emso": ("si.emso", ["{dmY3}######"]),
    "tr-tckn": ("tr.tckimlik", ["###########"]), "ua-rntrc": ("ua.rntrc", ["##########"]), "uk-nhs": ("gb.nhs", ["##########"]),
    "uk-nino": (None, []), "uk-utr": ("gb.utr", ["##########"]),
    "ar-cuit": ("ar.cuit", ["[23][0347]#########", "2[0347]#########"]), "ar-dni": ("ar.dni", ["########", "#######", "######"]),
    "au-medicare": (None, []), "au-tfn": ("au.tfn", ["#########", "########"]), "br-cpf": ("br.cpf", ["###########"]),
    "ca-sin": ("ca.sin", ["#########"]), "cl-rut": ("cl.rut", ["########*", "########K", "#######*"]),
    "cn-ric": ("cn.ric", ["11010[1-9]{Ymd}####", "3604##{Ymd}###X", "######{Ymd}####"]), "co-nit": ("co.nit", ["##########", "#########", "########"]),
    "cr-cpf": ("cr.cpf", ["0#########", "##########"]), "cu-ni": ("cu.ni", ["{ymd}#####"]), "do-cedula": ("do.cedula", ["###########"]),
    "ec-ci": ("ec.ci", ["[01]#########", "##########"]), "hk-id": (None, []), "id-nik": (None, []), "il-id": ("il.idnr", ["#########", "########"]),
    "in-aadhaar": ("in_.aadhaar", ["############"]), "in-pan": ("in_.pan", ["@@@[ABCFGHLJPTK]@####@", "@@@@@####@"]),
    "jp-my-number": (None, []), "kr-rrn": ("kr.rrn", ["{ymd}#######"]), "mx-curp": ("mx.curp", ["@@@@{ymd}[HM]DF@@@##", "@@@@{ymd}[HM]@@@@@*#"]),
    "mx-rfc": ("mx.rfc", ["@@@@{ymd}***"]), "my-nric": ("my.nric", ["{ymd}######"]), "nz-ird": ("nz.ird", ["#########", "########", "0########"]),
    "pe-dni": ("pe.cui", ["########*", "########"]), "pk-cnic": ("pk.cnic", ["#############"]), "sg-nric": (None, []),
    "th-pin": ("th.pin", ["#############"]), "tw-id": (None, []), "us-itin": ("us.itin", ["9########"]), "us-ssn": ("us.ssn", ["#########"]),
    "ve-rif": ("ve.rif", ["[VEJPG]#########"]), "za-id": ("za.idnr", ["{ymd}#######"]),
    "card": ("luhn", ["################", "###############"]), "iban": ("iban", ["DE####################", "NL##[A-Z][A-Z][A-Z][A-Z]##########", "PL##########################",
             "AT##################", "FI################", "DK################", "SE######################"]),
}

# Known values of the numbers that stdnum does not have: (kind, value, valid). Sources: ops/docs/secrets-content.md.
KNOWN = [
    ("de-rvnr", "65180539W001", True), ("de-rvnr", "65180539W002", False), ("hu-ado", "8071592153", True), ("hu-ado", "8071592154", False),
    ("hu-taj", "111111110", True), ("hu-taj", "111111111", False), ("lu-matricule", "1893120105732", True), ("lu-matricule", "1893120105733", False),
    ("mt-id", "0123456M", True), ("mt-id", "0123456X", False), ("ru-snils", "11223344595", True), ("ru-snils", "11223344596", False),
    ("uk-nino", "AB123456C", True), ("uk-nino", "BG123456C", False), ("uk-nino", "DA123456C", False), ("au-medicare", "2123456701", True),
    ("au-medicare", "2123456711", False), ("hk-id", "A1234563", True), ("hk-id", "A1234564", False), ("hk-id", "AB9876543", True),
    ("id-nik", "3171234508900001", True), ("id-nik", "3171233213900001", False), ("jp-my-number", "123456789018", True),
    ("jp-my-number", "123456789019", False), ("sg-nric", "S1234567D", True), ("sg-nric", "S1234567E", False), ("sg-nric", "T1234567J", True),
    ("tw-id", "A123456789", True), ("tw-id", "A123456788", False),
]

TODAY = datetime.date.today()


def later_than_today(year, month, day):
    try:
        return datetime.date(year, month, day) > TODAY
    except ValueError:
        return False


def unknown_place(value):
    from stdnum import numdb
    return not numdb.get("cn/loc").info(value[:6])[0][1]


# kind: [who accepts more, when, why, how often seen]. `when` gets the value as it was given.
DIFFERENT = {
    "at-tin": [["ours", lambda v: True, "stdnum wants a tax office of its list; offices are merged and opened", 0]],
    "be-nn": [["ours", lambda v: 2000 + int(v[:2]) > TODAY.year, "stdnum knows today's date: nobody is born later; our validators have no clock", 0],
              ["stdnum", lambda v: int(v[2:4]) > 52 or int(v[2:4]) % 20 > 12 or int(v[4:6]) > 31, "stdnum does not look at the day of birth", 0]],
    "dk-cpr": [["ours", lambda v: later_than_today(2000 + int(v[4:6]), int(v[2:4]), int(v[:2])), "stdnum knows today's date", 0]],
    "fi-hetu": [["ours", lambda v: not re.match(r"\d{6}[-+A]\d{3}", v), "we ignore separators, and know the signs B to F and U to Y of 2023", 0],
                ["ours", lambda v: v[:4] == "2902", "a leap day of a century that the separator told and we do not read", 0]],
    "fr-nif": [["stdnum", lambda v: int(v[:10]) % 511 != int(v[10:]), "stdnum 1.18 has no check for it; the last three digits are the rest by 511 (stdnum 1.19 has it)", 0]],
    "fr-nir": [["stdnum", lambda v: v[0] == "0", "a sex of 0 is not given out", 0]],
    "gr-afm": [["stdnum", lambda v: len(v) == 8, "stdnum puts a zero before eight digits", 0]],
    "nl-bsn": [["stdnum", lambda v: len(v) < 9, "stdnum puts zeros before fewer digits", 0]],
    "il-id": [["stdnum", lambda v: len(v) < 7, "stdnum puts zeros before any few digits", 0]],
    "no-fnr": [["ours", lambda v: int(v[6:9]) >= 500 and later_than_today(2000 + int(v[4:6]), int(v[2:4]) % 40, int(v[:2]) % 40), "stdnum knows today's date", 0]],
    "se-personnummer": [["ours", lambda v: not re.match(r"(\d\d)?\d{6}[-+]\d{4}$", v), "we ignore separators", 0],
                        ["ours", lambda v: int(re.sub("[-+]", "", v)[-6:-4]) > 60, "coordination numbers add 60 to the day (1967:479 § 18 a); stdnum has not learnt them", 0]],
    "is-kennitala": [["ours", lambda v: v[-1] == "8", "born before 1900: the last digit is 8 (Þjóðskrá)", 0]],
    "it-codice-fiscale": [["stdnum", lambda v: len(v) == 11, "stdnum takes the tax number of companies, too", 0],
                          ["stdnum", lambda v: len(v) == 16 and v[9] in "89TUV7S", "stdnum takes the day modulo 40, so that 72 to 99 pass", 0]],
    "lv-pk": [["ours", lambda v: v.startswith("32"), "numbers since July 2017 begin with 32 and hold no day of birth; stdnum 1.18 has not learnt them", 0],
              ["stdnum", lambda v: v[0] > "3", "stdnum takes companies, too", 0],
              ["stdnum", lambda v: v[6] > "2", "stdnum reads the century sign 9 as the year 2700", 0]],
    "pt-cc": [["stdnum", lambda v: len(v) != 12, "stdnum does not look at the length", 0]],
    "ro-cnp": [["stdnum", lambda v: int(v[7:9]) not in list(range(1, 49)) + [51, 52, 70, 80], "stdnum does not look at the county", 0]],
    "au-tfn": [["stdnum", lambda v: len(v) == 8, "numbers of eight digits have weights of their own (10 7 8 4 6 3 5 1); stdnum uses those of nine", 0],
               ["ours", lambda v: len(v) == 8, "the same, seen from our side", 0]],
    "ca-sin": [["stdnum", lambda v: v[0] in "08", "0 and 8 are not given to persons", 0]],
    "cn-ric": [["ours", unknown_place, "stdnum wants a place of its list; places change", 0],
               ["stdnum", lambda v: not 1850 <= int(v[6:10]) <= 2100, "stdnum takes any year of birth", 0]],
    "cr-cpf": [["stdnum", lambda v: v.zfill(10)[:2] == "00", "provinces begin with 1", 0]],
    "mx-rfc": [["ours", lambda v: True, "stdnum refuses words that the office avoids", 0], ["stdnum", lambda v: len(v) < 13, "stdnum takes companies and numbers without the check", 0]],
    "mx-curp": [["ours", lambda v: True, "stdnum refuses words that the office avoids", 0]],
    "nz-ird": [],
    "za-id": [["ours", lambda v: v[10] == "2", "2 stands for refugees", 0]],
    "ar-dni": [],
}


def oracle(module):
    names = module if isinstance(module, tuple) else (module,)
    modules = [importlib.import_module("stdnum." + name) for name in names]
    if names == ("mx.rfc",):
        def check(value):
            try:
                modules[0].validate(value, validate_check_digits=True)
                return True
            except Exception:  # pylint: disable=broad-except
                return False
        return check
    if names == ("fi.hetu",):
        return lambda value: modules[0].is_valid(value, allow_temporary=True)

    def check(value):
        for m in modules:
            try:
                if m.is_valid(value):
                    return True
            except Exception:  # stdnum fails itself on some garbage
                pass
        return False
    return check


def day(rng):
    return datetime.date(rng.randint(1885, 2030), rng.randint(1, 12), rng.randint(1, 28)) if rng.random() < 0.97 else datetime.date(2024, 2, 29)


def make(shape, rng):
    out = []
    i = 0
    while i < len(shape):
        c = shape[i]
        if c == "#":
            out.append(rng.choice(DIGITS))
        elif c == "@":
            out.append(rng.choice(LETTERS))
        elif c == "*":
            out.append(rng.choice(DIGITS + LETTERS))
        elif c == "[":
            end = shape.index("]", i)
            body, chars, k = shape[i + 1:end], [], 0
            while k < len(body):
                if k + 2 < len(body) and body[k + 1] == "-":
                    chars += [chr(x) for x in range(ord(body[k]), ord(body[k + 2]) + 1)]
                    k += 3
                else:
                    chars.append(body[k])
                    k += 1
            out.append(rng.choice(chars))
            i = end
        elif c == "{":
            end = shape.index("}", i)
            name, _, plus = shape[i + 1:end].partition("+")
            d = day(rng)
            add = int(plus or 0)
            if name == "ymd":
                out.append("%02d%02d%02d" % (d.year % 100, d.month + add, d.day))
            elif name == "ym":
                out.append("%02d%02d" % (d.year % 100, d.month))
            elif name == "Ymd":
                out.append(d.strftime("%Y%m%d"))
            elif name == "dmy":
                out.append("%02d%02d%02d" % (d.day + add, d.month, d.year % 100))
            elif name == "dmY3":
                out.append("%02d%02d%03d" % (d.day, d.month, d.year % 1000))
            elif name == "perm10":
                digits = list(DIGITS)
                rng.shuffle(digits)
                digits[rng.randrange(10)] = digits[rng.randrange(10)]
                out.append("".join(digits))
            i = end
        else:
            out.append(c)
        i += 1
    return "".join(out)


def mutate(value, rng):
    i = rng.randrange(len(value))
    way = rng.randrange(8)
    if way < 5:
        pool = DIGITS if value[i] in DIGITS else LETTERS
        return value[:i] + rng.choice(pool) + value[i + 1:]
    if way == 5 and i + 1 < len(value):
        return value[:i] + value[i + 1] + value[i] + value[i + 2:]
    if way == 6 and len(value) > 2:
        return value[:i] + value[i + 1:]
    return value[:i] + rng.choice(DIGITS) + value[i:]


def ours(probe, kind, values):
    text = "".join("%s\t%s\n" % (kind, v) for v in values)
    done = subprocess.run([probe], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [c == 49 for c in done.stdout]


def explained(kind, value, we, they):
    for entry in DIFFERENT.get(kind, []):
        if (entry[0] == "ours") == we and entry[1](value):
            entry[3] += 1
            return True
    return we == they


def main():
    probe = sys.argv[1]
    long_run = bool(os.environ.get("TOCSIN_LONG"))
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000 if long_run else 200_000
    listed = [line.split("\t")[0] for line in subprocess.run([probe, "--kinds"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()]
    failures = []
    if sorted(k for k in KINDS if k not in ("card", "iban")) != sorted(listed):
        failures.append("the kinds here and in the program differ: %s" % (set(KINDS) ^ set(listed)))
    for kind, value, valid in KNOWN:
        if ours(probe, kind, [value]) != [valid]:
            failures.append("%s %s should be %s" % (kind, value, valid))
    compared = [k for k, (module, _) in KINDS.items() if module]
    rng = random.Random(4711)
    total = accepted = 0
    per_kind = count // len(compared)
    print("%d kinds, %d of them compared with stdnum %s, %d values each" % (len(listed), len(compared) - 2, stdnum.__version__, per_kind))
    for kind in compared:
        check = oracle(KINDS[kind][0])
        shapes = KINDS[kind][1]
        valid, done, wrong = [], 0, []
        while done < per_kind:
            values = []
            for _ in range(min(20_000, per_kind - done)):
                if valid and rng.random() < 0.5:
                    values.append(mutate(rng.choice(valid), rng))
                else:
                    values.append(make(rng.choice(shapes), rng))
            done += len(values)
            for value, we in zip(values, ours(probe, kind, values)):
                they = check(value)
                if they and len(valid) < 5000:
                    valid.append(value)
                accepted += they
                if we != they and not explained(kind, value, we, they):
                    wrong.append((value, we))
        total += done
        if len(valid) < 5:
            failures.append("%s: only %d valid values were made" % (kind, len(valid)))
        if wrong:
            failures.append("%s: %d differences, such as %s" % (kind, len(wrong), ", ".join("%s (%s)" % (v, "ours accepts" if w else "stdnum accepts") for v, w in wrong[:6])))
    for kind, entries in DIFFERENT.items():
        for accepts, _, why, used in entries:
            print("  %-18s %-6s accepts more, %6d times: %s" % (kind, accepts, used, why))
    print("%d values compared, %d of them valid" % (total, accepted))
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
