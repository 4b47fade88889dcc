#!/usr/bin/env python3
"""Planted bugs: each patch of tools/bugs/ is built into an engine of its own and must be noticed by the harness.

    tools/bugs.py [NAME...]     all, or those whose name contains one of the words
      --only NN[,NN...]         the bugs with these numbers
      --seconds N               how long each fitting target hunts for a bug that nothing else shows (default 20)
      --verify                  only see whether each patch applies and compiles
      --unnoticed               only those that docs/power.md has as unnoticed
      --as-reached              do not count again how often the places are reached: as former runs with this --work did
      --write                   put the table into docs/power.md, after each bug
      --work DIRECTORY          keep the copy and its objects there (default: a temporary directory)
      --worktree                plant into the files as they are, not into the present commit

The stages, each only if the former ones noticed nothing: the programs of the corpus and the recorded transcripts against what
they expect (replay --check); the same judged by the model; the unit tests, those of the bug's layer first; hunts by
the targets that fit the layer. Only what the tree without the patch does not show counts. Exit status 1 if a bug is noticed by none.
"""

import argparse
import glob
import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import notice  # noqa: E402

BUGS = os.path.join(notice.ROOT, "tools", "bugs")
TABLE = os.path.join(notice.ROOT, "docs", "power.md")
HUNTS = {
    "backup": ["backup_fuzz", "schedule_fuzz", "crash_fuzz", "fault_fuzz", "file_fuzz"],
    "cache": ["crash_fuzz", "schedule_fuzz", "fault_fuzz", "file_fuzz", "data_fuzz"],
    "log": ["crash_fuzz", "fault_fuzz", "backup_fuzz", "schedule_fuzz", "file_fuzz"],
    "recovery": ["crash_fuzz", "backup_fuzz", "file_fuzz", "fault_fuzz"],
    "version": ["data_fuzz", "crash_fuzz", "schedule_fuzz", "fault_fuzz"],
    "btree": ["data_fuzz", "crash_fuzz", "fault_fuzz", "file_fuzz"],
    "page": ["data_fuzz", "file_fuzz", "crash_fuzz"],
    "table": ["data_fuzz", "crash_fuzz", "fault_fuzz"],
    "catalog": ["data_fuzz", "fault_fuzz", "crash_fuzz"],
    "instance": ["backup_fuzz", "schedule_fuzz", "fault_fuzz", "data_fuzz"],
    "os": ["backup_fuzz", "text_fuzz", "fault_fuzz"],
}


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
        self.number = int(number.group()) if number else 1000
        self.lines = self.touched(text)

    @staticmethod
    def touched(text):
        """The lines of the unchanged file that the patch takes away, or adds something behind: (file, line)."""
        lines, file, line, near = [], None, 0, None
        for row in text.splitlines():
            hunk = re.match(r"@@ -(\d+)", row)
            if row.startswith("+++ b/"):
                file = row[6:].split("\t")[0]
            elif row.startswith("---") or file is None:
                continue
            elif hunk:
                line, near = int(hunk.group(1)), None
            elif row.startswith("-"):
                lines.append((file, line))
                near, line = line, line + 1
            elif row.startswith("+"):
                if near is None:
                    lines.append((file, line - 1))
                    near = line - 1
            else:
                near, line = None, line + 1
        return lines


