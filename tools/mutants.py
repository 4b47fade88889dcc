#!/usr/bin/env python3
"""Mutation run: small mistakes in src/backup, src/log and src/recovery, one at a time; which ones does nothing notice?

    tools/mutants.py --work DIRECTORY [FILE...]     all files of the three layers, or those named
      --every K         a systematic sample: every K-th mutant (default 1)
      --offset N        the sample begins at the N-th
      --minutes M       stop after so long; the next run with the same --work goes on where this one stopped
      --seconds S       of processor time for a mutant, at most (default: all that there is to run)
      --jobs N          so many at the same time (default 1)
      --again           try the survivors of former runs once more, and what is new; those first that soon have met everything
      --confirm         try those that former runs noticed once more
      --tests NAME,...  with these unit tests only (what is new, with --again)
      --programs PATH,...  with these programs only
      --sweeps KIND PATH,...  with these sweeps of faults, too (all: those of mutate_run.py)
      --only PATTERN   of these mutants only, by a regular expression over file, function, kind and text
      --worktree        mutate the files as they are, not the present commit
      --list            only list the mutants
      --equal           compare the machine code of survivors with the original's
      --write           put score and survivors into docs/mutants.md

All mutants of all files are in one build (mutate_c.py), switched by a variable. First every program of the corpus, every
recorded transcript and every single test of the unit tests run without a mutant and note which ones they come by, and
where what the mutant makes differs from the original. Each mutant then meets only those where it differs, the likely and quick
ones first, until one notices: another answer than expected, an assertion, a crash, a leak, a hang, a failing test.
Results are kept in DIRECTORY/results.json under the mutant's text, so that they survive changes elsewhere.

tools/mutants_harmless.txt names survivors that were read and found harmless, and why. What is wrong in it is said, and makes the
run fail: a mutant that is noticed after all, or that no longer exists.
"""

import argparse
import json
import os
import pickle
import re
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutate_c  # noqa: E402
import mutate_run  # noqa: E402
import notice  # noqa: E402

LAYERS = ["src/backup/", "src/log/", "src/recovery/"]
TABLE = os.path.join(notice.ROOT, "docs", "mutants.md")
REVIEWED = os.path.join(notice.ROOT, "tools", "mutants_harmless.txt")
SERVER = os.path.join(notice.ROOT, "tools", "mutate_server.c")
SLOW = {"kill_threads", "btree_threads", "replay_programs", "os_files", "page_files", "btree_files"}
NOTICED = "noticed"
STATES = (NOTICED, "survived", "no difference", "not reached")
EQUAL = ("equivalent", "marked")
HARMLESS = "harmless"


