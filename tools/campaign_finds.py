"""What a campaign found: told apart by cause, reduced, explained, one folder each, and an index of all."""

import json
import os
import re
import shutil
import subprocess
import threading
import time

import campaign_page

FRAME = re.compile(r"#\d+ 0x[0-9a-f]+ in (\S+) (?:\S*?/)?((?:src|fuzz|include)/[^\s:]+)(?::(\d+))?")
NUMBER = re.compile(r"^(0x[0-9a-fA-F]+|\d+)$")


def stack_functions(text, limit=3):
    """The innermost functions of the engine in a sanitizer's report."""
    engine, others = [], []
    for match in FRAME.finditer(text):
        if match.group(1) != "os_assertion_failed":
            (engine if match.group(2).startswith("src/") else others).append(match.group(1))
    return (engine or others)[:limit]


def signature(text):
    """The cause of a failure as (kind, key): two failures with the same one count as one find."""
    rule = re.search(r"^rule: (.*)$", text, re.M)
    if rule:
        answer = re.search(r"^call \d+: expected (.*), got (\S+)", text, re.M)
        codes = ""
        if answer:
            codes = "%s / %s" % (answer.group(1).split(" ")[0], answer.group(2))
        if rule.group(1).startswith("I9"):
            codes = ""
        return "model", (rule.group(1) + ": " + codes).strip(": ")
    frames = " < ".join(stack_functions(text))
    broken = re.search(r"^.*[Aa]ssertion.*$", text, re.M)
    if broken and "Sanitizer" not in broken.group(0):
        return "assertion", re.sub(r"^==\d+==", "", broken.group(0)).strip()
    found = re.search(r"ERROR: (Address|Memory|Leak|Thread|UndefinedBehavior)Sanitizer: ([\w-]+)", text)
    if found and found.group(2) not in ("ABRT",):
        return "leak" if found.group(1) == "Leak" else found.group(2).lower(), frames or found.group(0)
    found = re.search(r"WARNING: (Thread|Memory)Sanitizer: ([\w -]+)", text)
    if found:
        return found.group(2).strip().lower(), frames or found.group(0)
    found = re.search(r"(\S+?):\d+:\d+: runtime error: (.*)$", text, re.M)
    if found:
        return "undefined behaviour", "%s in %s" % (re.sub(r"0x[0-9a-f]+|\d+", "N", found.group(2)), os.path.basename(found.group(1)))
    found = re.search(r"^simulation stuck: (\w+)", text, re.M)
    if found:
        return "stuck", found.group(1)
    found = re.search(r"ERROR: libFuzzer: ([\w -]+)", text)
    if found:
        return found.group(1).strip(), frames
    return "", ""