class Coverage:
    """Which lines of the tree without a bug are run how often by the corpus and by the unit tests."""

    def __init__(self, tree, work):
        directory = os.path.join(work, "coverage")
        shutil.rmtree(directory, ignore_errors=True)
        engine = os.path.join(directory, "bin")
        flags = ["-fprofile-instr-generate", "-fcoverage-mapping", "-mllvm", "-runtime-counter-relocation"]
        objects = tree.compile_all(tree.engine, os.path.join(directory, "objects"), flags)
        tree.link_engine(engine, objects, ["-fprofile-instr-generate"])
        profile = {"LLVM_PROFILE_FILE": os.path.join(directory, "%p%c.profraw")}  # %c: children that leave by _exit count too
        tree.differences(engine, first=False, extra=profile)
        self.programs = self.lines(directory, engine, "programs")
        for test in tree.tests_for(""):
            tree.test_fails(engine, test, profile)
        self.tests = self.lines(directory, engine, "tests")

    @staticmethod
    def lines(directory, engine, name):
        raw = glob.glob(os.path.join(directory, "*.profraw"))
        merged = os.path.join(directory, name + ".profdata")
        notice.run(["llvm-profdata", "merge", "-o", merged] + raw, directory)
        for path in raw:
            os.remove(path)
        text = notice.run(["llvm-cov", "export", "-format=lcov", "-skip-functions", "-instr-profile", merged,
                           os.path.join(engine, notice.LIBRARY)], directory).stdout
        counts, file = {}, None
        for line in text.splitlines():
            if line.startswith("SF:"):
                file = re.search(r"(?:^SF:|/)((?:src|include)/.*)$", line).group(1)
            elif line.startswith("DA:"):
                number, count = line[3:].split(",")[:2]
                counts[file, int(number)] = int(count)
        return counts

    def reached(self, bug):
        """How often the places of the patch are run: (by the programs, by the unit tests)."""
        return [max([counts.get(place, 0) for place in bug.lines] or [0]) for counts in (self.programs, self.tests)]


class Baseline:
    """What the harness says of the tree without a patch: this is not a bug's doing."""

    def __init__(self, tree):
        self.tree = tree
        self.known = {mode: {path for path, _ in tree.differences(tree.bin, mode, first=False)} for mode in ("--check", "--judge")}
        self.fingerprints = tree.fingerprints(tree.bin)
        self.failing = {}
        self.clean = {}

    def test_fails(self, test):
        if test not in self.failing:
            self.failing[test] = self.tree.test_fails(self.tree.bin, test)
        return self.failing[test]

    def is_clean(self, target, programs):
        """Whether the same hunt (its programs are always the same) finds nothing in so many without the patch."""
        if programs == "":
            return self.tree.hunt(self.tree.bin, target, 30) is None
        good = self.clean.get(target, 0)
        if int(programs) > good and self.tree.hunt(self.tree.bin, target, 120, programs) is None:
            self.clean[target] = good = int(programs)
        return int(programs) <= good


def build(tree, bug, directory):
    """The bug's objects, by source; a text if it cannot be built."""
    own = os.path.join(directory, "tree")  # the changed files alone; the others are found behind
    for file in bug.files:
        if not file.endswith(".c"):
            return "changes a header"
        os.makedirs(os.path.dirname(os.path.join(own, file)), exist_ok=True)
        shutil.copy(os.path.join(tree.copy, file), os.path.join(own, file))
    if notice.run(["git", "apply", "--unsafe-paths", bug.path], own).returncode != 0:
        return "does not apply"
    objects = os.path.join(directory, "objects")
    changed = {file: tree.compile(file, own, objects, ["-I" + tree.copy]) for file in bug.files}
    return "does not compile" if None in changed.values() else changed


def look(tree, bug, engine, baseline, seconds):
    """(stage, where, what), or None."""
    for mode in ("--check", "--judge"):
        found = tree.differences(engine, mode, known=baseline.known[mode])
        if found and not tree.differences(tree.bin, mode, [found[0][0]]):
            path, message = found[0]
            call = message.split()[0] if " => " in message else ""
            return "replay " + mode, ("`%s`, " % call if call else "") + os.path.basename(path), message
    for test in tree.tests_for(bug.layer):
        said = tree.test_fails(engine, test)
        if said and not baseline.test_fails(test):
            return "unit test", test + "_test", said
    for target in HUNTS.get(bug.layer, notice.TARGETS):
        found = tree.hunt(engine, target, seconds)
        if found and baseline.is_clean(target, found[2]):
            return "hunt, " + target, ("`%s`, " % found[1] if found[1] else "") + "program %s" % found[2], found[0]
    return None


