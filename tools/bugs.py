#!/usr/bin/env python3
"""Planted bugs: each patch of tools/bugs/ is built in a copy of the tree and must be noticed by the harness.

    tools/bugs.py [NAME...]     all, or those whose name contains one of the words
      --only NN                 the bug with this number
      --seconds N               how long each of the four targets hunts for a bug that no program shows (default 10)
      --verify                  only see whether each patch applies and compiles
      --jobs N                  bugs tried at the same time (default 1)
      --write                   put the table into docs/power.md, after each bug
      --work DIRECTORY          keep the copy and its objects there (default: a temporary directory)

The copy is of the present commit. The programs of the corpus and the recorded transcripts come first (replay --check,
then --judge, which stop at the first difference that the tree without the patch does not have), then the hunts. Needs
clang, ICU and git, not Bazel. Exit status 1 if a bug is noticed by none.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUGS = os.path.join(ROOT, "tools", "bugs")
TABLE = os.path.join(ROOT, "docs", "power.md")
TARGETS = ["backup_fuzz", "data_fuzz", "crash_fuzz", "fault_fuzz"]
PROGRAMS = ["corpus/seeds", "corpus/regressions", "tests/golden"]
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-w", "-fno-omit-frame-pointer", "-DESENT_ASSERTIONS=1", "-I."]
MAIN = re.compile(r"(_main|_fuzz|_shim)\.c$|^fuzz/target/")  # not in every program
GRACE = 20  # seconds beyond which a hunt that does not end has met a hang


class Bug:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[: -len(".patch")]
        with open(path) as file:
            text = file.read()
        self.text = text.split("\n", 1)[0]
        self.files = re.findall(r"^\+\+\+ b/(\S+)", text, re.M)
        self.layer = self.files[0].split("/")[1]
        number = re.match(r"\d+", self.name)
        self.number = int(number.group()) if number else None


def run(command, directory, seconds=None):
    return subprocess.run(["nice"] + command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=seconds)


class Tree:
    """A copy of the present commit with all objects of the tree without patches."""

    def __init__(self, work):
        self.copy = os.path.join(work, "tree")
        self.objects = os.path.join(work, "objects")
        self.compiler = (["ccache"] if shutil.which("ccache") else []) + ["clang"]
        shutil.rmtree(self.copy, ignore_errors=True)
        os.makedirs(self.copy)
        archive = subprocess.Popen(["git", "archive", "HEAD", "src", "include", "fuzz", "corpus", "tests"], cwd=ROOT,
                                   stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", self.copy], stdin=archive.stdout, check=True)
        if archive.wait() != 0:
            sys.exit("bugs: git archive failed")
        self.sources = sorted(os.path.relpath(path, self.copy) for part in ("src", "fuzz") for path in
                              glob.glob(os.path.join(self.copy, part, "**", "*.c"), recursive=True))

    def compile(self, source, tree, objects):
        out = os.path.join(objects, source[:-2] + ".o")
        os.makedirs(os.path.dirname(out), exist_ok=True)
        done = run(self.compiler + FLAGS + ["-c", source, "-o", out], tree)
        return out if done.returncode == 0 else None

    def build_all(self):
        wanted = [source for source in self.sources if not source.endswith("_shim.c")]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            outs = list(pool.map(lambda source: self.compile(source, self.copy, self.objects), wanted))
        if None in outs:
            sys.exit("bugs: the tree without a patch does not build: " + wanted[outs.index(None)])

    def link(self, out, main, changed):
        """`changed`: objects that replace the tree's own, by source."""
        sources = [source for source in self.sources if not MAIN.search(source)] + main
        objects = [changed.get(source, os.path.join(self.objects, source[:-2] + ".o")) for source in sources]
        done = run(["clang"] + objects + ["-o", out, "-lpthread", "-licui18n", "-licuuc"], self.copy)
        if done.returncode != 0:
            raise RuntimeError("does not link: " + done.stdout[-300:])

    def link_replay(self, directory, changed):
        self.link(os.path.join(directory, "replay"), ["fuzz/replay_main.c"], changed)

    def link_target(self, directory, target, changed):
        own = ["fuzz/%s.c" % target] + ["fuzz/target/%s.c" % part for part in ("target", "limit", "regression_main")]
        self.link(os.path.join(directory, target), own, changed)


