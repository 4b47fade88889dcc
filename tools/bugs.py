#!/usr/bin/env python3
"""Planted bugs: each patch of tools/bugs/ is built in a copy of the tree and must be noticed by the harness.

    tools/bugs.py [NAME...]     all, or those whose name contains one of the words

For each: does the corpus (//fuzz:backup_fuzz) notice it, do the transcripts (//fuzz:transcripts_test), does a hunt of
20 seconds (mutants of the corpus)? Exit status 1 if one is noticed by none.
"""

import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COPY = os.path.join(ROOT, "campaign-out", "bugs")
HUNT_SECONDS = 20


def run(command):
    return subprocess.run(command, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def bazel(command, *labels):
    return run(["bazel", command, "--config=plain", "--noshow_progress", "--keep_going"] + list(labels))


def refresh_copy():
    """The copy is at the present commit, without any patch."""
    if not os.path.isdir(os.path.join(COPY, ".git")):
        os.makedirs(os.path.dirname(COPY), exist_ok=True)
        subprocess.run(["git", "clone", "-q", ROOT, COPY], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    run(["git", "fetch", "-q", "origin"])
    run(["git", "checkout", "-q", "--force", head])


def try_bug(path):
    """Returns the row of the table: how each way of looking did."""
    if run(["git", "apply", path]).returncode != 0:
        return ["does not apply"]
    try:
        built = bazel("build", "//fuzz:backup_fuzz", "//fuzz:transcripts_test")
        if built.returncode != 0:
            return ["does not build"]
        corpus = bazel("test", "//fuzz:backup_fuzz").returncode
        transcripts = bazel("test", "//fuzz:transcripts_test").returncode
        hunt = run([os.path.join(COPY, "bazel-bin/fuzz/backup_fuzz"), "--hunt", str(HUNT_SECONDS), "corpus"])
        found = hunt.returncode == 0
        last = hunt.stdout.strip().splitlines()[-1] if hunt.stdout.strip() else ""
        return [
            "noticed" if corpus else "-",
            "noticed" if transcripts else "-",
            last.replace("found after ", "noticed: ") if found else "-",
        ]
    finally:
        run(["git", "checkout", "-q", "--force", "HEAD"])


def main():
    words = sys.argv[1:]
    paths = [path for path in sorted(glob.glob(os.path.join(ROOT, "tools", "bugs", "*.patch")))
             if not words or any(word in os.path.basename(path) for word in words)]
    if not paths:
        sys.exit("bugs: no patch in tools/bugs/ is named like that")
    refresh_copy()
    print("%-34s %-10s %-12s %s" % ("bug", "corpus", "transcripts", "hunt of %d s" % HUNT_SECONDS))
    missed = 0
    for path in paths:
        row = try_bug(path)
        if not any("noticed" in cell for cell in row):
            missed += 1
        cells = row + [""] * (3 - len(row))
        print("%-34s %-10s %-12s %s" % (os.path.basename(path)[: -len(".patch")], cells[0], cells[1], cells[2]), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