def try_bug(tree, bug, work, baseline, coverage, options):
    """What became of a bug, as a row of the table."""
    row = {"name": bug.name, "layer": bug.layer, "text": bug.text, "triggered": "yes"}
    directory = tempfile.mkdtemp(dir=work, prefix="bug-")
    try:
        changed = build(tree, bug, directory)
        if isinstance(changed, str):
            row["problem"] = changed
        elif not options.verify:
            engine = os.path.join(directory, "bin")
            tree.link_engine(engine, changed)
            watch = notice.stopwatch()
            row["found"] = look(tree, bug, engine, baseline, options.seconds)
            row["seconds"] = watch()
            row["reached"] = coverage.reached(bug) if coverage else options.reached.get(bug.name, (0, 0))
            if row["found"] is None or row["found"][0] != "replay --check":  # else it shows
                prints = tree.fingerprints(engine)
                row["triggered"] = sum(prints.get(path) != print_ for path, print_ in baseline.fingerprints.items())
    except RuntimeError as error:
        row["problem"] = str(error)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return row


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")[:140]


def reasons():
    """Why bugs are known to go unnoticed, by name: lines `NAME: REASON` of tools/bugs/unnoticed.txt."""
    path = os.path.join(BUGS, "unnoticed.txt")
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return dict(line.rstrip("\n").split(": ", 1) for line in file if ": " in line)


def counts(title, values, rows, of):
    out = ["| %s | bugs | reached | triggered | noticed |" % title, "| --- | ---: | ---: | ---: | ---: |"]
    for value in values:
        chosen = [row for row in rows if of(row) == value]
        out.append("| %s | %d | %d | %d | %d |" % (value, len(chosen), sum(any(row["reached"]) or row["found"] is not None for row in chosen),
                   sum(row["triggered"] != 0 or row["found"] is not None for row in chosen), sum(row["found"] is not None for row in chosen)))
    return out


