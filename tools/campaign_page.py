"""The index page of a campaign: what ran, what was found, each find with its program."""

import html

STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 0 0 .3em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
tr.all td { font-weight: 600; }
.wide { overflow-x: auto; }
.list td { text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.list th { text-align: left; }
section { border: 1px solid var(--line); border-radius: .5em; padding: .9em 1.1em; margin: 1.2em 0; }
pre { background: var(--soft); padding: .6em .8em; overflow-x: auto; border-radius: .3em; margin: .5em 0; }
.headline { font-family: ui-monospace, monospace; font-weight: 600; }
.kind { border: 1px solid var(--line); border-radius: 1em; padding: 0 .6em; margin-right: .5em; white-space: nowrap; }
.links a { margin-right: 1em; }
"""
FILES = ("program.jet", "reproducer.c", "explanation.txt", "stack.txt", "original.jet", "input.bin")


def cells(words, tag):
    return "<tr%s>%s</tr>" % (' class="all"' if words[0] == "all" else "", "".join("<%s>%s</%s>" % (tag, html.escape(word), tag) for word in words))


def numbers(summary_lines):
    """The summary's columns as a table; a percent sign stands apart in the text."""
    rows = [line.replace(" %", "%").split() for line in summary_lines]
    return '<div class="wide"><table>%s%s</table></div>' % (cells(rows[0], "th"), "".join(cells(row, "td") for row in rows[1:]))


def mended(find):
    """What the page says of a find that no longer fails."""
    return " Mended: it no longer fails (%s)." % find["mended"] if "mended" in find else ""


def section(find, text_in):
    links = " ".join(
        '<a href="finds/%s/%s">%s</a>' % (find["name"], name, name) for name in FILES if text_in(find, name) != ""
    )
    return (
        '<section id="%s"><h2><span class="kind">%s</span>%s</h2><p class="headline">%s</p>'
        "<p>%s on %s; seen %d times; %d calls are left.%s</p><pre>%s</pre><details><summary>What it said</summary><pre>%s</pre>"
        '</details><p class="links">%s</p></section>'
    ) % (
        html.escape(find["name"]), html.escape(find["kind"]), html.escape(find["key"]), html.escape(find.get("headline", "")),
        html.escape(find["target"]), html.escape(find["found"]), find["times"], find["calls"],
        html.escape(mended(find)), html.escape(text_in(find, "program.jet")), html.escape(text_in(find, "explanation.txt")), links,
    )


def page(summary_lines, finds, text_in):
    """The page as HTML. `text_in(find, name)` gives the text of a find's file, "" if it is not there."""
    listed = "".join(
        '<tr><td><a href="#%s">%s</a></td><td>%s</td><td>%s</td><td>%d</td></tr>'
        % (html.escape(find["name"]), html.escape(find["name"][:3]), html.escape("%s: %s" % (find["kind"], find["key"])),
           html.escape(find["target"] + (" (mended)" if "mended" in find else "")), find["times"])
        for find in finds
    )
    table = (
        '<table class="list"><tr><th>find</th><th>cause</th><th>target</th><th>times</th></tr>%s</table>' % listed
        if finds else "<p>Nothing was found.</p>"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Fuzzing campaign</title>'
        "<style>%s</style></head><body><h1>Fuzzing campaign</h1>%s<h1>Finds</h1>%s%s</body></html>\n"
    ) % (STYLE, numbers(summary_lines), table, "".join(section(find, text_in) for find in finds))
