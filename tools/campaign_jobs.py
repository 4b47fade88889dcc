"""One running fuzzer: libFuzzer or AFL++, behind one interface."""

import collections
import hashlib
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

STATISTICS = struct.Struct("4Q")
PULSE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
SEEDS_HAVE_RUN = "All set and ready to roll"


def end_process(process):
    """Asks a process group to end, and ends it if it does not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            continue


class Job:
    """One slot's work on one target for some seconds. `run` blocks; the other members may be read by anyone."""

    def __init__(self, target, number, seconds, campaign):
        self.target = target
        self.number = number
        self.seconds = seconds
        self.campaign = campaign
        self.folder = os.path.join(campaign.folder, "work", target, "job%d" % number)
        self.corpus = os.path.join(campaign.folder, "corpus", target)
        self.statistics_path = os.path.join(self.folder, "statistics")
        self.binary = campaign.binaries[target]
        self.coverage = 0
        self.features = 0
        self.process = None
        self.said = collections.deque(maxlen=1200)
        os.makedirs(self.folder, exist_ok=True)
        os.makedirs(self.corpus, exist_ok=True)
        self.base = self.read_statistics()
        self.states_path = os.path.join(campaign.folder, "work", target, "states")
        self.corpus_changed = None  # its time of change, when it was counted last
        self.corpus_count = 0
        self.spent = 0.0
        self.started = None

    def read_statistics(self):
        try:
            with open(self.statistics_path, "rb") as source:
                return STATISTICS.unpack(source.read(STATISTICS.size))
        except (OSError, struct.error):
            return (0, 0, 0, 0)

    def statistics(self):
        """Executions, calls, judged calls, successful calls of this job so far."""
        return tuple(now - then for now, then in zip(self.read_statistics(), self.base))

    def states(self):
        """Different states of the model that the target has reached, by all its jobs."""
        try:
            with open(self.states_path, "rb") as source:
                return struct.unpack("Q", source.read(8))[0]
        except (OSError, struct.error):
            return 0

    def seconds_spent(self):
        return self.spent + (time.time() - self.started if self.started is not None else 0)

    def reached(self, coverage, first):
        """Takes note of the coverage; `first`: the seeds have just been read, what comes now is new."""
        self.coverage = max(self.coverage, coverage)
        if first:
            self.campaign.seeds_read(self.target, coverage, self.states(), time.time() - self.started)

    def environment(self):
        environment = dict(os.environ)
        environment.update(self.campaign.tools["environment"])
        environment["ESENT_FUZZ_STATISTICS"] = self.statistics_path
        environment["ESENT_FUZZ_STATES"] = self.states_path
        return environment

    def start(self, command, environment):
        self.said.clear()
        self.started = time.time()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True, text=True, errors="replace", cwd=self.folder,
        )
        reader = threading.Thread(target=self.read_output, daemon=True)
        reader.start()
        return reader

    def read_output(self):
        with open(os.path.join(self.folder, "log.txt"), "a", encoding="utf-8") as log:
            for line in self.process.stdout:
                self.said.append(line)
                found = PULSE.search(line)
                if found:
                    self.reached(int(found.group(1)), "INITED" in line)
                    self.features = max(self.features, int(found.group(2)))
                else:
                    log.write(line)

    def stop(self):
        if self.process is not None:
            end_process(self.process)
        if self.started is not None:
            self.spent += time.time() - self.started
            self.started = None

    def corpus_size(self):
        try:
            changed = os.stat(self.corpus).st_mtime_ns
            if changed != self.corpus_changed:
                self.corpus_count = len(os.listdir(self.corpus))
                self.corpus_changed = changed
            return self.corpus_count
        except OSError:
            return 0


class LibFuzzerJob(Job):
    def copy_seeds(self):
        """The seeds by the names that libFuzzer gives them, so that one that fails can be left out."""
        folder = os.path.join(self.folder, "seeds")
        os.makedirs(folder, exist_ok=True)
        for source in self.campaign.seeds:
            for entry in sorted(os.listdir(source)):
                with open(os.path.join(source, entry), "rb") as program:
                    content = program.read()
                path = os.path.join(folder, hashlib.sha1(content).hexdigest())
                if entry.endswith(".jet") and not os.path.exists(path):
                    with open(path, "wb") as out:
                        out.write(content)
        return folder

    def leave_out(self, artifact, seeds):
        """A program that fails would end every start of the fuzzer: it is known now, so it goes."""
        name = artifact.split("-", 1)[1]
        for folder in (seeds, self.corpus):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                os.remove(path)

    def run(self):
        seeds = self.copy_seeds()
        deadline = time.time() + self.seconds
        while not self.campaign.stopping.is_set():
            left = deadline - time.time()
            if left < 1:
                return
            command = [self.binary, "-max_total_time=%d" % max(1, round(left)), "-artifact_prefix=%s/" % self.folder]
            command += ["-max_len=8192", "-len_control=0", "-timeout=25", "-rss_limit_mb=3000", "-reload=1", "-print_pcs=0"]
            # Its books on how rare each edge is would take twice the time of the programs: they go through the corpus for each.
            command += ["-entropic=0"]
            command += [self.corpus, seeds]
            started = time.time()
            reader = self.start(command, self.environment())
            # libFuzzer ends by itself; one that hangs is ended.
            while self.process.poll() is None and not self.campaign.stopping.is_set():
                time.sleep(0.1)
                if time.time() > deadline + 40:
                    break
            self.stop()
            reader.join(timeout=5)
            artifacts = [
                name for name in os.listdir(self.folder) if re.match(r"^(crash|leak|timeout|oom|slow-unit)-", name)
            ]
            for name in sorted(artifacts):
                path = os.path.join(self.folder, name)
                self.leave_out(name, seeds)
                if not name.startswith("slow-unit"):
                    self.campaign.found(self, path, "".join(self.said))
                os.remove(path)
            if self.process.returncode != 0 and not artifacts and not self.campaign.stopping.is_set():
                if time.time() - started < 2:
                    # It cannot even start: say so instead of trying for ever.
                    self.campaign.trouble(self, "".join(list(self.said)[-8:]))
                    return


    def merge(self, seconds):
        """Keeps, of the corpus, what adds something: the smallest inputs that reach all it reaches."""
        merged = self.corpus + ".merged"
        shutil.rmtree(merged, ignore_errors=True)
        os.makedirs(merged)
        command = [self.binary, "-merge=1", "-max_total_time=%d" % seconds, "-timeout=25", "-rss_limit_mb=3000"]
        environment = self.environment()
        for name in ("ESENT_FUZZ_STATISTICS", "ESENT_FUZZ_STATES"):
            environment.pop(name)
        reader = self.start(command + [merged, self.corpus], environment)
        deadline = time.time() + seconds + 30
        while self.process.poll() is None and not self.campaign.stopping.is_set() and time.time() < deadline:
            time.sleep(0.1)
        whole = self.process.poll() == 0
        self.stop()
        reader.join(timeout=5)
        if whole and os.listdir(merged):
            shutil.rmtree(self.corpus)
            os.rename(merged, self.corpus)
        else:
            shutil.rmtree(merged, ignore_errors=True)


