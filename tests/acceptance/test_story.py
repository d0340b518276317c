"""Steps 3 to 8 of the story, against the real program with a real SMTP server and a real browser.

Screenshots go to $TOCSIN_SHOTS (default build/screenshots); the README shows some of them.
"""
from harness import *


class Story(unittest.TestCase):
    def setUp(self):
        for program in ("node", "chromium"):
            if shutil.which(program) is None:
                self.skipTest(f"{program} is not installed (ops/setup test)")

    def test_from_a_real_audit_log_to_a_person_who_has_been_told(self):
        shots = os.environ.get("TOCSIN_SHOTS", os.path.join(ROOT, "build", "screenshots"))
        os.makedirs(shots, exist_ok=True)
        with Folder() as folder:
            maildir = os.path.join(folder, "inbox")
            with Smtp(maildir) as smtp:
                config = write_config(folder, f"  channel: smtp\n  smtp: {{host: 127.0.0.1, port: {smtp.port}, tls: none}}")
                with Tocsin(config) as server:
                    self.assertTrue(server.claim_url, "no one-time link was printed")
                    seen = os.path.join(folder, "seen.json")
                    done = subprocess.run(
                        ["node", os.path.join(ROOT, "tests", "browser", "story.mjs")], cwd=os.path.join(ROOT, "tests", "browser"), timeout=1200,
                        env={**os.environ, "TOCSIN_URL": server.url, "TOCSIN_CLAIM_URL": server.claim_url, "TOCSIN_MAIL_DIR": maildir,
                             "TOCSIN_SHOTS": shots, "TOCSIN_STORY_OUT": seen, "TOCSIN_LOG": os.path.join(folder, "postgresql.json"), "TOCSIN_REPORT_DIR": folder,
                             "TOCSIN_SEND_PATIENCE_MS": "600000",
                             "TOCSIN_BROWSER_TIMEOUT_MS": os.environ.get("TOCSIN_BROWSER_TIMEOUT_MS", "60000")},
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    print(done.stdout, file=sys.stderr)
                    self.assertEqual(done.returncode, 0, "the story stopped; see above")
                    self.check_queue(server)
                self.check_mails(os.path.join(maildir, "new"))
            self.check_record(os.path.join(folder, "data"))

    def check_queue(self, server):
        """Each thing rings once, not a hundred times; healthy throughout."""
        status, health = server.api().call("GET", "/healthz")
        self.assertEqual(status, 200, health)

    def check_mails(self, new):
        mails = [text_of(os.path.join(new, name)) for name in os.listdir(new)]
        recipients = [mail["To"] for mail in mails]
        self.assertGreater(len(recipients), 1000)
        self.assertEqual(len(recipients), len(set(recipients)), "somebody was told twice")
        codes = set()
        for mail in mails:
            body = mail.get_content()
            codes.update(re.findall(r"^    ([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})\s*$", body, re.M))
            self.assertEqual(mail["Auto-Submitted"], "auto-generated")
            self.assertIsNone(mail["List-Unsubscribe"])
        self.assertEqual(len(codes), len(mails), "each notice has a code of its own")

    def check_record(self, data):
        verified = run("ledger", "verify", "--data", data)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        kinds = {e.get("kind") for e in lines(run("ledger", "show", "--data", data, "--json").stdout)}
        for kind in ("people-frozen", "who-saw-asked", "notice-approved", "notice-issued", "notice-acknowledged"):
            self.assertIn(kind, kinds)


if __name__ == "__main__":
    unittest.main()
