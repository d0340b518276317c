"""The console where there is nothing, too much, nothing known, nobody signed in, no server: in Chromium, light, dark and on a phone."""
from harness import *


class States(unittest.TestCase):
    def setUp(self):
        for program in ("node", "chromium"):
            if shutil.which(program) is None:
                self.skipTest(f"{program} is not installed (ops/setup test)")

    def test_each_state_says_what_it_is_and_what_to_do(self):
        shots = os.environ.get("TOCSIN_SHOTS", os.path.join(ROOT, "build", "screenshots"))
        with Folder() as folder, Tocsin(write_config(folder, "  channel: mailbox")) as server:
            browser = os.path.join(ROOT, "tests", "browser")
            done = subprocess.run(["node", os.path.join(browser, "states.mjs")], cwd=browser, timeout=900, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env={**os.environ, "TOCSIN_URL": server.url, "TOCSIN_CLAIM_URL": server.claim_url, "TOCSIN_SHOTS": shots,
                                       "TOCSIN_BROWSER_TIMEOUT_MS": os.environ.get("TOCSIN_BROWSER_TIMEOUT_MS", "60000")})
            print(done.stdout, file=sys.stderr)
            self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