class Build:
    """The tree with all mutants inside."""

    def __init__(self, work, files, worktree):
        self.tree = notice.Tree(work, worktree)
        self.mutants, self.dropped = [], 0
        self.header = os.path.join(work, "mutant.h")
        with open(self.header, "w") as file:
            file.write(mutate_c.HEADER)
        flags = [flag for flag in notice.FLAGS if flag.startswith(("-std", "-D", "-I"))]
        self.changed = {}
        self.mutated = os.path.join(work, "mutated")
        for source in self.tree.engine:
            if source.startswith(tuple(LAYERS)) and (not files or any(name in source for name in files)):
                mutants, without = self.mutate(source, flags)
                self.mutants += [mutant for mutant in mutants if mutant.number not in without]
                self.dropped += len(without)
        self.count = len(self.mutants) + self.dropped
        seen = {}
        for mutant in self.mutants:  # the same mistake may be possible twice in a function
            mutant.name = "%s %s %s %s" % (mutant.file, mutant.function, mutant.kind, mutant.text)
            seen[mutant.name] = seen.get(mutant.name, 0) + 1
            if seen[mutant.name] > 1:
                mutant.name += " #%d" % seen[mutant.name]

    def mutate(self, source, flags):
        """The mutants of a file and the numbers of those that do not compile; what is there already is kept."""
        first = len(self.mutants) + self.dropped
        out = os.path.join(self.mutated, source[:-2] + ".o")
        path = os.path.join(self.tree.copy, source)
        with open(mutate_c.__file__) as file:
            made_by = file.read()
        key = self.tree.key(path, out, first, made_by)
        if key is not None and notice.kept(out) == key:
            self.changed[source] = out
            with open(out + ".mutants", "rb") as file:
                return pickle.load(file)
        os.makedirs(os.path.dirname(out), exist_ok=True)
        mutator = mutate_c.Mutator(self.tree.copy, source, flags, first)
        found = mutator.mutants, self.compile(mutator, source, self.header, out)
        with open(out + ".mutants", "wb") as file:
            pickle.dump(found, file)
        notice.keep(out, self.tree.key(path, out, first, made_by))
        return found

    def compile(self, mutator, source, header, out):
        """The numbers of mutants that do not compile; they are left out of the build."""
        without = set()
        for _ in range(20):
            path = os.path.join(self.mutated, source)
            with open(path, "wb") as file:
                file.write(mutator.text(without).encode("latin-1"))
            done = notice.run(self.tree.compiler + notice.FLAGS + ["-ferror-limit=0", mutate_run.DEFINED, "-include", header] +
                              notice.DEPENDENCIES + ["-c", path, "-o", out],
                              self.tree.copy)
            if done.returncode == 0:
                self.changed[source] = out
                return without
            for line in set(re.findall(r"\.c:(\d+):\d+: error", done.stdout)):
                without |= mutator.on_line(int(line))
        sys.exit("mutants: %s does not compile: %s" % (source, done.stdout[-500:]))

    def link(self):
        """The engine with the mutants; replay and the unit tests as servers."""
        tree = self.tree
        tree.compile_tree()
        switch = os.path.join(self.mutated, "switch.c")
        with open(switch, "w") as file:
            file.write(mutate_c.SWITCH % max(self.count, 1))
        objects = {}
        for name, path, flags in (("switch", switch, []), ("tests", SERVER, []), ("replay", SERVER, ["-DMUTANTS_REPLAY"]),
                                  ("sweep", SERVER, ["-DMUTANTS_SWEEP"])):
            objects[name] = os.path.join(self.mutated, "server-%s.o" % name)
            done = notice.run(["clang"] + notice.FLAGS + flags + ["-c", path, "-o", objects[name]], tree.copy)
            if done.returncode != 0:
                sys.exit("%s does not compile: %s" % (path, done.stdout[-500:]))
        self.engine = os.path.join(self.mutated, "bin")
        tree.link_engine(self.engine, self.changed, [objects["switch"]])
        for name in (mutate_run.REPLAY, mutate_run.SWEEP):
            main = tree.compile("fuzz/%s_main.c" % name, tree.copy, self.mutated, ["-Dmain=%s_main" % name])
            tree.link_program(name, [], self.engine, [main, objects[name]])
        for test in tree.tests:
            tree.link_program("test-" + test, ["tests/%s_test.c" % test], self.engine,
                              [objects["tests"], "-Wl,--wrap=_cmocka_run_group_tests"])


