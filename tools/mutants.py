#!/usr/bin/env python3
"""Mutation run: small mistakes in src/backup, src/log and src/recovery, one at a time; which ones does nothing notice?

    tools/mutants.py --work DIRECTORY [FILE...]     all files of the three layers, or those named
      --every K         a systematic sample: every K-th mutant (default 1)
      --offset N        the sample begins at the N-th
      --minutes M       stop after so long; the next run with the same --work goes on where this one stopped
      --again           try the survivors of former runs once more
      --tests NAME,...  with these unit tests only (what is new, with --again)
      --programs PATH,...  with these programs only
      --worktree        mutate the files as they are, not the present commit
      --list            only list the mutants
      --write           put score and survivors into docs/mutants.md

All mutants of all files are in one build (mutate_c.py), switched by an environment variable. First every program of the
corpus, every recorded transcript and every unit test runs without a mutant and notes which ones it comes by; each
mutant then meets only those, quickest first, until one notices: another answer than expected, an assertion, a crash, a
leak, a hang, a failing test. Survivors are also run for their fingerprints: answers and bytes of files at the end.
Results are kept in DIRECTORY/results.json under the mutant's text, so that they survive changes elsewhere.
"""

import argparse
import json
import os
import re
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutate_c  # noqa: E402
import notice  # noqa: E402

LAYERS = ["src/backup/", "src/log/", "src/recovery/"]
TABLE = os.path.join(notice.ROOT, "docs", "mutants.md")
SLOW = {"kill_threads", "btree_threads", "replay_programs", "os_files", "page_files", "btree_files"}
NOTICED = "noticed"


class Build:
    """The tree with all mutants inside."""

    def __init__(self, work, files, worktree):
        self.tree = notice.Tree(work, worktree)
        self.mutants, self.dropped = [], 0
        header = os.path.join(work, "mutant.h")
        with open(header, "w") as file:
            file.write(mutate_c.HEADER)
        flags = [flag for flag in notice.FLAGS if flag.startswith(("-std", "-D", "-I"))]
        self.changed = {}
        self.mutated = os.path.join(work, "mutated")
        for source in self.tree.engine:
            if source.startswith(tuple(LAYERS)) and (not files or any(name in source for name in files)):
                mutator = mutate_c.Mutator(self.tree.copy, source, flags, len(self.mutants) + self.dropped)
                without = self.compile(mutator, source, header)
                self.mutants += [mutant for mutant in mutator.mutants if mutant.number not in without]
                self.dropped += len(without)
        self.count = len(self.mutants) + self.dropped
        seen = {}
        for mutant in self.mutants:  # the same mistake may be possible twice in a function
            mutant.name = "%s %s %s %s" % (mutant.file, mutant.function, mutant.kind, mutant.text)
            seen[mutant.name] = seen.get(mutant.name, 0) + 1
            if seen[mutant.name] > 1:
                mutant.name += " #%d" % seen[mutant.name]

    def compile(self, mutator, source, header):
        """The numbers of mutants that do not compile; they are left out of the build."""
        without = set()
        out = os.path.join(self.mutated, source[:-2] + ".o")
        os.makedirs(os.path.dirname(out), exist_ok=True)
        for _ in range(20):
            path = os.path.join(self.mutated, source)
            with open(path, "wb") as file:
                file.write(mutator.text(without).encode("latin-1"))
            done = notice.run(self.tree.compiler + notice.FLAGS + ["-ferror-limit=0", "-include", header, "-c", path, "-o", out], self.tree.copy)
            if done.returncode == 0:
                self.changed[source] = out
                return without
            for line in set(re.findall(r"\.c:(\d+):\d+: error", done.stdout)):
                without |= mutator.on_line(int(line))
        sys.exit("mutants: %s does not compile: %s" % (source, done.stdout[-500:]))

    def link(self):
        self.tree.build()
        switch = os.path.join(self.mutated, "switch.c")
        with open(switch, "w") as file:
            file.write(mutate_c.SWITCH % max(self.count, 1))
        out = switch[:-2] + ".o"
        notice.run(["clang"] + notice.FLAGS + ["-c", switch, "-o", out], self.tree.copy)
        self.engine = os.path.join(self.mutated, "bin")
        self.tree.link_engine(self.engine, self.changed, [out])


