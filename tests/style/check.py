#!/usr/bin/python3
"""The house rules that a compiler does not see: which floor may include which, where a library may be included,
shapes that g++ 12 miscompiles, and words that must not be left behind. Prints FILE:LINE: RULE for each breach.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLOORS = ("rules", "storage", "notifier", "engine")

# From the ground up: what each folder may include besides itself. engine/app wires and may see everything.
MAY = {
    "rules/base": [],
    "rules": ["rules/base", "rules"],
    "rules/sigma": ["rules/base", "rules"], "rules/secrets": ["rules/base", "rules"], "rules/law": ["rules/base", "rules"],
    "storage": ["rules/base", "storage"],
    "notifier": ["rules/base", "storage", "notifier"],
    "engine/access": ["rules/base", "rules"],
    "engine/sql": ["rules/base"],
    "engine/net": ["rules/base", "engine/api"],
    "engine/intake": ["rules/base", "rules", "engine/access"],
    "engine/exposure": ["rules/base", "storage", "engine/access", "engine/sql"],
    "engine/detect": ["rules", "storage", "engine/access", "engine/intake", "engine/exposure"],
    "engine/respond": ["rules", "storage", "notifier", "engine/exposure"],
    "engine/api": ["rules", "storage", "notifier", "engine/respond", "engine/intake", "engine/exposure", "ops/lib"],
    "engine/app": ["rules", "storage", "notifier", "engine", "ops/lib"],
    "engine": ["rules", "storage", "notifier", "engine"],
}
# A library is included in one place only.
ONLY_IN = {
    r"<boost/(asio|beast)": "engine/net", r"<sqlite3\.h>": "storage/sqlite", r"<pg_query": "engine/sql", r"<gmime": "notifier/channel",
    r"<libpq-fe": "engine/app", r"<curl/": "notifier/channel", r"<hs/": "rules", r"<kainjow": ("notifier/compose", "engine/api"), r"<CLI/": "engine",
}
BANNED = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "left-over marker"),
    (re.compile(r"\bsystem_clock::now\(|\bstd::time\(|\bgettimeofday\("), "reads the clock: take a Clock&"),
    (re.compile(r"co_await [^;]*\w\{"), "an aggregate inside a co_await expression: name it first, then move it"),
    (re.compile(r"co_await [^;]*\[(?!&)[^\]]+\]\s*\("), "a by-value lambda inside a co_await expression: name it first"),
    (re.compile(r"\bstd::regex\b"), "backtracks: use RE2"),
]
CLOCK_OWNERS = ("rules/base/time.cpp", "engine/net/", "storage/journal/journal.cpp")


def folder_of(path):
    return os.path.dirname(path)


def allowed(folder, target):
    if target.startswith(folder + "/"):
        return True
    probe = folder
    while probe not in MAY:
        probe = os.path.dirname(probe)
        if not probe:
            return True
    own = target.startswith(probe + "/")
    return own or any(target.startswith(prefix + "/") or os.path.dirname(target) == prefix for prefix in MAY[probe])


class Types:
    """Where each type is defined. Two types of one name in one namespace link silently and crash at run time; a type in
    an unnamed namespace is nobody else's."""

    def __init__(self):
        self.places = {}

    def read(self, path, lines):
        space, unnamed = "", 0
        for number, line in enumerate(lines, 1):
            named = re.match(r"namespace ([\w:]+) \{", line)
            if named:
                space = named.group(1)
            if re.match(r"namespace \{", line):
                unnamed += 1
            if re.match(r"\}  // namespace$", line):
                unnamed -= 1
            defined = re.match(r"(?:class|struct|enum class) (\w+)(?: final)?\s*(?::[^:].*)?\{", line)
            if defined and unnamed == 0 and space:
                self.places.setdefault((space, defined.group(1)), []).append((path, number))

    def breaches(self):
        for (space, name), places in sorted(self.places.items()):
            for path, number in places[1:]:
                yield path, number, f"{space}::{name} is defined in {places[0][0]} too"