def differences(directory, tree, mode, known, programs=PROGRAMS):
    """The differences that replay prints, those left out that are known; ends it after the first if any are known."""
    process = subprocess.Popen(["nice", os.path.join(directory, "replay"), mode, "--timeout", "30"] + programs,
                               cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)
    found = []
    before = ""
    for line in process.stdout:
        match = re.match(r"(\S+\.jet):(\d+): (.*)", line)
        if not match:
            before = line.strip()
            continue
        if known is not None and match.group(1) in known:
            continue
        path, number, message = match.groups()
        said = " (%s)" % before if before and "crashes" in message else ""  # the assertion that failed
        found.append((path, number, message + said))
        if known is not None:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.stdout.close()
    process.wait()
    return found


def call_of(message):
    """The call that a difference is about, as replay names it."""
    return message.split()[0] if " => " in message else ""


def what_hunt_says(text):
    rule = re.search(r"^rule: (.*)$", text, re.M)
    assertion = re.search(r"^(.*(?:[Aa]ssertion|lock order|leak).*)$", text, re.M)
    here = re.search(r"^(.*\S)\s+# <-- here$", text, re.M)
    said = rule.group(1) if rule else assertion.group(1) if assertion else "the process died"
    return said.strip(), here.group(1).split()[0] if here else ""