def table(rows, baseline, options, commit):
    tried = [row for row in rows if "reached" in row]
    found = [row for row in tried if row["found"]]
    missed = [row for row in tried if not row["found"]]
    known = reasons()
    out = ["# What the harness notices", "",
           "`tools/bugs.py --write` made this page: it plants each bug of `tools/bugs/` in a copy of the tree, one at a",
           "time, and lets the harness look. The stages, each only if the former ones noticed nothing: the programs of the corpus and the",
           "recorded transcripts, compared with what they expect (`replay --check`); the same, judged by the model (`replay --judge`); the",
           "unit tests; hunts of %d seconds by each target that fits the layer, without coverage feedback. Objects without" % options.seconds,
           "sanitizers, assertions on. The seconds count looking, not building, on a machine that had other work to do.", "",
           "*Reached*: a line that the patch changes is run by the corpus or a unit test (two counts of runs in the tree without the patch; none for a row of a table). *Triggered*: the",
           "number of programs that end with other answers, or other bytes in some file, than without the patch; *yes* if a program shows it. *Noticed*: said",
           "to be wrong.",
           "Mistakes in three layers, made by rule rather than by thought: [mutants.md](mutants.md).", "",
           "Commit `%s`. Bugs: %d; tried: %d; **noticed: %d**; unnoticed: %d." % (commit, len(rows), len(tried), len(found), len(missed)), ""]
    out += counts("layer", sorted({row["layer"] for row in tried}), tried, lambda row: row["layer"])
    stages = sorted({row["found"][0] for row in found})
    out += ["", "| noticed first by | bugs | median seconds |", "| --- | ---: | ---: |"]
    for stage in stages:
        times = sorted(row["seconds"] for row in found if row["found"][0] == stage)
        out.append("| %s | %d | %.1f |" % (stage, len(times), times[len(times) // 2]))
    out += ["", "Without a patch, %d programs differ with `--check` and %d with `--judge`, which do not count." %
            (len(baseline.known["--check"]), len(baseline.known["--judge"])), "", "## Unnoticed", ""]
    out += ["- `%s` (%s): %s %s" % (row["name"], row["layer"], row["text"], known.get(row["name"], "Not looked into.")) for row in missed] or ["None."]
    skipped = [row for row in rows if row not in tried]
    if skipped:
        out += ["", "Not tried: " + ", ".join("`%s`%s" % (row["name"], " (%s)" % row["problem"] if "problem" in row else "") for row in skipped) + "."]
    out += ["", "## All", "", "| bug | layer | what is broken | reached | triggered | noticed by | at | what was said | seconds |",
            "| --- | --- | --- | ---: | ---: | --- | --- | --- | ---: |"]
    for row in tried:
        stage, where, what = row["found"] or ("-", "-", "-")
        out.append("| %s | %s | %s | %d, %d | %s | %s | %s | %s | %.1f |" % (row["name"], row["layer"], cell(row["text"]), *row["reached"], row["triggered"],
                   stage, cell(where), cell(what), row["seconds"]))
    return "\n".join(out) + "\n"


def numbers(text):
    return {int(number) for number in text.split(",")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--only", type=numbers)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--work")
    for flag in ("--verify", "--unnoticed", "--as-reached", "--write", "--worktree"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def chosen_bugs(options):
    bugs = [bug for bug in map(Bug, glob.glob(os.path.join(BUGS, "*.patch")))
            if (not options.names or any(word in bug.name for word in options.names))
            and (options.only is None or bug.number in options.only)]
    if options.unnoticed:
        with open(TABLE) as file:
            missed = set(re.findall(r"^- `(\S+)` \(", file.read(), re.M))
        bugs = [bug for bug in bugs if bug.name in missed]
    if not bugs:
        sys.stderr.write("bugs: no patch in tools/bugs/ is named like that\n")
        sys.exit(2)
    return sorted(bugs, key=lambda bug: (bug.number, bug.name))


def main():
    options = arguments()
    bugs = chosen_bugs(options)
    commit = notice.run(["git", "rev-parse", "--short", "HEAD"], notice.ROOT).stdout.strip()
    work = options.work or tempfile.mkdtemp(prefix="bugs-")
    os.makedirs(work, exist_ok=True)
    kept = os.path.join(work, "rows.json")  # of former runs, for bugs that are not tried now
    rows = {}
    if os.path.exists(kept):
        with open(kept) as file:
            rows = json.load(file)
    every = sorted(map(Bug, glob.glob(os.path.join(BUGS, "*.patch"))), key=lambda bug: (bug.number, bug.name))
    try:
        tree = notice.Tree(work, options.worktree)
        baseline = coverage = None
        if not options.verify:
            tree.build()
            baseline = Baseline(tree)
            options.reached = {name: row["reached"] for name, row in rows.items() if "reached" in row}
            coverage = None if options.as_reached else Coverage(tree, work)
        for bug in bugs:
            row = rows[bug.name] = try_bug(tree, bug, work, baseline, coverage, options)
            said = row.get("problem") or ("fine" if options.verify else ": ".join(row["found"]) if row["found"] else
                                          "UNNOTICED, reached %s, triggered %s" % (row["reached"], row["triggered"]))
            print("%-36s %6.1f s  %s" % (bug.name, row.get("seconds", 0), said), flush=True)
            if options.verify:
                continue
            with open(kept, "w") as file:
                json.dump(rows, file, indent=0)
            if options.write:
                with open(TABLE, "w") as file:
                    file.write(table([rows.get(one.name, {"name": one.name}) for one in every], baseline, options, commit))
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)
    mine = [rows[bug.name] for bug in bugs]
    return 1 if any("problem" in row or not (options.verify or row["found"]) for row in mine) else 0


if __name__ == "__main__":
    sys.exit(main())