class Baseline:
    """Which program and which test comes by which mutant, and how long it takes."""

    def __init__(self, build, options):
        self.build, tree = build, build.tree
        wanted = options.tests.split(",") if options.tests else [test for test in tree.tests_for("") if test not in SLOW]
        self.seen_path = os.path.join(build.mutated, "seen")
        self.programs, self.tests = [], []  # (seconds, name, bytes: 1 where it came by)
        for path in self.program_paths(options.programs.split(",") if options.programs else notice.PROGRAMS):
            seconds, failed = self.look(lambda extra: tree.differences(build.engine, programs=[path], extra=extra))
            if not failed:
                self.programs.append((seconds, path, self.seen()))
        for test in wanted:
            seconds, failed = self.look(lambda extra: tree.test_fails(build.engine, test, extra))
            if failed:
                print("test %s fails without a mutant: %s" % (test, failed), flush=True)
            else:
                self.tests.append((seconds, test, self.seen()))
        self.programs.sort()
        self.tests.sort()
        self.fingerprints = tree.fingerprints(build.engine, [path for _, path, _ in self.programs])

    def program_paths(self, parts):
        copy = self.build.tree.copy
        below = [os.path.relpath(os.path.join(folder, name), copy) for part in parts
                 for folder, _, names in os.walk(os.path.join(copy, part)) for name in names if name.endswith(".jet")]
        return sorted(below + [part for part in parts if part.endswith(".jet")])

    def look(self, act):
        if os.path.exists(self.seen_path):
            os.remove(self.seen_path)
        watch = notice.stopwatch()
        failed = act({"MUTANTS_SEEN": self.seen_path})
        return watch(), failed

    def seen(self):
        with open(self.seen_path, "rb") as file:
            return file.read()


def try_mutant(build, baseline, mutant, result):
    tree, number = build.tree, mutant.number
    extra = {"MUTANT": str(number)}
    programs = [path for _, path, seen in baseline.programs if seen[number]]
    tests = [test for _, test, seen in baseline.tests if seen[number]]
    result["programs"], result["tests"] = len(programs), len(tests)
    if programs:
        listed = os.path.join(build.mutated, "programs.txt")
        with open(listed, "w") as file:
            file.write("\n".join(programs) + "\n")
        found = tree.differences(build.engine, listed=listed, extra=extra)
        if found:
            return NOTICED, os.path.basename(found[0][0])
    for test in tests:
        said = tree.test_fails(build.engine, test, extra)
        if said:
            return NOTICED, "%s_test: %s" % (test, said)
    if not programs and not tests:
        return "not reached", ""
    os.environ["MUTANT"] = str(number)
    try:
        prints = tree.fingerprints(build.engine, programs) if programs else {}
    finally:
        del os.environ["MUTANT"]
    result["effect"] = sum(baseline.fingerprints.get(path) != print_ for path, print_ in prints.items())
    return "survived", ""


def added(before, result):
    """What a mutant's former result and the one of another try come to."""
    if before is None or result["state"] == NOTICED:
        return result
    for count in ("programs", "tests"):
        result[count] += before[count]
    if "survived" in (before["state"], result["state"]):
        result["state"] = "survived"
        result["effect"] = before.get("effect", 0) + result.get("effect", 0)
    return result