class AflJob(Job):
    def environment(self):
        # afl-fuzz insists on settings of its own for sanitizers.
        environment = Job.environment(self)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            environment.pop(name, None)
        return environment

    def corpus_size(self):
        queues = os.path.join(self.campaign.folder, "work", self.target, "afl")
        sizes = [0]
        for name in os.listdir(queues) if os.path.isdir(queues) else []:
            queue = os.path.join(queues, name, "queue")
            if os.path.isdir(queue):
                sizes.append(len([entry for entry in os.listdir(queue) if entry.startswith("id")]))
        return max(sizes)

    def run(self):
        seconds = max(2, int(self.seconds))
        out = os.path.join(self.campaign.folder, "work", self.target, "afl")
        name = "job%d" % self.number
        seeds = os.path.join(self.folder, "seeds")
        shutil.rmtree(seeds, ignore_errors=True)
        os.makedirs(seeds)
        for folder in self.campaign.seeds:
            for entry in sorted(os.listdir(folder)):
                if entry.endswith(".jet"):
                    shutil.copyfile(os.path.join(folder, entry), os.path.join(seeds, entry))
        environment = self.environment()
        environment.update({
            "AFL_CUSTOM_MUTATOR_LIBRARY": self.campaign.tools["afl mutator"],
            "AFL_CUSTOM_MUTATOR_ONLY": "1",
            "AFL_NO_UI": "1",
            "AFL_SKIP_CPUFREQ": "1",
            "AFL_TRY_AFFINITY": "1",
            "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
            "AFL_AUTORESUME": "1",
            "AFL_SKIP_CRASHES": "1",
            "AFL_FAST_CAL": "1",
            "ESENT_FUZZ_FEATURES": self.campaign.features[self.target],
        })
        role = "-M" if self.number == 0 else "-S"
        command = ["afl-fuzz", "-i", seeds, "-o", out, role, name, "-V", str(seconds), "-t", "10000", "-m", "none"]
        reader = self.start(command + ["--", self.binary], environment)
        crashes = os.path.join(out, name, "crashes")
        queue = os.path.join(out, name, "queue")
        statistics = os.path.join(out, name, "fuzzer_stats")
        seen = set(os.listdir(crashes)) if os.path.isdir(crashes) else set()
        deadline = time.time() + seconds + 60
        seeds_have_run = False
        while True:
            running = self.process.poll() is None
            if os.path.exists(statistics):
                with open(statistics, encoding="utf-8", errors="replace") as source:
                    found = re.search(r"^edges_found\s*:\s*(\d+)", source.read(), re.M)
                # Until AFL++ has run all seeds, its number is that of some of them. It says so, then writes its file.
                if found and seeds_have_run:
                    self.reached(int(found.group(1)), self.coverage == 0)
            seeds_have_run = seeds_have_run or any(SEEDS_HAVE_RUN in line for line in list(self.said))
            if os.path.isdir(crashes):
                for entry in sorted(set(os.listdir(crashes)) - seen):
                    seen.add(entry)
                    if entry.startswith("id"):
                        self.campaign.found(self, os.path.join(crashes, entry), "")
            if not running:
                break
            if self.campaign.stopping.is_set() or time.time() > deadline:
                self.stop()
            time.sleep(0.3)
        self.stop()
        reader.join(timeout=5)
        if os.path.isdir(queue):
            for entry in os.listdir(queue):
                if entry.startswith("id"):
                    with open(os.path.join(queue, entry), "rb") as source:
                        content = source.read()
                    with open(os.path.join(self.corpus, hashlib.sha1(content).hexdigest()), "wb") as out:
                        out.write(content)
        elif not self.campaign.stopping.is_set():
            self.campaign.trouble(self, "".join(list(self.said)[-8:]))
