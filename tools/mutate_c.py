"""Puts every mutant of a C file into one text, switched by MUTANT(number): one build holds them all.

The places come from clang's syntax tree (-ast-dump=json), so macros, types and nesting are the compiler's. Kinds of mutants:

    relation    < <= == != >= > become their neighbour and their opposite
    logic       && and || become each other; an operand is left out
    condition   a condition that is no comparison is negated
    constant    a number is one more
    arithmetic  + and - become each other, & and | too
    error       an error code is another one
    return      a function says success instead of an error (or an error instead of success), true instead of false
    statement   a call, an assignment, a jump is left out

Not mutated: assertions, declarations, tables outside functions, what comes from macros but the arguments of TRY and FAIL.
"""

import json
import os
import re
import subprocess

RELATIONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
OTHERS = {"+": "-", "-": "+", "&": "|", "|": "&"}
DELETABLE = {"CallExpr", "CompoundAssignOperator", "GotoStmt", "BreakStmt", "ContinueStmt"}
HOLDERS = {"CompoundStmt", "LabelStmt", "CaseStmt", "DefaultStmt"}
THROUGH = {"ParenExpr", "ImplicitCastExpr", "CStyleCastExpr"}
MACROS = re.compile(r"(TRY|FAIL)\(")
NUMBER = re.compile(r".*\*|(unsigned |signed )?(char|short|int|long|long long|_Bool|bool)|enum \w+")
# mutant_seen: 1 a program came by, 2 and what the mutant makes there was something else than the original (only then can
# the end be another one). With MUTANT_ONLY a build has one mutant for good: for comparing machine code.
HEADER = """#if defined(MUTANT_ONLY)
#define MUTANT_IF(number, differs) ((number) == MUTANT_ONLY)
#define MUTANT_DIFFERS(number, differs) ((void)0)
#else
extern int mutant_active;
extern unsigned char *mutant_seen;
#define MUTANT_IF(number, differs) (mutant_seen[number] |= (differs) ? 3 : 1, mutant_active == (number))
#define MUTANT_DIFFERS(number, differs) ((void)(mutant_seen[number] |= (differs) ? 3 : 1))
#endif
#define MUTANT(number) MUTANT_IF(number, 1)
#define MUTANT_SEEN(number) MUTANT_IF(number, 0)
"""
SWITCH = """#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
static unsigned char unseen[%d];
unsigned char *mutant_seen = unseen;
int mutant_active = -1;
__attribute__((constructor)) static void choose(void)
{
    const char *path = getenv("MUTANTS_SEEN");
    int file = path != NULL ? open(path, O_RDWR | O_CREAT, 0644) : -1;
    if (file < 0 || ftruncate(file, sizeof unseen) != 0)
        return;
    void *shared = mmap(NULL, sizeof unseen, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared != MAP_FAILED)
        mutant_seen = shared;
    close(file);
}
"""


class Mutant:
    def __init__(self, number, file, line, function, kind, text):
        self.number, self.file, self.line, self.function, self.kind, self.text = number, file, line, function, kind, text


