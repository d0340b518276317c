"""The table of the data-access pack in ops/docs/data-access-pack.md, made from the rules themselves.

  pack_table.py            says what differs between the page and the rules, and fails if anything does
  pack_table.py --write    puts the table of today into the page
"""
import os
import sys

import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../.."))
PACK = os.path.join(ROOT, "rules/packs/data-access")
PAGE = os.path.join(ROOT, "ops/docs/data-access-pack.md")
BEGIN, END = "<!-- made by tests/unit/rules/packs/pack_table.py -->", "<!-- end of what is made -->"
LEVELS = ["critical", "high", "medium", "low", "informational"]
PRODUCTS = {
    "aws": "Amazon Web Services", "gcp": "Google Cloud and Workspace", "azure": "Azure", "m365": "Microsoft 365", "kubernetes": "Kubernetes",
    "github": "GitHub", "gitlab": "GitLab", "snowflake": "Snowflake", "databricks": "Databricks", "mongodb": "MongoDB Atlas", "okta": "Okta",
    "onelogin": "OneLogin", "onepassword": "1Password", "auth0": "Auth0", "slack": "Slack", "notion": "Notion", "asana": "Asana",
    "zendesk": "Zendesk", "salesforce": "Salesforce", "box": "Box", "dropbox": "Dropbox", "zoom": "Zoom", "linux": "Linux machines",
    "": "Any decoded source (normalised accesses)",
}


def documents():
    for name in sorted(os.listdir(PACK)):
        if name.endswith(".yml") and name != "pack.yml":
            with open(os.path.join(PACK, name), encoding="utf-8") as file:
                yield from ((name[:-4], document) for document in yaml.safe_load_all(file))


def logging_needs(source, pack):
    """The first entry of pack.yml whose every dimension the rule has."""
    for entry in pack["logging"]:
        if all(source.get(key) == value for key, value in entry.items() if key != "needs"):
            return entry["needs"]
    raise SystemExit(f"pack.yml does not say what {source} needs")


def table():
    with open(os.path.join(PACK, "pack.yml"), encoding="utf-8") as file:
        pack = yaml.safe_load(file)
    rules = [(name, rule) for name, rule in documents()]
    by_key = {key: rule for _, rule in rules for key in (rule["id"], rule.get("name")) if key}
    referenced = set()
    for _, rule in rules:
        if "correlation" in rule and not rule["correlation"].get("generate"):
            referenced.update(by_key[reference]["id"] for reference in rule["correlation"]["rules"])

    def source(rule):
        while "correlation" in rule:
            rule = by_key[rule["correlation"]["rules"][0]]
        return rule["logsource"]

    shown = [(name, rule) for name, rule in rules if rule["id"] not in referenced]
    correlations = [rule for _, rule in shown if "correlation" in rule]
    lines = [f"{len(shown)} rules that alert: {len(shown) - len(correlations)} on single events and {len(correlations)} correlations. "
             f"{len(rules) - len(shown)} more are silent: correlations count them."]
    products = sorted({source(rule).get("product", "") for _, rule in shown}, key=lambda p: (p != "", list(PRODUCTS).index(p)))
    for product in products:
        rows = [(name, rule) for name, rule in shown if source(rule).get("product", "") == product]
        needs = sorted({logging_needs(source(rule), pack) for _, rule in rows})
        lines += ["", f"### {PRODUCTS[product]}", "", "Needs: " + "; ".join(needs) + ".", "", "| level | what it tells | kind | file | needs besides |", "|---|---|---|---|---|"]
        for name, rule in sorted(rows, key=lambda row: (LEVELS.index(row[1]["level"]), row[1]["title"].lower())):
            kind = "event"
            if "correlation" in rule:
                kind = f"{rule['correlation']['type']}, {rule['correlation']['timespan']}"
            lines.append(f"| {rule['level']} | {rule['title']} | {kind} | {name} | {rule.get('needs', '')} |")
    return "\n".join(lines) + "\n"


def main():
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(BEGIN)
    made, after = rest.split(END)
    wanted = "\n" + table()
    if made == wanted:
        return 0
    if "--write" in sys.argv[1:]:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(before + BEGIN + wanted + END + after)
        return 0
    old, new = set(made.splitlines()), set(wanted.splitlines())
    for line in sorted(old - new):
        print("only in the page: ", line)
    for line in sorted(new - old):
        print("only in the rules:", line)
    print("run tests/unit/rules/packs/pack_table.py --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