class Reviewed:
    """Survivors that were read and found harmless: their names, one a line, and below them, indented, why."""

    REASONS = ("equal", "speed", "unseen", "excluded", "platform")

    def __init__(self, path=REVIEWED):
        self.why, self.wrong = {}, []
        names, reason = [], None
        with open(path) as file:
            for line in file.read().splitlines() + ["end"]:
                if line.startswith("#") or not line.strip():
                    continue
                if line[0] == " ":
                    reason = ((reason or "") + " " + line.strip()).strip()
                    continue
                if reason is not None:
                    self.enter(names, reason)
                    names, reason = [], None
                names.append(line)
        if names != ["end"]:
            self.wrong.append("no reason: %s" % names[0])

    def enter(self, names, reason):
        if reason.split(":")[0] not in self.REASONS:
            self.wrong.append("the reason is not one of %s: %s" % (", ".join(self.REASONS), names[0]))
        for name in names:
            if name in self.why:
                self.wrong.append("twice: " + name)
            self.why[name] = reason

    def check(self, mutants, results):
        """What is wrong with the list, as far as these mutants can tell."""
        files = {mutant.file for mutant in mutants}
        known = {mutant.name for mutant in mutants}
        wrong = list(self.wrong)
        for name in self.why:
            result = results.get(name, {})
            if name.split()[0] in files and name not in known:
                wrong.append("no such mutant: " + name)
            elif name in known and result.get("state") == NOTICED:
                wrong.append("noticed by %s: %s" % (result["by"], name))
            elif name in known and result.get("state") in EQUAL:
                wrong.append("needs no reason, the machine code is the same: " + name)
        return wrong

    def state(self, mutant, results):
        state = results.get(mutant.name, {}).get("state")
        return HARMLESS if state in STATES[1:] and mutant.name in self.why else state


def percentage(part, whole):
    return "%.1f %%" % (100 * part / whole) if whole else ""


def scores(counts):
    """Of all; of those that could matter. `counts`: noticed, the other STATES, EQUAL, HARMLESS."""
    return percentage(counts[0], sum(counts)), percentage(counts[0], sum(counts[: len(STATES)]))


def table(mutants, results, reviewed, dropped, commit, every):
    tried = [(mutant, results[mutant.name]) for mutant in mutants if mutant.name in results]
    sample = " (%sin an order by checksum, as many as there was time for)" % ("of every %d-th, " % every if every > 1 else "")
    sample = sample if len(tried) < len(mutants) else ""
    out = ["# Mutation run", "",
           "`tools/mutants.py --write` made this page. Every mutant is one small mistake in `src/backup`, `src/log` or `src/recovery`; all of them are",
           "in one build with assertions, one at a time is switched on and meets the programs of the corpus, the recorded transcripts and the unit tests that",
           "come by its place (without the fuzzers, which would find more, and without the slowest tests: %s)." % ", ".join(sorted(SLOW)), "",
           "*No difference*: programs or tests come by, but what the mutant makes there is always what the original makes. *Equivalent*: the compiler",
           "makes the same machine code of it (`-O2`), so nothing can tell. *Marked*: the same where NEVER and ALWAYS are taken at their word",
           "(`src/os/error.h`); %d of the others have been compared with the original. *Harmless*: a survivor that was read, with the reason in" %
           sum(bool(result.get("compared")) for _, result in tried),
           "`tools/mutants_harmless.txt` and below. *Score*: noticed ones of all; *could matter*: of all but equivalent, marked and harmless ones.", "",
           "Commit `%s`. Mutants: %d (%d more do not compile); tried, at this commit or before: %d%s." % (commit, len(mutants), dropped, len(tried), sample), ""]
    columns = STATES + EQUAL + (HARMLESS,)

    def row(name, chosen):
        counts = [sum(reviewed.state(mutant, results) == state for mutant, _ in chosen) for state in columns]
        return "| %s | %d | %s | %s | %s |" % ((name, len(chosen), " | ".join(str(count) for count in counts)) + scores(counts))

    for title, values, of in (("layer", [layer.rstrip("/") for layer in LAYERS], lambda mutant: os.path.dirname(mutant.file)),
                              ("kind", sorted({mutant.kind for mutant, _ in tried}), lambda mutant: mutant.kind),
                              ("file", sorted({mutant.file for mutant, _ in tried}), lambda mutant: mutant.file)):
        out += ["| %s | tried | %s | score | could matter |" % (title, " | ".join(columns)), "| --- |" + " ---: |" * (len(columns) + 3)]
        out += [row(value, [pair for pair in tried if of(pair[0]) == value]) for value in values]
        if title == "layer":
            out.append(row("all", tried))
        out.append("")
    return "\n".join(out + survivors(tried, results, reviewed) + harmless(tried, results, reviewed)) + "\n"


