#!/usr/bin/env python3
"""Takes what a campaign learned into the corpus, as text.

    tools/promote.py [CAMPAIGN]             programs that reach something new go to corpus/seeds/
    tools/promote.py --find NAME [CAMPAIGN] a find's reduced program goes to corpus/regressions/

CAMPAIGN is a folder under campaign-out/ (default: latest). Names of seeds are the SHA-1 of their text.
"""

import argparse
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def promote_find(campaign, name, target_name):
    matches = glob.glob(os.path.join(campaign, "finds", name + "*", "program.jet"))
    if len(matches) != 1:
        sys.exit("promote: '%s' names %d finds of %s" % (name, len(matches), campaign))
    folder = os.path.join(ROOT, "corpus", "regressions")
    os.makedirs(folder, exist_ok=True)
    slug = target_name or os.path.basename(os.path.dirname(matches[0])).split("-", 1)[1]
    shutil.copyfile(matches[0], os.path.join(folder, slug + ".jet"))
    print("corpus/regressions/%s.jet" % slug)


def promote_corpus(campaign):
    seeds = os.path.join(ROOT, "corpus", "seeds")
    kept = 0
    for folder in sorted(glob.glob(os.path.join(campaign, "corpus", "*"))):
        target = os.path.basename(folder)
        binary = os.path.join(campaign, "bin", target + "_bin")
        printer = os.path.join(campaign, "bin", target)
        with tempfile.TemporaryDirectory() as work:
            # The seeds come first: only what reaches more than they do is merged in.
            merged = os.path.join(work, "merged")
            shutil.copytree(seeds, merged)
            before = set(os.listdir(merged))
            subprocess.run([binary, "-merge=1", "-timeout=20", merged, folder], cwd=work, stderr=subprocess.DEVNULL)
            for name in sorted(set(os.listdir(merged)) - before):
                done = subprocess.run([printer, "--print", os.path.join(merged, name)], stdout=subprocess.PIPE)
                if done.returncode != 0 or not done.stdout.strip():
                    continue
                path = os.path.join(seeds, hashlib.sha1(done.stdout).hexdigest() + ".jet")
                if not os.path.exists(path):
                    with open(path, "wb") as out:
                        out.write(done.stdout)
                    kept += 1
    print("%d new seeds in corpus/seeds" % kept)


def main():
    parser = argparse.ArgumentParser(prog="tools/promote.py", description="Takes what a campaign learned into the corpus, as text.")
    parser.add_argument("campaign", nargs="?", default=os.path.join(ROOT, "campaign-out", "latest"))
    parser.add_argument("--find", metavar="NAME", help="number or name of a find")
    parser.add_argument("--name", metavar="NAME", help="name of the regression's file, without .jet")
    options = parser.parse_args()
    campaign = os.path.realpath(options.campaign)
    if not os.path.isdir(campaign):
        sys.stderr.write("promote: there is no campaign at %s\n" % options.campaign)
        sys.exit(2)
    if options.find:
        promote_find(campaign, options.find, options.name)
    else:
        promote_corpus(campaign)


if __name__ == "__main__":
    main()