def hunt(directory, tree, target, seconds, most=None):
    """None, or (what, call, programs run). `most`: how many programs at most."""
    limits = str(seconds) if most is None else "%d:%s" % (seconds, most)
    process = subprocess.Popen(["nice", os.path.join(directory, target), "--hunt", limits, "corpus"], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    try:
        text, _ = process.communicate(timeout=seconds + GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "a program hangs", "", ""
    if process.returncode != 0:
        return None
    count = re.search(r"found after (\d+) programs", text)
    return what_hunt_says(text) + (count.group(1) if count else "",)


class Baseline:
    """What the harness says of the tree without a patch: this is not a bug's doing."""

    def __init__(self, tree, work, seconds):
        self.work = work
        tree.link_replay(work, {})
        self.known = {mode: {path for path, _, _ in differences(work, tree.copy, mode, None)}
                      for mode in ("--check", "--judge")}
        self.hunts = {}
        for target in TARGETS:
            tree.link_target(work, target, {})
            self.hunts[target] = hunt(work, tree.copy, target, seconds)

    def is_clean(self, tree, target, programs):
        """Whether the same hunt (its programs are always the same) finds nothing in so many without the patch."""
        return programs != "" and hunt(self.work, tree.copy, target, 60, programs) is None


def build(tree, bug, directory):
    """The bug's objects, by source; a text if it cannot be built."""
    own = os.path.join(directory, "tree")
    os.makedirs(own)
    for part in ("src", "include", "fuzz"):
        shutil.copytree(os.path.join(tree.copy, part), os.path.join(own, part))
    if run(["git", "apply", "--unsafe-paths", bug.path], own).returncode != 0:
        return "does not apply"
    sources = [file for file in bug.files if file.endswith(".c")]
    if len(sources) < len(bug.files):
        sources = [source for source in tree.sources if not source.endswith("_shim.c")]
    changed = {source: tree.compile(source, own, os.path.join(directory, "objects")) for source in sources}
    return "does not compile" if None in changed.values() else changed


def look(tree, bug, directory, baseline, seconds, changed):
    """(stage, where, what)."""
    tree.link_replay(directory, changed)
    for mode in ("--check", "--judge"):
        found = differences(directory, tree.copy, mode, baseline.known[mode])
        # On a busy machine a program may take too long: only what the tree without the patch does not show counts.
        if found and not differences(baseline.work, tree.copy, mode, None, [found[0][0]]):
            path, _, message = found[0]
            call = call_of(message)
            return "replay " + mode, ("`%s`, " % call if call else "") + os.path.basename(path), message
    for target in TARGETS:
        tree.link_target(directory, target, changed)
        found = hunt(directory, tree.copy, target, seconds)
        if found and baseline.is_clean(tree, target, found[2]):
            return "hunt, " + target, ("`%s`, " % found[1] if found[1] else "") + "program %s" % found[2], found[0]
    return None


class Row:
    def __init__(self, bug):
        self.bug, self.found, self.seconds, self.problem, self.tried = bug, None, 0.0, None, False


def try_bug(tree, bug, work, baseline, options, row):
    directory = tempfile.mkdtemp(dir=work, prefix="bug-")
    try:
        changed = build(tree, bug, directory)
        if isinstance(changed, str):
            row.problem = changed
        elif not options.verify:
            start = time.monotonic()
            row.found = look(tree, bug, directory, baseline, options.seconds, changed)
            row.seconds = time.monotonic() - start
        row.tried = True
    except RuntimeError as error:
        row.problem = str(error)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")[:160]


def reasons():
    """Why bugs are known to go unnoticed, by name: lines `NAME: REASON` of tools/bugs/unnoticed.txt."""
    path = os.path.join(BUGS, "unnoticed.txt")
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return dict(line.rstrip("\n").split(": ", 1) for line in file if ": " in line)


def table(rows, baseline, options, commit):
    tried = [row for row in rows if row.tried and not row.problem]
    found = [row for row in tried if row.found]
    missed = [row for row in tried if not row.found]
    out = ["# What the harness notices", "",
           "`tools/bugs.py --write` made this page: it plants each bug of `tools/bugs/` in a copy of the tree, one at a",
           "time, and lets the harness look. First the programs of the corpus and the recorded transcripts run, compared",
           "with what they expect (`replay --check`), then judged by the model (`replay --judge`); a bug that none of them",
           "shows is hunted by each of four targets for %d seconds, without coverage feedback. Objects without sanitizers," % options.seconds,
           "assertions on. The seconds count linking and looking, not compiling, on a machine that had other work to do.", "",
           "Commit `%s`. Bugs: %d; tried: %d; **noticed: %d**; unnoticed: %d." % (commit, len(rows), len(tried), len(found), len(missed)), ""]
    stages = sorted({row.found[0] for row in found})
    out += ["| noticed first by | bugs |", "| --- | ---: |"]
    out += ["| %s | %d |" % (stage, sum(row.found[0] == stage for row in found)) for stage in stages]
    out += ["", "| layer | tried | noticed |", "| --- | ---: | ---: |"]
    out += ["| %s | %d | %d |" % (layer, sum(row.bug.layer == layer for row in tried), sum(row.bug.layer == layer for row in found))
            for layer in sorted({row.bug.layer for row in tried})]
    usual = ["`%s`: %s" % (target, cell(said[0]) + (", program %s" % said[2] if said[2] else "")) for target, said in baseline.hunts.items() if said]
    out += ["", "Without a patch, %d programs differ with `--check` and %d with `--judge`, which do not count below. Hunts there end"
            % (len(baseline.known["--check"]), len(baseline.known["--judge"])),
            "early, with a finding that does not count either and hides what would follow: %s." % "; ".join(usual) if usual else "with nothing found."]
    out += ["", "## Unnoticed", "", "The reasons come from reading the code and the programs; none was measured.", ""]
    known = reasons()
    out += ["- `%s` (%s): %s %s" % (row.bug.name, row.bug.layer, row.bug.text, "Likely: " + known[row.bug.name] if row.bug.name in known else "Not looked into.")
            for row in missed] or ["None."]
    skipped = [row for row in rows if row not in tried]
    if skipped:
        out += ["", "Not tried: " + ", ".join("`%s`%s" % (row.bug.name, " (%s)" % row.problem if row.problem else "") for row in skipped) + "."]
    out += ["", "## All", "", "| bug | layer | what is broken | noticed by | at | what was said | seconds |",
            "| --- | --- | --- | --- | --- | --- | ---: |"]
    for row in tried:
        stage, where, what = row.found or ("-", "-", "-")
        out.append("| %s | %s | %s | %s | %s | %s | %.1f |" % (row.bug.name, row.bug.layer, cell(row.bug.text), stage, cell(where), cell(what), row.seconds))
    return "\n".join(out) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--only", type=int)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--work")
    return parser.parse_args()


def main():
    options = arguments()
    bugs = [bug for bug in map(Bug, glob.glob(os.path.join(BUGS, "*.patch")))
            if (not options.names or any(word in bug.name for word in options.names))
            and options.only in (None, bug.number)]
    bugs.sort(key=lambda bug: (bug.number is None, bug.number or 0, bug.name))
    if not bugs:
        sys.exit("bugs: no patch in tools/bugs/ is named like that")
    commit = run(["git", "rev-parse", "--short", "HEAD"], ROOT).stdout.strip()
    work = options.work or tempfile.mkdtemp(prefix="bugs-")
    os.makedirs(work, exist_ok=True)
    rows = [Row(bug) for bug in bugs]
    lock = threading.Lock()
    try:
        tree = Tree(work)
        baseline = None
        if not options.verify:
            tree.build_all()
            baseline = Baseline(tree, work, options.seconds)

        def one(row):
            try_bug(tree, row.bug, work, baseline, options, row)
            with lock:
                said = row.problem or ("fine" if options.verify else ": ".join(row.found) if row.found else "UNNOTICED")
                print("%-36s %6.1f s  %s" % (row.bug.name, row.seconds, said), flush=True)
                if options.write and not options.verify:
                    with open(TABLE, "w") as file:
                        file.write(table(rows, baseline, options, commit))

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(one, rows))
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if any(row.problem or not (options.verify or row.found) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