class Mutator:
    """The mutants of one file; numbers begin at `first`."""

    def __init__(self, tree, file, flags, first):
        self.file = file
        with open(os.path.join(tree, file), "rb") as source:
            self.source = source.read().decode("latin-1")  # offsets are bytes
        self.next = first
        self.mutants = []
        self.edits = []  # (position, 0 after / 1 before, depth, text, length replaced, mutants)
        self.function = None
        dump = subprocess.run(["clang"] + flags + ["-fsyntax-only", "-w", "-Xclang", "-ast-dump=json", file], cwd=tree,
                              stdout=subprocess.PIPE, check=True).stdout
        for node in json.loads(dump)["inner"]:
            body = node.get("inner", [])[-1:] if node["kind"] == "FunctionDecl" else []
            if body and body[0]["kind"] == "CompoundStmt" and "includedFrom" not in node["range"]["begin"]:
                self.function = node["name"]
                self.returns = node["type"]["qualType"].split("(")[0].strip()
                self.walk(body[0], 1, None)
                self.error_codes(*self.extent(body[0]))

    # --- places

    def matching(self, at):
        """Behind the parenthesis that closes the one at `at`."""
        depth = 0
        for i in range(at, len(self.source)):
            depth += (self.source[i] == "(") - (self.source[i] == ")")
            if depth == 0:
                return i + 1
        return len(self.source)

    def place(self, location, end):
        if "offset" in location:
            return None if "includedFrom" in location else location["offset"] + (location["tokLen"] if end else 0)
        if "spellingLoc" not in location:
            return None
        spelling, expansion = location["spellingLoc"], location["expansionLoc"]
        if expansion.get("isMacroArgExpansion"):
            if "includedFrom" in spelling or not MACROS.match(self.source, expansion["offset"]):
                return None
            return spelling["offset"] + (spelling["tokLen"] if end else 0)
        if "includedFrom" in expansion:
            return None
        at = expansion["offset"]
        if not end:
            return at
        at += expansion["tokLen"]
        return self.matching(at) if self.source[at : at + 1] == "(" else at

    def extent(self, node):
        begin, end = self.place(node["range"]["begin"], False), self.place(node["range"]["end"], True)
        return (begin, end) if begin is not None and end is not None and begin < end else (None, None)

    def in_macro(self, node):
        return "spellingLoc" in node["range"]["begin"] and not node["range"]["begin"]["expansionLoc"].get("isMacroArgExpansion")

    def is_pointer(self, node):
        kind = node.get("type", {})
        return (kind.get("desugaredQualType") or kind.get("qualType", "")).rstrip().endswith("*")

    # --- mutants and edits

    def add(self, at, kind, text):
        line = self.source.count("\n", 0, at) + 1
        text = " ".join(text.split())
        self.mutants.append(Mutant(self.next, self.file, line, self.function, kind, text if len(text) <= 100 else text[:97] + "..."))
        self.next += 1
        return self.next - 1

    def around(self, begin, end, depth, before, after, numbers):
        self.edits.append((begin, 1, depth, before, 0, numbers))
        self.edits.append((end, 0, -depth, after, 0, numbers))

    def between(self, begin, end, operator):
        """Where the operator stands between two operands; None if that cannot be told."""
        gap = self.source[begin:end]
        return begin + gap.index(operator) if gap.count(operator) == 1 and "/" not in gap.replace(operator, "") else None

    def binary(self, node, depth):
        left, right = node["inner"]
        operator = node["opcode"]
        begin, middle = self.extent(left)
        middle_end, end = self.extent(right)
        if begin is None or middle_end is None:
            return
        at = self.between(middle, middle_end, operator)
        if at is None:
            return
        whole = self.source[begin:end]

        def said(other):
            return "%s -> %s%s%s" % (whole, self.source[begin:at], other, self.source[at + len(operator) : end])

        if operator in ("&&", "||"):
            number = self.add(at, "logic", said("||" if operator == "&&" else "&&"))
            test = "!=" if operator == "&&" else "=="
            rest = "m_" if operator == "&&" else "!m_"
            differs = "!" if operator == "&&" else ""
            self.around(begin, end, depth, "({int l_=!!(", "):%s;MUTANT_DIFFERS(%d,%sr_);r_;})" % (rest, number, differs), [number])
            self.edits.append((at, 1, depth, "),m_=MUTANT_SEEN(%d),r_=(l_%sm_)?!!(" % (number, test), 2, [number]))
            for operand, (first, last) in ((left, (begin, middle)), (right, (middle_end, end))):
                if operand.get("opcode") != operator:
                    number = self.add(first, "logic", "%s left out of %s" % (self.source[first:last], whole))
                    before = "(MUTANT_SEEN(%d)||({int x_=!!(" if operator == "&&" else "(!MUTANT_SEEN(%d)&&({int x_=!!("
                    self.around(first, last, depth + 1, before % number,
                                ");MUTANT_DIFFERS(%d,%sx_);x_;}))" % (number, differs), [number])
            return
        if operator in OTHERS and self.is_pointer(right):
            return
        others = RELATIONS.get(operator) or (OTHERS[operator],)
        kind = "relation" if operator in RELATIONS else "arithmetic"
        numbers = [self.add(at, kind, said(other)) for other in others]
        choice = "".join("MUTANT_IF(%d,(a_%sb_)!=r_)?a_%sb_:" % (number, other, other) for number, other in zip(numbers, others))
        plus = ["" if self.is_pointer(operand) else "+0" for operand in (left, right)]
        self.around(begin, end, depth, "({__auto_type a_=((", "))%s;__auto_type r_=a_%sb_;%sr_;})" % (plus[1], operator, choice), numbers)
        self.edits.append((at, 1, depth, "))%s;__auto_type b_=((" % plus[0], len(operator), numbers))

    def condition(self, node, depth):
        inside = node
        while inside["kind"] in THROUGH:
            inside = inside["inner"][0]
        if inside["kind"] == "BinaryOperator" and (inside["opcode"] in RELATIONS or inside["opcode"] in ("&&", "||")):
            return
        begin, end = self.extent(node)
        if begin is not None:
            number = self.add(begin, "condition", "%s -> !(...)" % self.source[begin:end])
            self.around(begin, end, depth, "(MUTANT(%d)!=!!(" % number, "))", [number])

    def statement(self, node, depth):
        """A statement that may be left out."""
        inside = node
        while inside["kind"] in THROUGH:
            inside = inside["inner"][0]
        macro = node["kind"] == "DoStmt" and self.in_macro(node)
        if self.in_macro(node) and not macro:  # what TRY and FAIL are made of: they are left out as a whole
            return
        if not (macro or inside["kind"] in DELETABLE or (inside["kind"] == "BinaryOperator" and inside["opcode"] == "=") or
                (inside["kind"] == "UnaryOperator" and inside["opcode"] in ("++", "--"))):
            return
        begin, end = self.extent(node)
        if begin is None or self.source.startswith("ASSERT", begin) or (macro and not MACROS.match(self.source, begin)):
            return
        if macro:
            end = self.matching(self.source.index("(", begin))
        semicolon = self.source.find(";", end)
        if semicolon < 0 or self.source[end:semicolon].strip() != "":
            return
        number = self.add(begin, "statement", "%s; left out" % self.source[begin:end])
        place = self.stored_to(inside)
        if place is not None:
            plus = "" if self.is_pointer(inside) else "+0"
            self.around(begin, semicolon + 1, depth, "{__auto_type o_=(%s)%s;if(!MUTANT_SEEN(%d)){" % (place, plus, number),
                        "MUTANT_DIFFERS(%d,o_!=(%s));}}" % (number, place), [number])
            return
        self.around(begin, semicolon + 1, depth, "{if(!MUTANT(%d)){" % number, "}}", [number])

    def stored_to(self, node):
        """The text of what an assignment stores to, if it is a number or a pointer and can be read without an effect."""
        if node.get("opcode") != "=" or node["kind"] != "BinaryOperator":
            return None
        target = node["inner"][0]
        kind = target["type"].get("desugaredQualType") or target["type"]["qualType"]
        begin, end = self.extent(target)
        if begin is None or not NUMBER.fullmatch(kind):
            return None
        value, value_end = self.extent(node["inner"][1])
        if value is None or "(" in self.source[value:value_end]:  # a call is left out with it
            return None
        text = self.source[begin:end]
        return text if re.fullmatch(r"[\w.>\-\[\]* ]+", text) and "--" not in text else None

    def returned(self, node, depth):
        value = node["inner"][0]
        begin, end = self.extent(value)
        if begin is None:
            return
        text = self.source[begin:end]
        if self.returns == "JET_ERR":
            other = "JET_errInternalError" if text == "JET_errSuccess" else "JET_errSuccess"
            number = self.add(begin, "return", "return %s -> return %s" % (text, other))
            if "(" in text:  # the call is left out, too
                self.around(begin, end, depth, "(MUTANT(%d)?%s:(" % (number, other), "))", [number])
            else:
                after = ")+0;MUTANT_IF(%d,v_!=%s)?%s:v_;})" % (number, other, other)
                self.around(begin, end, depth, "({__auto_type v_=(", after, [number])
        elif self.returns in ("bool", "_Bool"):
            number = self.add(begin, "return", "return %s -> return !(...)" % text)
            self.around(begin, end, depth, "(MUTANT(%d)!=(" % number, "))", [number])

    def error_codes(self, begin, end):
        for match in re.finditer(r"\bJET_err(?!Success\b)\w+", self.source[begin:end]):
            at = begin + match.start()
            line = self.source[self.source.rfind("\n", 0, at) + 1 : at]
            if re.search(r"\bcase\b|ASSERT|return\s*$|//|/\*|^ \*|[=!<>]=\s*$|[<>]\s*$", line):
                continue
            number = self.add(at, "error", "%s -> another code" % match.group())
            self.around(at, begin + match.end(), 1000, "(", "-MUTANT(%d))" % number, [number])

    def walk(self, node, depth, parent):
        kind = node.get("kind")
        if kind in (None, "ConstantExpr", "UnaryExprOrTypeTraitExpr", "StmtExpr", "OffsetOfExpr", "StaticAssertDecl"):
            return
        if kind == "VarDecl" and node.get("storageClass") == "static":
            return
        begin = node.get("range", {}).get("begin", {})
        if "expansionLoc" in begin and "includedFrom" not in begin["expansionLoc"]:
            if self.source.startswith("ASSERT", begin["expansionLoc"]["offset"]):
                return
        inner = node.get("inner", [])
        bodies = []
        if kind in HOLDERS:
            bodies = inner
        elif kind == "IfStmt":
            bodies = inner[1:]
        elif kind in ("ForStmt", "WhileStmt"):
            bodies = inner[-1:]
        for body in bodies:
            if body.get("kind"):
                self.statement(body, depth)
        macro = self.in_macro(node) if "range" in node else True
        if not macro:
            if kind == "BinaryOperator" and (node["opcode"] in RELATIONS or node["opcode"] in OTHERS or node["opcode"] in ("&&", "||")):
                self.binary(node, depth + 1)
            elif kind in ("IfStmt", "ConditionalOperator"):
                self.condition(inner[0], depth + 1)
            elif kind == "ReturnStmt" and inner:
                self.returned(node, depth + 1)
            elif kind == "IntegerLiteral" and not (parent == "InitListExpr" and node["value"] == "0"):
                place, end = self.extent(node)
                if place is not None:
                    number = self.add(place, "constant", "%s -> %s + 1 in: %s" % (node["value"], node["value"], self.line_of(place)))
                    self.around(place, end, depth + 1, "(", "+MUTANT(%d))" % number, [number])
        for child in inner:
            self.walk(child, depth + 3, kind if kind not in THROUGH else parent)

    def line_of(self, at):
        return self.source[self.source.rfind("\n", 0, at) + 1 : self.source.find("\n", at)].strip()

    def text(self, without=()):
        """The file with all mutants but those numbered in `without`."""
        out, at = [], 0
        for position, _, _, text, length, numbers in sorted(self.edits, key=lambda edit: edit[:3]):
            if any(number in without for number in numbers):
                continue
            out.append(self.source[at:position])
            out.append(text)
            at = position + length
        return "".join(out) + self.source[at:]

    def on_line(self, line):
        """Numbers of the mutants that have edits on a line."""
        return {number for edit in self.edits if self.source.count("\n", 0, edit[0]) + 1 == line for number in edit[5]}