def place(mutant):
    return "| `%s:%d` %s | %s | %s |" % (mutant.file, mutant.line, mutant.function, mutant.kind, mutant.text.replace("|", "\\|"))


def survivors(tried, results, reviewed):
    left = [(mutant, result) for mutant, result in tried if reviewed.state(mutant, results) in STATES[1:]]
    survived = [result for _, result in left if result["state"] == "survived"]
    short = sum(result["ran"] < result["differed"] for result in survived)
    return ["## Survivors", "", "How many programs and tests come by, for how many of them something differs there (only those can notice), and how many runs there were with the",
            "mutant: where they are fewer, its time was over before, and others might have noticed. %d survived all of theirs, %d only those that there was time for." %
            (len(survived) - short, short), "",
            "| place | kind | what | come by | differ | runs |", "| --- | --- | --- | ---: | ---: | ---: |"] + [
                "%s %d | %d | %d |" % (place(mutant), result["came"], result["differed"], result["ran"]) for mutant, result in left]


def harmless(tried, results, reviewed):
    out = ["", "## Harmless", "", "Survivors that were read. *Equal*: both do the same in every state that there can be. *Speed*: only time or memory differ. *Unseen*: what",
           "differs is nothing that a caller is told or a file shows to the engine. *Excluded*: a defence against what no caller does. *Platform*: what it does",
           "is needed on other systems.", "",
           "| place | kind | what | why |", "| --- | --- | --- | --- |"]
    return out + ["%s %s |" % (place(mutant), reviewed.why[mutant.name].replace("|", "\\|")) for mutant, _ in tried
                  if reviewed.state(mutant, results) == HARMLESS]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--work", required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tests")
    parser.add_argument("--programs")
    parser.add_argument("--sweeps")
    parser.add_argument("--only")
    for flag in ("--again", "--confirm", "--list", "--equal", "--write", "--worktree"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


class Results:
    """What is known of the mutants, by name; kept in a file."""

    def __init__(self, path):
        self.path, self.of, self.saved = path, {}, time.monotonic()
        if os.path.exists(path):
            with open(path) as file:
                self.of = json.load(file)

    def state(self, mutant):
        return self.of.get(mutant.name, {}).get("state")

    def save(self):
        self.saved = time.monotonic()
        with open(self.path + ".new", "w") as file:
            json.dump(self.of, file, indent=0)
        os.replace(self.path + ".new", self.path)

    def note(self, mutant, result, partly):
        """`partly`: only some of the tests were run, so what was known before still counts."""
        before = self.of.get(mutant.name)
        if partly and before is not None and result["state"] != NOTICED:
            # Which ones were run before is not known: all, or it counts as fewer.
            short = before["ran"] < before["differed"] or result["ran"] < result["differed"]
            ran = max(before["ran"], result["ran"])
            for count in ("came", "differed"):
                result[count] = max(before[count], result[count])
            result["ran"] = min(ran, result["differed"] - 1) if short else result["differed"]
            result["state"] = min(before["state"], result["state"], key=STATES.index)
        if before is not None and before.get("compared") and result["state"] != NOTICED:
            result["compared"] = True
        self.of[mutant.name] = result
        if time.monotonic() > self.saved + 10:
            self.save()


def wanted(build, options, results):
    chosen = build.mutants[options.offset :: options.every]
    if options.again:
        chosen = [mutant for mutant in chosen if results.state(mutant) in STATES[1:] + (None,)]
    elif options.confirm:
        chosen = [mutant for mutant in chosen if results.state(mutant) == NOTICED]
    else:
        chosen = [mutant for mutant in chosen if results.state(mutant) is None]
    if options.only:
        chosen = [mutant for mutant in chosen if re.search(options.only, mutant.name)]
    return sorted(chosen, key=lambda mutant: zlib.crc32(mutant.name.encode()))  # what is done when time is over is a fair sample


def try_all(build, options, results, todo):
    if options.tests is not None:
        build.tree.tests = [test for test in options.tests.split(",") if test]
    build.tree.tests = [test for test in build.tree.tests if options.tests is not None or test not in SLOW]
    build.link()
    pool = mutate_run.Pool(build, options.jobs)
    watch = notice.stopwatch()
    programs = options.programs.split(",") if options.programs is not None else notice.PROGRAMS
    sweeps = mutate_run.SWEEPS if options.sweeps == "all" else (options.sweeps or "").split(",")
    baseline = mutate_run.Baseline(build, pool, *([part for part in parts if part] for parts in (programs, build.tree.tests, sweeps)))
    for unit, said in baseline.failed:
        print("without a mutant %s fails: %s" % (unit.name, said), flush=True)
    print("%d programs and tests in %.0f s (%.0f s of processor time)" %
          (len(baseline.units), watch(), sum(unit.seconds for unit in baseline.units)), flush=True)
    for mutant in build.mutants:
        if results.state(mutant) == NOTICED:
            baseline.remember(mutant, results.of[mutant.name]["by"])
    if options.again:
        todo = sorted(todo, key=baseline.seconds)
    end = time.monotonic() + 60 * options.minutes

    def act(worker, mutant):
        return baseline.attempt(worker, mutant, options.seconds) if time.monotonic() < end else None

    for mutant, result in pool.each(act, todo):
        if result is not None:
            results.note(mutant, result, [options.tests, options.programs] != [None, None])
            print("%5d %6.2f s %3d of %3d %-11s %s:%d %s: %s  %s" % (mutant.number, result["seconds"], result["ran"], result["differed"],
                  result["state"], mutant.file, mutant.line, mutant.kind, mutant.text, result.get("by", "")), flush=True)
    pool.end()
    results.save()


def compare_code(build, options, results):
    equality = mutate_run.Equality(build)
    pool = mutate_run.Pool(build, options.jobs)
    todo = [mutant for mutant in build.mutants if results.state(mutant) in STATES[1:] and not results.of[mutant.name].get("compared") and
            (not options.only or re.search(options.only, mutant.name))]
    for mutant, state in pool.each(lambda worker, mutant: equality.state(mutant), todo):
        results.of[mutant.name]["compared"] = True
        if state:
            print("%-10s %s:%d %s: %s" % (state, mutant.file, mutant.line, mutant.kind, mutant.text), flush=True)
            results.of[mutant.name]["state"] = state
    pool.end()
    results.save()


def main():
    options = arguments()
    os.makedirs(options.work, exist_ok=True)
    results = Results(os.path.join(options.work, "results.json"))
    commit = notice.run(["git", "rev-parse", "--short", "HEAD"], notice.ROOT).stdout.strip()
    build = Build(options.work, options.files, options.worktree)
    print("%d mutants, %d do not compile" % (len(build.mutants), build.dropped), flush=True)
    if options.list:
        for mutant in build.mutants:
            print("%5d %s:%d %s %s: %s" % (mutant.number, mutant.file, mutant.line, mutant.function, mutant.kind, mutant.text))
        return 0
    todo = wanted(build, options, results)
    if (todo and not (options.equal or options.write)) or options.again or options.confirm:
        try_all(build, options, results, todo)
    if options.equal:
        compare_code(build, options, results)
    reviewed = Reviewed()
    if options.write:
        with open(TABLE, "w") as file:
            file.write(table(build.mutants, results.of, reviewed, build.dropped, commit, options.every))
    for layer in LAYERS:
        states = [reviewed.state(mutant, results.of) for mutant in build.mutants if mutant.file.startswith(layer)]
        columns = STATES + EQUAL + (HARMLESS,)
        counts = [states.count(state) for state in columns]
        print(layer, ", ".join("%s %d" % pair for pair in zip(columns, counts)), "score %s, of those that could matter %s" % scores(counts))
    wrong = reviewed.check(build.mutants, results.of)
    for what in wrong:
        print("tools/mutants_harmless.txt:", what)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