def explanation(text):
    """The part of an output that tells a person what happened."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if re.match(r"^call \d+: expected", line):
            return "\n".join(lines[index : index + 3])
    for index, line in enumerate(lines):
        if re.search(r"ssertion|runtime error:|ERROR: |WARNING: ThreadSanitizer", line):
            return "\n".join(lines[index : index + 3])
    return "\n".join(lines[-5:])


def headline(text):
    """The one line that says most: "call 9: expected -801, got 0", or what broke."""
    return explanation(text).splitlines()[0].strip() if text.strip() else ""


class Finds:
    """All finds of a campaign's folder. Thread-safe."""

    def __init__(self, folder, tools, reduce_seconds):
        self.folder = os.path.join(folder, "finds")
        self.tools = tools  # paths: replay, and printer by target
        self.reduce_seconds = reduce_seconds
        self.lock = threading.Lock()
        self.known = {}
        self.stop = threading.Event()
        os.makedirs(self.folder, exist_ok=True)
        for name in sorted(os.listdir(self.folder)):
            path = os.path.join(self.folder, name, "find.json")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as source:
                    find = json.load(source)
                self.known[(find["kind"], find["key"])] = find

    def add(self, target, binary, artifact, output):
        """Takes one failing input with the output of its run. Returns the find and whether it is new."""
        kind, key = signature(output)
        if not kind or (kind == "model" and not key):
            output = self.run(binary, artifact)
            kind, key = signature(output)
        if not kind:
            kind, key = "unexplained", os.path.basename(artifact).split("-")[0]
        with self.lock:
            find = self.known.get((kind, key))
            if find is None:
                find = self.make(kind, key, target)
            else:
                back = find.pop("mended", None) is not None
                find["times"] += 1
                self.save(find)
                if not back:
                    return find, False
        self.describe(find, binary, artifact, output)  # one that came back may have come by another way
        return find, True

    def make(self, kind, key, target):
        slug = re.sub(r"[^A-Za-z0-9]+", "-", "%s %s" % (kind, key)).strip("-").lower()[:60]
        # A folder may stand there that no find was written into before the campaign was ended.
        taken = [int(there.split("-")[0]) for there in os.listdir(self.folder) if re.match(r"\d+-", there)]
        name = "%03d-%s" % (max(taken, default=0) + 1, slug)
        find = {"name": name, "kind": kind, "key": key, "target": target, "times": 1, "calls": 0}
        find["found"] = time.strftime("%Y-%m-%d %H:%M:%S")
        self.known[(kind, key)] = find
        os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        return find

    def open(self):
        """The finds that still fail, as far as is known, by name."""
        return sorted((find for find in self.known.values() if "mended" not in find), key=lambda find: find["name"])

    def try_again(self, explainer, targets):
        """Runs what an earlier campaign of these targets found: what no longer fails is mended. Returns these finds."""
        mended = []
        for find in self.open():
            if find["target"] not in targets or find["kind"] == "unexplained" or self.stop.is_set():
                continue  # not built; or a run says nothing of it
            inputs = [self.path(find, name) for name in ("input.bin", "program.jet")]
            said = [signature(self.run(explainer(find["target"]), path)) for path in inputs if os.path.exists(path)]
            if said and all(kind == "" for kind, _ in said):
                find["mended"] = time.strftime("%Y-%m-%d %H:%M:%S")
                self.save(find)
                mended.append(find)
        return mended

    def path(self, find, name):
        return os.path.join(self.folder, find["name"], name)

    def save(self, find):
        with open(self.path(find, "find.json"), "w", encoding="utf-8") as out:
            json.dump(find, out, indent=1)

    def run(self, binary, path, seconds=30):
        """Runs one input on a fuzzing binary and returns all it said."""
        environment = dict(os.environ)
        environment.update(self.tools["environment"])
        environment.pop("ESENT_FUZZ_STATISTICS", None)
        try:
            done = subprocess.run(
                [binary] + self.tools["run options"] + [path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=seconds, env=environment, cwd=self.folder,
            )
            return done.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode("utf-8", "replace")
            return said + "\nERROR: libFuzzer: timeout\n"

    def describe(self, find, binary, artifact, output):
        shutil.copyfile(artifact, self.path(find, "input.bin"))
        self.save(find)
        text = self.text_of(find["target"], artifact)
        if text is not None:
            with open(self.path(find, "original.jet"), "w", encoding="utf-8", errors="surrogateescape") as out:
                out.write(text)
            started = time.time()
            reduced = self.reduce_natively(find, binary, artifact)
            lines, output = reduced if reduced is not None else self.reduce(find, binary, text, output)
            find["seconds"] = round(time.time() - started, 1)
            find["calls"] = len([line for line in lines if not line.startswith("set ")])
            find["lines"] = len(lines)
            find["headline"] = headline(output)
            with open(self.path(find, "program.jet"), "w", encoding="utf-8", errors="surrogateescape") as out:
                out.write("# %s\n# %s: %s\n" % (find["headline"], find["kind"], find["key"]))
                out.write("\n".join(lines) + "\n")
            self.write_reproducer(find)
        with open(self.path(find, "stack.txt"), "w", encoding="utf-8") as out:
            out.write(output)
        with open(self.path(find, "explanation.txt"), "w", encoding="utf-8") as out:
            out.write("%s: %s\n\n%s\n\n" % (find["kind"], find["key"], explanation(output)))
            out.write("Found by %s on %s.\n" % (find["target"], find["found"]))
            out.write("Run it again:  %s\n" % " ".join([binary] + self.tools["run options"] + [self.path(find, "program.jet")]))
            out.write("As a transcript:  bazel run //fuzz:replay -- %s\n" % self.path(find, "program.jet"))
        self.save(find)

    def text_of(self, target, path):
        printer = self.tools["printers"].get(target)
        if printer is None:
            return None
        done = subprocess.run([printer, "--print", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            return None
        return done.stdout.decode("utf-8", "surrogateescape")

    def write_reproducer(self, find):
        try:
            done = subprocess.run(
                [self.tools["replay"], "--c", self.path(find, "program.jet")], stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=20,
            )
        except (OSError, subprocess.TimeoutExpired):
            return
        if done.returncode == 0 and done.stdout:
            with open(self.path(find, "reproducer.c"), "wb") as out:
                out.write(("/* %s */\n" % find["headline"].replace("*/", "* /")).encode("utf-8", "replace"))
                out.write(done.stdout)

    def reduce_natively(self, find, binary, artifact):
        """The target's own minimiser, which judges hundreds of programs a second. None if it does not show the same
        failure (it runs without sanitizers, perhaps)."""
        printer = self.tools["printers"].get(find["target"])
        if printer is None or self.stop.is_set():
            return None
        environment = dict(os.environ)
        environment.update(self.tools["environment"])
        try:
            done = subprocess.run(
                [printer, "--minimise", str(self.reduce_seconds), artifact], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=self.reduce_seconds + 60, env=environment,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode != 0:
            return None
        text = done.stdout.decode("utf-8", "surrogateescape")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        candidate = self.path(find, "candidate.jet")
        with open(candidate, "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write("\n".join(lines) + "\n")
        output = self.run(binary, candidate)
        os.remove(candidate)
        return (lines, output) if signature(output) == (find["kind"], find["key"]) else None

    def reduce(self, find, binary, text, output):
        """Drops calls, then extras, then shrinks numbers, as long as the same thing goes wrong."""
        wanted = (find["kind"], find["key"])
        deadline = time.time() + self.reduce_seconds
        candidate_path = self.path(find, "candidate.jet")
        best = [line for line in text.splitlines() if line.strip()]
        kept_output = [output]

        def fails(lines):
            with open(candidate_path, "w", encoding="utf-8", errors="surrogateescape") as out:
                out.write("\n".join(lines) + "\n")
            said = self.run(binary, candidate_path)
            if signature(said) != wanted:
                return False
            kept_output[0] = said
            return True

        def running():
            return time.time() < deadline and not self.stop.is_set()

        if running() and not fails(best):
            os.remove(candidate_path)
            return best, output
        bare = [re.sub(r"\s+=>.*$", "", line) for line in best]
        if bare != best and running() and fails(bare):
            best = bare
        size = max(1, len(best) // 2)
        while running():
            at = len(best) - size
            changed = False
            while running() and at > -size:
                shorter = best[: max(0, at)] + best[max(0, at) + size :] if at >= 0 else best[at + size :]
                if len(shorter) < len(best) and shorter and fails(shorter):
                    best = shorter
                    changed = True
                at -= size
            if size == 1 and not changed:
                break
            size = max(1, size // 2)
        index = 0
        while index < len(best) and running():
            # The first variant that still fails is taken, and simplified further.
            for simpler in simpler_lines(best[index]):
                if running() and simpler != best[index] and fails(best[:index] + [simpler] + best[index + 1 :]):
                    best = best[:index] + [simpler] + best[index + 1 :]
                    break
            else:
                index += 1
        if os.path.exists(candidate_path):
            os.remove(candidate_path)
        return best, kept_output[0]

    def text_in(self, find, name):
        if not os.path.exists(self.path(find, name)):
            return ""
        with open(self.path(find, name), encoding="utf-8", errors="replace") as source:
            return source.read()

    def write_index(self, summary_lines):
        """Writes index.txt and index.html into the campaign's folder."""
        top = os.path.dirname(self.folder)
        finds = sorted(self.known.values(), key=lambda find: find["name"])
        with open(os.path.join(top, "index.txt"), "w", encoding="utf-8") as out:
            out.write("\n".join(summary_lines) + "\n\n")
            for find in finds:
                out.write("%s%s\n    %s\n    %s: %s\n    %s, seen %d times, %d calls are left, finds/%s/\n" % (
                    find["name"], " (mended)" if "mended" in find else "", find.get("headline", ""), find["kind"], find["key"], find["target"], find["times"],
                    find["calls"], find["name"]))
            if not finds:
                out.write("Nothing was found.\n")
        with open(os.path.join(top, "index.html"), "w", encoding="utf-8") as out:
            out.write(campaign_page.page(summary_lines, finds, self.text_in))


def simpler_lines(line):
    """Simpler variants of one call, the boldest first."""
    words = re.findall(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+', line)
    if not words:
        return
    if words[0].startswith("@"):
        yield " ".join(words[1:])
    for index in range(len(words) - 1, 0, -1):
        if re.match(r"^\w+=", words[index]):
            yield " ".join(words[:index] + words[index + 1 :])
    for index in range(1, len(words)):
        if NUMBER.match(words[index]):
            value = int(words[index], 0)
            for smaller in (0, 1, value // 16, value // 2):
                if smaller < value:
                    yield " ".join(words[:index] + [str(smaller)] + words[index + 1 :])
        elif "|" in words[index] and '"' not in words[index]:
            for part in words[index].split("|"):
                yield " ".join(words[:index] + [part] + words[index + 1 :])
