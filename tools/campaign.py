"""./campaign: builds the fuzz targets, fuzzes for a while, reduces and explains what was found."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from bazel_runner import ROOT, LiveLine, bazel, errors_of, query, startup_options
from campaign_finds import Finds
from campaign_jobs import AflJob, LibFuzzerJob

OUTPUT = os.path.join(ROOT, "campaign-out")
# Shares of the time; the backup target is what the project is about.
SHARES = {"backup_fuzz": 4}
ROUND_SECONDS = 600
# Each round begins with reading the corpus again: a target gets at least so many times as long as that takes.
READINGS = 10
INPUTS_A_SECOND = 150  # are read; a guess, until a target has read its own
ROUND_SECONDS_LEAST = 20
MERGE_SECONDS = 300
CONFIGURATIONS = {
    "sanitized": "address, leak and undefined-behaviour sanitizers (the default)",
    "fast": "optimised, assertions and model only",
    "canary": "an engine with a planted bug: the campaign must find it",
}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.stderr.write("campaign: %s\n(./campaign --help lists what is possible)\n" % message)
        sys.exit(2)


def positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 100000:
        raise argparse.ArgumentTypeError("a time or number above zero is needed, not '%s'" % text)
    return value


def count(text):
    value = int(text) if text.isdecimal() else 0
    if not 1 <= value <= 256:
        raise argparse.ArgumentTypeError("between 1 and 256, not '%s'" % text)
    return value


def parse_arguments():
    parser = Parser(
        prog="./campaign",
        description="Fuzzes the engine: builds the targets, runs them for the given time (default: one minute), shows how "
        "it goes, and keeps everything that went wrong, reduced and explained, under campaign-out/.",
        epilog="Exit status: 0 nothing found, 1 something found, 2 wrong usage, 3 the machine or the build is not ready. "
        "Ctrl-C ends early, with the summary.",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=positive, metavar="N", help="how long (default 1)")
    length.add_argument("--hours", type=positive, metavar="N", help="how long, in hours")
    parser.add_argument("--engine", choices=["libfuzzer", "afl"], default="libfuzzer", help="default: libfuzzer")
    parser.add_argument("--target", action="append", metavar="NAME", help="only this target (may be given several times); 'list' names them")
    parser.add_argument("--jobs", type=count, default=os.cpu_count() or 1, metavar="N", help="fuzzers at a time (default: one a processor)")
    parser.add_argument("--merge", action="store_true", help="at the end, keep of the corpus only what adds something (libFuzzer)")
    parser.add_argument("--resume", action="store_true", help="go on with the last campaign's corpus and finds")
    parser.add_argument(
        "--config", choices=sorted(CONFIGURATIONS), default="sanitized",
        help="; ".join("%s: %s" % (name, CONFIGURATIONS[name]) for name in sorted(CONFIGURATIONS)),
    )
    return parser.parse_args()


def duration(seconds):
    seconds = int(max(0, seconds))
    if seconds >= 3600:
        return "%d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return "%d:%02d" % (seconds // 60, seconds % 60)


def short(number):
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if number >= limit:
            return "%.1f%s" % (number / (limit if unit != "k" else 1000), unit)
    return str(number)


class Totals:
    """Runs, calls, answers that the model judged, seconds of fuzzing; edges and model states reached, in all and beyond
    what the seeds reached; inputs in the corpus."""

    def __init__(self):
        self.runs = self.calls = self.judged = 0
        self.edges = self.new_edges = self.states = self.new_states = self.corpus = 0
        self.seconds = 0.0

    def row(self, name, finds):
        judged = "%d %%" % (100 * self.judged / self.calls) if self.calls else "-"
        rate = short(int(self.calls / self.seconds)) if self.seconds >= 1 else "-"
        return ROW % (name, short(self.runs), short(self.calls), rate, judged, self.edges, "+%d" % self.new_edges,
                      self.states, "+%d" % self.new_states, self.corpus, finds)


ROW = "%-14s %9s %9s %8s %7s %7s %6s %7s %6s %7s %6s"
HEADER = ROW % ("target", "runs", "calls", "calls/s", "judged", "edges", "new", "states", "new", "corpus", "finds")


class Campaign:
    def __init__(self, options, targets):
        self.options = options
        self.targets = targets
        self.seconds = (options.hours * 3600 if options.hours else (options.minutes or 1) * 60)
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.running = []
        self.finished = []
        self.troubles = []
        self.binaries = {}
        self.features = {}
        self.seeds_reached = {}
        self.reading = {}  # seconds that a target needs for its corpus
        self.elapsed = 0
        self.seeds = [
            path for path in (os.path.join(ROOT, "corpus", name) for name in ("seeds", "regressions", "schedules"))
            if os.path.isdir(path)
        ]
        self.tools = {"printers": {}, "environment": {}, "run options": []}
        self.folder = self.choose_folder()

    def choose_folder(self):
        os.makedirs(OUTPUT, exist_ok=True)
        latest = os.path.join(OUTPUT, "latest")
        if self.options.resume:
            if not os.path.isdir(latest):
                sys.stderr.write("campaign: there is no campaign to resume (%s is missing)\n" % latest)
                sys.exit(2)
            return os.path.realpath(latest)
        name = time.strftime("%Y%m%d-%H%M%S")
        folder = os.path.join(OUTPUT, name)
        os.makedirs(folder, exist_ok=True)
        if os.path.islink(latest):
            os.remove(latest)
        os.symlink(name, latest)
        return folder

    # -- building

    def build(self):
        """Builds the targets and the tools around them. Exits with 3 when that fails."""
        logs = os.path.join(self.folder, "build")
        bins = os.path.join(self.folder, "bin")
        os.makedirs(logs, exist_ok=True)
        os.makedirs(bins, exist_ok=True)
        if self.options.engine == "afl":
            engine = ["--config=afl"]
        else:
            engine = ["--config=libfuzzer-fast" if self.options.config == "fast" else "--config=libfuzzer"]
        canary = ["--config=canary"] if self.options.config == "canary" else []
        plan = [("targets", engine + canary, ["//fuzz:%s_bin" % name for name in self.targets]),
                ("tools", ["--config=plain"], ["//fuzz:replay", "//fuzz:afl_mutator.so"])]
        runners = ["//fuzz:" + name for name in self.targets]
        if self.options.engine == "afl":
            # AFL++'s own binaries carry no sanitizer: what they find is explained by these.
            plan.append(("explainers", ["--config=asan-ubsan"] + canary, runners))
        elif canary:
            plan.append(("minimisers", ["--config=plain"] + canary, runners))
        else:
            plan[1][2].extend(runners)
        for name, configuration, labels in plan:
            log = os.path.join(logs, name + ".log")
            print("building the %s ..." % name, flush=True)
            if bazel(["build", "--color=no", "--curses=no"] + configuration + labels, log, "  ") != 0:
                for line in errors_of(log):
                    sys.stderr.write("    %s\n" % line)
                sys.stderr.write("campaign: the %s do not build; full output: %s\n" % (name, log))
                sys.exit(3)
            place = subprocess.run(
                ["bazel"] + startup_options() + ["info", "--noshow_progress", "bazel-bin"] + configuration, cwd=ROOT, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, check=True,
            ).stdout.strip()
            for label in labels:
                base = label.split(":")[1]
                copy = os.path.join(bins, base)
                if os.path.exists(copy):
                    os.remove(copy)
                shutil.copyfile(os.path.join(place, "fuzz", base), copy)
                os.chmod(copy, 0o755)
        for name in self.targets:
            self.binaries[name] = os.path.join(bins, name + "_bin")
            self.tools["printers"][name] = os.path.join(bins, name)
            said = subprocess.run([self.tools["printers"][name], "--features"], stdout=subprocess.PIPE, text=True)
            self.features[name] = said.stdout.strip() or "1"
        self.tools["replay"] = os.path.join(bins, "replay")
        self.tools["afl mutator"] = os.path.join(bins, "afl_mutator.so")
        symbolizer = next((path for path in ("/usr/lib/llvm-14/bin/llvm-symbolizer", shutil.which("llvm-symbolizer") or "") if os.path.exists(path)), "")
        environment = {"UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:handle_abort=1"}
        if symbolizer:
            environment["ASAN_SYMBOLIZER_PATH"] = symbolizer
            environment["UBSAN_OPTIONS"] += ":external_symbolizer_path=" + symbolizer
        if self.options.engine == "afl":
            self.tools["run options"] = ["--direct"]
        else:
            self.tools["run options"] = ["-timeout=20", "-rss_limit_mb=3000"]
        self.tools["environment"] = environment
        self.finds = Finds(self.folder, self.tools, 20 if self.seconds <= 300 else 120)

    # -- running

    def round_seconds(self):
        """How long a round has to be, so that each target does more than read its corpus."""
        total = float(sum(SHARES.get(name, 1) for name in self.targets))
        needs = [seconds * READINGS * total / (SHARES.get(name, 1) * self.options.jobs) for name, seconds in self.reading.items()]
        return max([ROUND_SECONDS] + needs)

    def guess_readings(self):
        for name in self.targets:
            folder = os.path.join(self.folder, "corpus", name)
            kept = len(os.listdir(folder)) if os.path.isdir(folder) else 0
            self.reading[name] = kept / INPUTS_A_SECOND

    def warn_of_readings(self, plans):
        """Says which targets will hardly do more than read what former campaigns kept."""
        for name, seconds in [piece for plan in plans for piece in plan]:
            if self.reading[name] > seconds / 2:
                self.say("%s: reading its corpus takes about %d of its %d seconds: give it more (--minutes, --hours, --target), "
                         "or shorten the corpus (--merge)" % (name, self.reading[name], seconds))

    def plan_round(self, seconds):
        """Cuts one round's time (jobs x seconds) into slices: for each slot a list of (target, seconds)."""
        total = float(sum(SHARES.get(name, 1) for name in self.targets))
        slots = [[] for _ in range(self.options.jobs)]
        slot, used = 0, 0.0
        for name in self.targets:
            left = seconds * self.options.jobs * SHARES.get(name, 1) / total
            while left > 0.5 and slot < len(slots):
                piece = min(left, seconds - used)
                if piece >= 2 or not slots[slot]:
                    slots[slot].append((name, piece))
                left -= piece
                used += piece
                if seconds - used < 0.5:
                    slot, used = slot + 1, 0.0
        return slots

    def work(self, number, plan):
        planned = sum(seconds for _, seconds in plan)
        deadline = time.time() + planned
        for target, share in plan:
            if self.stopping.is_set():
                return
            # On a machine with much else to do a slice takes longer than planned: those behind it share what is left,
            # but no target gets less than half of its time.
            seconds = max(1.5, share * min(1.0, max(0.5, (deadline - time.time()) / planned)))
            planned = max(0.1, planned - share)
            job = (AflJob if self.options.engine == "afl" else LibFuzzerJob)(target, number, seconds, self)
            with self.lock:
                self.running.append(job)
            try:
                job.run()
            finally:
                with self.lock:
                    self.running.remove(job)
                    self.finished.append(job)

    def found(self, job, artifact, output):
        find, new = self.finds.add(job.target, self.explainer(job.target), artifact, output)
        if new:
            self.say("found: %s: %s (%s)" % (find["kind"], find["key"], job.target))

    def explainer(self, target):
        """The program that repeats a failure and says most about it."""
        return self.tools["printers"][target] if self.options.engine == "afl" else self.binaries[target]

    def trouble(self, job, text):
        self.troubles.append(job.target)
        self.say("%s does not run:\n%s" % (job.target, text))

    def say(self, text):
        with self.lock:
            self.live.clear()
            print(text, flush=True)

    def seeds_read(self, target, edges, states, seconds):
        """What a target reached before it changed anything: the rest is new."""
        self.seeds_reached.setdefault(target, (edges, states))
        self.reading[target] = seconds

    def totals(self, target=None):
        """Sums over all jobs (of a target): see Totals."""
        with self.lock:
            jobs = [job for job in self.finished + self.running if target in (None, job.target)]
        totals = Totals()
        targets = {}
        for job in jobs:
            numbers = job.statistics() if job in self.running else job.final if hasattr(job, "final") else job.statistics()
            if job in self.finished and not hasattr(job, "final"):
                job.final = numbers
            totals.runs += numbers[0]
            totals.calls += numbers[1]
            totals.judged += numbers[2]
            totals.seconds += job.seconds_spent()
            targets.setdefault(job.target, []).append(job)
        for name, its_jobs in targets.items():
            edges = max(job.coverage for job in its_jobs)
            states = its_jobs[0].states()
            first_edges, first_states = self.seeds_reached.get(name, (edges, states))
            # Every target is the same engine: their edges overlap, the most is what they reached together, at least.
            totals.edges = max(totals.edges, edges)
            totals.new_edges = max(totals.new_edges, edges - first_edges)
            totals.states += states
            totals.new_states += max(0, states - first_states)
            totals.corpus += its_jobs[0].corpus_size()
        return totals

    def fuzz(self):
        self.live = LiveLine()
        started = time.time()
        left = self.seconds
        first = True
        self.guess_readings()
        while first or (left >= max(ROUND_SECONDS_LEAST, self.round_seconds() / 2) and not self.stopping.is_set()):
            # A round may take longer than planned: those behind it share what is left.
            plans = self.plan_round(left / max(1, round(left / self.round_seconds())))
            if first:
                self.warn_of_readings(plans)
            self.run_round(plans, started)
            first = False
            left = self.seconds - (time.time() - started)
        self.live.clear()
        self.elapsed = time.time() - started

    def run_round(self, plans, started):
        threads = [threading.Thread(target=self.work, args=(number, plan), daemon=True) for number, plan in enumerate(plans)]
        for thread in threads:
            thread.start()
        shown = time.time()
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.25)
            # Counting goes through the whole corpus: a processor that fuzzes has better to do.
            if time.time() - shown < (1 if self.live.on else 10):
                continue
            shown = time.time()
            line = self.progress(max(0.1, shown - started))
            with self.lock:
                self.live.show(line)
            if not self.live.on:
                self.say(line)

    def progress(self, elapsed):
        totals = self.totals()
        with self.lock:
            names = ",".join(sorted({job.target.replace("_fuzz", "") for job in self.running})) or "finishing"
        return "%s left  %s runs  %s calls (%s/s)  edges %d (+%d)  states %d (+%d)  corpus %d  finds %d  [%s]" % (
            duration(self.seconds - elapsed), short(totals.runs), short(totals.calls), short(int(totals.calls / elapsed)),
            totals.edges, totals.new_edges, totals.states, totals.new_states, totals.corpus, len(self.finds.open()), names)

    def end(self):
        """Stops everything that runs; what is being reduced is kept as far as it got."""
        self.stopping.set()
        if hasattr(self, "finds"):
            self.finds.stop.set()
        with self.lock:
            jobs = list(self.running)
        for job in jobs:
            job.stop()

    def merge(self):
        """Keeps of each corpus what adds something."""
        if self.options.engine == "afl":
            return  # its queues hold little else, and the binaries cannot merge
        for name in self.targets:
            job = LibFuzzerJob(name, 0, 0, self)
            before = job.corpus_size()
            if before == 0 or self.stopping.is_set():
                continue
            with self.lock:
                self.running.append(job)
            job.merge(MERGE_SECONDS)
            with self.lock:
                self.running.remove(job)
            print("merged the corpus of %s: %d of %d inputs are left" % (name, job.corpus_size(), before), flush=True)

    def summary(self):
        lines = [HEADER]
        for name in self.targets + ([None] if len(self.targets) > 1 else []):
            finds = [find for find in self.finds.open() if name in (None, find["target"])]
            lines.append(self.totals(name).row(name or "all", len(finds)))
        return lines


