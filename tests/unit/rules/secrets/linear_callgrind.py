"""Counts the instructions of scans whose text doubles, with callgrind: linear_callgrind.py TEST_BINARY

The same judgement as linear_test.cpp makes where the kernel counts instructions; most virtual machines do not.
Exit status 77 = skipped (valgrind or its header is not installed). TOCSIN_LONG=1 takes larger texts, and two more.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOLERANCE = 2.6  # of 2; windows of a long line make it 2.33; a square gives 4
NOISE = 200_000  # instructions that may be anything
SIZE = 60_000 if os.environ.get("TOCSIN_LONG") else 4_000  # texts that are looked at far ahead show at the larger size only


def main():
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("skipped: valgrind is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        command = [valgrind, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", sys.argv[1], "--gtest_filter=Linear.DumpsForCallgrind"]
        ran = subprocess.run(command, env={**os.environ, "TOCSIN_CALLGRIND_SIZE": str(SIZE)}, capture_output=True, text=True)
        if "built without valgrind's header" in ran.stdout:
            print("skipped: built without valgrind's header")
            return 77
        counts = {}
        for dump in pathlib.Path(folder).iterdir():
            text = dump.read_text(errors="replace")
            name = re.search(r"^desc: Trigger: Client Request: (.*): (once|twice)$", text, re.M)
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
            if name and total:
                counts.setdefault(name[1], {})[name[2]] = int(total[1])
        if ran.returncode != 0 or not counts:
            print(ran.stdout[-3000:], ran.stderr[-3000:], sep="\n")
            print(f"exit status {ran.returncode}, {len(counts)} counts")
            return 1
        wrong = 0
        for name, pair in sorted(counts.items()):
            once, twice = pair["once"], pair["twice"]
            bad = twice > once * TOLERANCE + NOISE
            wrong += bad
            print(f"{name:<55} {once:>12,} {twice:>12,}  x {twice / once:.2f}{'  NOT LINEAR' if bad else ''}")
        print(f"{len(counts)} texts of {SIZE:,} and {2 * SIZE:,} bytes, {wrong} not linear")
        return 1 if wrong or len(counts) < 26 else 0


if __name__ == "__main__":
    sys.exit(main())