def table(mutants, results, every, dropped, commit):
    tried = [(mutant, results[mutant.name]) for mutant in mutants if mutant.name in results]
    out = ["# Mutation run", "",
           "`tools/mutants.py --write` made this page. Every mutant is one small mistake in `src/backup`, `src/log` or `src/recovery`; all of them are",
           "in one build with assertions, one at a time is switched on and meets the programs of the corpus, the recorded transcripts and the unit tests that",
           "come by its place (without the fuzzers, which would find more, and without the slowest tests: %s)." % ", ".join(sorted(SLOW)), "",
           "Commit `%s`. Mutants: %d (%d more do not compile); tried: %d%s." %
           (commit, len(mutants), dropped, len(tried), " (of every %d-th, in an order by checksum, as many as there was time for)" % every if every > 1 else ""), ""]

    def row(name, chosen):
        counts = [sum(result["state"] == state for _, result in chosen) for state in (NOTICED, "survived", "not reached")]
        return "| %s | %d | %d | %d | %d | %s |" % (name, len(chosen), *counts, "%.1f %%" % (100 * counts[0] / len(chosen)) if chosen else "")

    for title, values, of in (("layer", [layer.rstrip("/") for layer in LAYERS], lambda mutant: os.path.dirname(mutant.file)),
                              ("kind", sorted({mutant.kind for mutant, _ in tried}), lambda mutant: mutant.kind),
                              ("file", sorted({mutant.file for mutant, _ in tried}), lambda mutant: mutant.file)):
        out += ["| %s | tried | noticed | survived | not reached | score |" % title, "| --- | ---: | ---: | ---: | ---: | ---: |"]
        out += [row(value, [pair for pair in tried if of(pair[0]) == value]) for value in values]
        if title == "layer":
            out.append(row("all", tried))
        out.append("")
    out += ["## Survivors", "",
            "*Effect*: how many of the programs that come by end with other answers or other bytes in files; 0: nothing to be seen there.", "",
            "| place | kind | what | reached by programs, tests | effect |", "| --- | --- | --- | ---: | ---: |"]
    for mutant, result in tried:
        if result["state"] != NOTICED:
            reached = "%d, %d" % (result["programs"], result["tests"]) if result["state"] == "survived" else "none"
            out.append("| `%s:%d` %s | %s | %s | %s | %s |" % (mutant.file, mutant.line, mutant.function, mutant.kind,
                       mutant.text.replace("|", "\\|"), reached, result.get("effect", "")))
    return "\n".join(out) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--work", required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--tests")
    parser.add_argument("--programs")
    for flag in ("--again", "--list", "--write", "--worktree"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    os.makedirs(options.work, exist_ok=True)
    notice.CPU_SECONDS = 8
    kept = os.path.join(options.work, "results.json")
    results = {}
    if os.path.exists(kept):
        with open(kept) as file:
            results = json.load(file)
    build = Build(options.work, options.files, options.worktree)
    print("%d mutants, %d do not compile" % (len(build.mutants), build.dropped), flush=True)
    if options.list:
        for mutant in build.mutants:
            print("%5d %s:%d %s %s: %s" % (mutant.number, mutant.file, mutant.line, mutant.function, mutant.kind, mutant.text))
        return 0
    commit = notice.run(["git", "rev-parse", "--short", "HEAD"], notice.ROOT).stdout.strip()
    chosen = build.mutants[options.offset :: options.every]
    if options.again:
        todo = [mutant for mutant in build.mutants if results.get(mutant.name, {}).get("state") in ("survived", "not reached")]
    else:
        todo = [mutant for mutant in chosen if mutant.name not in results]
    todo.sort(key=lambda mutant: zlib.crc32(mutant.name.encode()))  # what is done when time is over is a fair sample
    if options.tests:
        build.tree.tests = options.tests.split(",")
    if todo:
        build.link()
        baseline = Baseline(build, options)
        print("%d programs, %d tests" % (len(baseline.programs), len(baseline.tests)), flush=True)
    end = time.monotonic() + 60 * options.minutes
    for mutant in todo:
        if time.monotonic() > end:
            break
        watch = notice.stopwatch()
        result = {}
        result["state"], result["by"] = try_mutant(build, baseline, mutant, result)
        result["seconds"] = round(watch(), 2)
        results[mutant.name] = result = added(results.get(mutant.name), result)
        print("%5d %6.1f s %-11s %s:%d %s: %s  %s" % (mutant.number, result["seconds"], result["state"], mutant.file, mutant.line,
              mutant.kind, mutant.text, result["by"] or result.get("effect", "")), flush=True)
        with open(kept + ".new", "w") as file:
            json.dump(results, file, indent=0)
        os.replace(kept + ".new", kept)
    if options.write:
        with open(TABLE, "w") as file:
            file.write(table(build.mutants, results, options.every, build.dropped, commit))
    states = [results[mutant.name]["state"] for mutant in chosen if mutant.name in results]
    print("tried %d: noticed %d, survived %d, not reached %d" % (len(states), states.count(NOTICED), states.count("survived"),
          states.count("not reached")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