def main():
    options = parse_arguments()
    try:
        labels = query('filter("_fuzz$", tests(//fuzz:all))')
    except RuntimeError as trouble:
        sys.stderr.write("campaign: Bazel cannot read the build files:\n%s\n" % trouble)
        return 3
    names = sorted(label.split(":")[1] for label in labels)
    chosen = []
    for name in options.target or []:
        if name == "list":
            print("\n".join(names))
            return 0
        full = name if name.endswith("_fuzz") else name + "_fuzz"
        if full not in names:
            sys.stderr.write("campaign: there is no target '%s'; there are: %s\n" % (name, " ".join(names)))
            return 2
        chosen.append(full)
    if options.config == "canary" and not chosen:
        chosen = ["backup_fuzz"]
    # The most important one comes first, so that a short campaign is not all warm-up.
    names = chosen or sorted(names, key=lambda name: (-SHARES.get(name, 1), name))
    campaign = Campaign(options, names)

    def interrupted(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    try:
        campaign.build()
        print("fuzzing %s with %s, %d at a time, for %s; Ctrl-C ends early" % (
            ", ".join(names), options.engine, options.jobs, duration(campaign.seconds)), flush=True)
        for find in campaign.finds.try_again(campaign.explainer, campaign.targets):
            print("mended since: %s: %s" % (find["name"], find["key"]), flush=True)
        started = time.time()
        try:
            campaign.fuzz()
            if options.merge:
                campaign.merge()
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            campaign.live.clear()
            print("interrupted: stopping the fuzzers", flush=True)
            campaign.end()
            deadline = time.time() + 30
            while campaign.running and time.time() < deadline:
                time.sleep(0.1)
            campaign.elapsed = time.time() - started
    except KeyboardInterrupt:
        sys.stderr.write("\ncampaign: interrupted before fuzzing began\n")
        return 130
    lines = campaign.summary()
    campaign.finds.write_index(lines)
    print("\n".join(lines))
    print("after %s; everything is kept in %s" % (duration(campaign.elapsed), os.path.relpath(campaign.folder, os.getcwd())))
    for find in campaign.finds.open():
        print("  %s: %s: %s (%d times)" % (find["name"], find["kind"], find["key"], find["times"]))
    if campaign.finds.known:
        print("index: %s" % os.path.join(os.path.relpath(campaign.folder, os.getcwd()), "index.html"))
    if campaign.troubles:
        return 3
    return 1 if campaign.finds.open() else 0


if __name__ == "__main__":
    sys.exit(main())