def headings(text):
    """The anchors of a page, as the usual renderers make them."""
    out = set()
    for line in re.sub(r"```.*?```", "", text, flags=re.S).splitlines():
        found = re.match(r"#{1,6} +(.*?) *#*$", line)
        if found:
            anchor = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", found.group(1)).lower())
            out.add(anchor.replace(" ", "-"))
    return out


def documents():
    """Breaches of the documents: a link to nowhere, a page that the index does not lead to."""
    breaches, pages, linked = [], {}, set()
    for root, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in ("node_modules", "dist", "build", "data") and not f.startswith(".")]
        for name in files:
            if name.endswith(".md"):
                path = os.path.relpath(os.path.join(root, name), ROOT)
                with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                    pages[path] = f.read()
    for path, text in sorted(pages.items()):
        fenced = False
        for number, line in enumerate(text.splitlines(), 1):
            fenced ^= line.lstrip().startswith("```")
            if fenced:
                continue
            for target in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z][a-z+.-]*:", target):
                    continue
                name, _, anchor = target.partition("#")
                to = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not os.path.exists(os.path.join(ROOT, to)):
                    breaches.append((path, number, f"a link to nowhere: {target}"))
                elif anchor and to in pages and anchor not in headings(pages[to]):
                    breaches.append((path, number, f"there is no such heading: {target}"))
                elif path == os.path.join("ops", "docs", "README.md"):
                    linked.add(to)
    for path in sorted(pages):
        if re.fullmatch(r"ops/docs/(formats/)?[^/]+", path) and path not in linked and path != "ops/docs/README.md":
            breaches.append((path, 1, "the index, ops/docs/README.md, does not lead here"))
    return breaches


def main():
    breaches = documents()
    graph = {}
    types = Types()
    for floor in FLOORS:
        for root, folders, files in os.walk(os.path.join(ROOT, floor)):
            folders[:] = [f for f in folders if f not in ("node_modules", "dist")]
            for name in sorted(files):
                if not name.endswith((".cpp", ".hpp")):
                    continue
                path = os.path.relpath(os.path.join(root, name), ROOT)
                folder = folder_of(path)
                with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                    text = f.read().splitlines()
                if not text or not text[0].startswith("//"):
                    breaches.append((path, 1, "a file opens with its idea, as a comment"))
                types.read(path, text)
                for number, line in enumerate(text, 1):
                    include = re.match(r'#include ([<"])([^>"]+)', line)
                    if include and include.group(1) == '"':
                        target = include.group(2)
                        if not os.path.exists(os.path.join(ROOT, target)):
                            breaches.append((path, number, f"'{target}' is not a path from the repository's root"))
                        elif not allowed(folder, target):
                            breaches.append((path, number, f"{folder} may not include {target}"))
                        if os.path.dirname(target) != folder:
                            graph.setdefault(folder, set()).add(os.path.dirname(target))
                    for pattern, home in ONLY_IN.items():
                        homes = (home,) if isinstance(home, str) else home
                        if include and re.search(pattern, line) and not path.startswith(homes):
                            breaches.append((path, number, f"only {' and '.join(homes)} may include this"))
                    code = line.split("//")[0]
                    for pattern, rule in BANNED:
                        where = line if "marker" in rule else code
                        if pattern.search(where) and not ("clock" in rule and path.startswith(CLOCK_OWNERS)):
                            breaches.append((path, number, rule))
    breaches += types.breaches()
    breaches += [("folders", 0, "circle: " + " -> ".join(circle)) for circle in circles(graph)]
    for path, number, rule in breaches:
        print(f"{path}:{number}: {rule}")
    print(f"{len(breaches)} breaches")
    return 1 if breaches else 0


def circles(graph):
    """Folders that include each other, directly or not."""
    found, done = [], set()

    def visit(node, way):
        if node in way:
            found.append(way[way.index(node):] + [node])
            return
        if node in done:
            return
        for target in sorted(graph.get(node, ())):
            visit(target, way + [node])
        done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return found


sys.exit(main())
