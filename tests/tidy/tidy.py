#!/usr/bin/env python3
"""tidy.py: the rules of style that a machine can check, each of them one test.

Usage: tidy.py [--build DIR] [--report]
Prints `file:line: rule: text` for each violation; the last line is `N passed, N failed`.
The sources are laid out by clang-format, which this script relies on: a function's braces stand
alone in the first column, and nothing else's do.
"""
import argparse
import fnmatch
import glob
import os
import re
import shutil
import statistics
import subprocess
import sys

FILE_LINES_MAX = 600
NODE_FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 5
COLUMNS_MAX = 100
OUTER_ROOMS = {"host", "cli", "ui"}  # every other room is core
HERE = os.path.dirname(os.path.abspath(__file__))

BANNED = {
    "strcpy": "snprintf or memcpy", "strcat": "snprintf or a writer", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "gets": "fgets", "strtok": "slices", "atoi": "a bounded parser",
    "atol": "a bounded parser", "alloca": "a bounded array", "system": "posix_spawn",
    "popen": "posix_spawn", "strncpy": "label_make or memcpy", "rand": "prng", "srand": "prng",
}
BANNED_IN_CORE = {"strtol": "a bounded parser", "strtoul": "a bounded parser",
                  "strtoll": "a bounded parser", "strtoull": "a bounded parser"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def strip_code(text):
    """Replaces comments, strings and characters by blanks; lines and columns stay."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.S)


class Function:
    def __init__(self, name, header, first, last):
        self.name, self.header, self.first, self.last = name, header, first, last
        self.lines = last - first + 1


class Source:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.lines = self.text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self.code = strip_code(self.text).split("\n")
        parts = path.split("/")
        self.is_source = parts[0] in ("src", "include")
        if parts[0] == "src":
            self.room = parts[1] if len(parts) > 2 else "main"
        else:
            self.room = None

    def functions(self):
        found, start = [], None
        for number, line in enumerate(self.code):
            if line == "{":
                start = number
            elif line.rstrip() == "}" and start is not None:
                first = self.header_start(start)
                header = " ".join(self.code[first:start])
                found.append(Function(function_name(header), header, first + 1, number + 1))
                start = None
        return found

    def header_start(self, brace):
        first = brace
        while first > 0:
            above = self.code[first - 1].strip()
            if not above or above.endswith((";", "}", "\\")) or above.startswith("#"):
                break
            first -= 1
        return first


def function_name(header):
    header = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", header)
    match = re.search(r"(\w+)\s*\(", header)
    return match.group(1) if match else "?"


def parameter_count(header, name):
    start = header.find("(", header.find(name))
    depth, commas = 0, 0
    for at in range(start, len(header)):
        if header[at] == "(":
            depth += 1
        elif header[at] == ")":
            depth -= 1
            if depth == 0:
                inside = header[start + 1:at].strip()
                return 0 if inside in ("", "void") else commas + 1
        elif header[at] == "," and depth == 1:
            commas += 1
    return 0


class Declaration:
    def __init__(self, name, text, first, last):
        self.name, self.text, self.first, self.last = name, text, first, last


def door_declarations(source):
    """Functions a header declares or defines, with the lines they stand on (from 0), and the depth
    of braces at each line's beginning."""
    depth, depths, found, start = 0, [], [], None
    for number, line in enumerate(source.code):
        depths.append(depth)
        is_plain = not line.lstrip().startswith("#")
        is_plain = is_plain and not (number and source.code[number - 1].endswith("\\"))
        if depth == 0 and is_plain and line.strip() not in ("", "{"):
            start = number if start is None else start
            text = " ".join(source.code[start:number + 1])
            body_follows = number + 1 < len(source.code) and source.code[number + 1] == "{"
            if body_follows or line.rstrip().endswith((";", "{}", "{")):
                head = text.split("{")[0]
                is_type = re.match(r"\s*(typedef|struct \w+\s*;|enum \w+\s*;|_Static_assert)", head)
                opens_type = re.match(r"\s*(typedef )?(struct|enum|union)( \w+)?\s*$", head)
                if "(" in head and "=" not in head and not is_type and not opens_type:
                    found.append(Declaration(function_name(head), head, start, number))
                start = None
            elif line.rstrip() in ("}",):
                start = None
        elif depth == 0:
            start = None
        depth += line.count("{") - line.count("}")
    return found, depths


class Tidy:
    def __init__(self, build):
        self.build = build
        self.passed = self.failed = 0
        paths = []
        for top in ("src", "include", "tests"):
            for suffix in ("c", "h"):
                paths += glob.glob(f"{top}/**/*.{suffix}", recursive=True)
        self.sources = [Source(path) for path in sorted(paths)]
        self.product = [s for s in self.sources if s.is_source]
        self.core = [s for s in self.product if s.room not in OUTER_ROOMS | {"main"}]

    def rule(self, name, violations):
        """One rule is one test. Each violation is (file, line, text)."""
        count = 0
        for path, line, text in violations:
            print(f"{path}:{line}: {name}: {text}")
            count += 1
        if count:
            self.failed += 1
        else:
            self.passed += 1

    # --- layout

    def format(self):
        jobs, paths = [], [s.path for s in self.sources]
        for part in range(2):
            chosen = paths[part::2]
            if chosen:
                command = ["clang-format", "--dry-run", "-Werror", *chosen]
                jobs.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        reported = set()
        for job in jobs:
            for line in job.communicate()[1].splitlines():
                match = re.match(r"(\S+?):(\d+):\d+: error:", line)
                if match and match.group(1) not in reported:
                    reported.add(match.group(1))
                    yield match.group(1), match.group(2), "differs from clang-format -i"

    def file_size(self):
        for s in self.sources:
            is_node = s.path.startswith("src/node/") and not s.path.endswith("/node_parts.h")
            limit = NODE_FILE_LINES_MAX if is_node else FILE_LINES_MAX
            if len(s.lines) > limit:
                yield s.path, limit + 1, f"{len(s.lines)} lines, {limit} at most"

    def function_size(self):
        for s in self.sources:
            for f in s.functions():
                if f.lines > FUNCTION_LINES_MAX:
                    yield s.path, f.first, f"{f.name} has {f.lines} lines, {FUNCTION_LINES_MAX} at most"

    def parameters(self):
        for s in self.sources:
            heads = [(f.name, f.header, f.first) for f in s.functions()]
            if s.path.startswith("include/"):
                heads += [(d.name, d.text, d.first + 1) for d in door_declarations(s)[0]]
            for name, header, line in heads:
                count = parameter_count(header, name)
                if count > PARAMETERS_MAX:
                    yield s.path, line, f"{name} takes {count} parameters, {PARAMETERS_MAX} at most"

    def line_width(self):
        for s in self.sources:
            for number, line in enumerate(s.lines, 1):
                if len(line.expandtabs(8)) > COLUMNS_MAX:
                    yield s.path, number, f"{len(line)} columns, {COLUMNS_MAX} at most"

    # --- words

    def banned_calls(self):
        for s in self.sources:
            is_core = s in self.core
            names = {**BANNED, **(BANNED_IN_CORE if is_core else {})}
            pattern = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
            for number, line in enumerate(s.code, 1):
                for name in pattern.findall(line):
                    yield s.path, number, f"{name} is banned, use {names[name]}"

    def leftovers(self):
        pattern = re.compile(r"\b(FIXME|TODO|XXX)\b")
        for s in self.sources:
            for number, line in enumerate(s.lines, 1):
                if pattern.search(line):
                    yield s.path, number, pattern.search(line).group(1) + " left behind"

    def integers_only(self):
        for s in self.core:
            for number, line in enumerate(s.code, 1):
                if re.search(r"\b(float|double)\b", line):
                    yield s.path, number, "no floating point in the core"

    # --- rooms

    def read_rooms(self):
        groups, rooms, plain = {}, {}, []
        with open(os.path.join(HERE, "rooms.txt"), encoding="utf-8") as file:
            for line in file:
                line = line.split("#")[0].strip()
                if not line:
                    continue
                name, rest = (part.strip() for part in line.split(":", 1))
                if name.startswith("@"):
                    groups[name] = rest.split()
                elif name == "plain":
                    plain = rest.split()
                else:
                    doors, _, libraries = rest.partition("|")
                    allowed = set()
                    for door in doors.split():
                        allowed.update(groups[door] if door.startswith("@") else [door])
                    rooms[name] = (allowed, libraries.split())
        return groups, rooms, plain

    def room_of(self, source, groups):
        if source.path.startswith("include/"):
            door = os.path.basename(source.path)[:-2]
            for group in groups:
                if door in groups[group]:
                    return group[1:]
            return door
        return source.room

    def include_direction(self):
        groups, rooms, plain = self.read_rooms()
        for s in self.product:
            room = self.room_of(s, groups)
            if room not in rooms:
                yield s.path, 1, f"room {room} is not in tests/tidy/rooms.txt"
                continue
            for number, line in enumerate(s.lines, 1):
                match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
                if match:
                    text = self.include_fault(s, room, match.groups(), (rooms[room], plain))
                    if text:
                        yield s.path, number, text

    def include_fault(self, source, room, include, rules):
        (doors, libraries), plain = rules
        kind, name = include
        if kind == "<":
            match = next((p for p in libraries if fnmatch.fnmatch(name, p.lstrip("!"))), "!")
            if name in plain or not match.startswith("!"):
                return None
            return f"{room} may not include <{name}>"
        if name.endswith(".def") and "/" not in name:
            return None
        if source.path.startswith("src/") and any(
                os.path.exists(os.path.join(place, name))
                for place in (os.path.dirname(source.path), f"src/{source.room}")):
            return None
        if name.endswith(".h") and (name[:-2] in doors or name[:-2] == room):
            return None
        return f"{room} may not include \"{name}\""

    def no_upward_includes(self):
        for s in self.sources:
            for number, line in enumerate(s.lines, 1):
                if re.match(r'\s*#\s*include\s*["<][^">]*\.\./', line):
                    yield s.path, number, "includes from another directory by ../"

    # --- tests and doors

    def unit_test(self):
        listing, excused = "tests/tidy/untested.txt", {}
        with open(os.path.join(HERE, "untested.txt"), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith("#"):
                    path, _, reason = line.partition(":")
                    excused[path.strip()] = number
                    if not reason.strip():
                        yield listing, number, "gives no reason"
        for s in self.product:
            parts = s.path.split("/")
            if len(parts) < 3 or not s.path.endswith(".c"):
                continue
            test = f"tests/unit/{parts[1]}/{parts[-1][:-2]}_test.c"
            has_test = os.path.exists(test)
            number = excused.pop(s.path, None)
            if number and has_test:
                yield listing, number, f"{s.path} has a test now"
            elif not number and not has_test:
                yield s.path, 1, f"no {test}"
        for path, number in excused.items():
            yield listing, number, f"{path} does not exist"

    def door_comments(self):
        for s in self.product:
            if not s.path.startswith("include/"):
                continue
            declarations, depths = door_declarations(s)
            for d in declarations:
                if not self.has_comment(s, depths, d.first):
                    yield s.path, d.first + 1, f"{d.name} has no comment"

    @staticmethod
    def has_comment(source, depths, line):
        """A comment stands before the declaration, or before the unbroken group it is in."""
        for above in range(line - 1, -1, -1):
            text = source.lines[above].strip()
            if text.endswith("*/") and not source.code[above].strip():
                return True
            is_break = not text or (text.startswith("#") and not text.startswith("#define"))
            if depths[above] == 0 and is_break:
                return False
        return False

    def checked_statuses(self):
        for s in self.product:
            if s.path.startswith("include/"):
                for d in door_declarations(s)[0]:
                    returns = re.match(r"\s*enum status \w+\s*\(", d.text)
                    if returns and "MUST_USE" not in d.text and d.name != "status_from_wire":
                        yield s.path, d.first + 1, f"{d.name} returns a status without MUST_USE"

    # --- what was built

    def joined_core(self):
        archive, joined = f"{self.build}/release/libcore.a", f"{self.build}/release/core.o"
        command = ["ld", "-r", "--whole-archive", archive, "-o", joined]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return joined

    def core_symbols(self, joined):
        listing = "tests/tidy/core-symbols.allow"
        with open(os.path.join(HERE, "core-symbols.allow"), encoding="utf-8") as file:
            patterns = [line.strip() for line in file if line.strip() and line[0] != "#"]
        names = subprocess.run(["nm", "-u", joined], check=True, capture_output=True, text=True)
        for name in sorted({line.split()[-1] for line in names.stdout.splitlines() if line.strip()}):
            match = next((p for p in patterns if fnmatch.fnmatchcase(name, p.lstrip("!"))), "!")
            if match.startswith("!"):
                where = self.users_of(name)
                yield where, 0, f"the core calls {name}, which {listing} does not allow"

    def users_of(self, name):
        """The object that wants a symbol, as the path of its source if that can be told."""
        archive = f"{self.build}/release/libcore.a"
        listing = subprocess.run(["nm", "-uA", archive], capture_output=True, text=True).stdout
        for line in listing.splitlines():
            if line.split()[-1] == name:
                member = line.split(":")[1].removesuffix(".o") + ".c"
                return next((s.path for s in self.core if s.path.endswith("/" + member)), member)
        return archive

    def writable_data(self, joined):
        sizes = subprocess.run(["size", "-A", joined], check=True, capture_output=True, text=True)
        for line in sizes.stdout.splitlines():
            match = re.match(r"(\.(?:data|bss|tdata|tbss)\S*|COMMON)\s+(\d+)", line)
            if match and match.group(2) != "0" and not match.group(1).startswith(".data.rel.ro"):
                yield joined, 0, f"{match.group(2)} bytes of writable {match.group(1)} in the core"

    def hardening(self):
        for name in ("gossamerd", "gossamer"):
            path = f"{self.build}/release/{name}"
            if not os.path.exists(path):
                continue
            command = ["readelf", "-W", "-h", "-l", "-d", "-s", path]
            text = subprocess.run(command, capture_output=True, text=True).stdout
            wanted = {"position independent": r"Type:\s+DYN", "bind now": r"BIND_NOW|FLAGS_1.*NOW",
                      "read-only relocations": "GNU_RELRO", "stack guard": "__stack_chk_fail"}
            for what, pattern in wanted.items():
                if not re.search(pattern, text):
                    yield path, 0, f"built without: {what}"
            if re.search(r"GNU_STACK.*\bRWE\b", text):
                yield path, 0, "executable stack"

    def run(self):
        if shutil.which("clang-format"):
            self.rule("format", self.format())
        else:
            print("SKIP tidy format: no clang-format")
        for method in (self.file_size, self.function_size, self.parameters, self.line_width,
                       self.banned_calls, self.leftovers, self.integers_only,
                       self.include_direction, self.no_upward_includes, self.unit_test,
                       self.door_comments, self.checked_statuses, self.hardening):
            self.rule(method.__name__.replace("_", "-"), method())
        if os.path.exists(f"{self.build}/release/libcore.a"):
            joined = self.joined_core()
            self.rule("core-symbols", self.core_symbols(joined))
            self.rule("writable-data", self.writable_data(joined))
        else:
            print(f"SKIP tidy core-symbols, writable-data: no {self.build}/release/libcore.a")
        print(f"{self.passed} passed, {self.failed} failed")
        return self.failed == 0

    # --- figures

    def report(self):
        rooms = {}
        for s in self.product:
            top = "include" if s.path.startswith("include/") else s.room
            rooms.setdefault(top, []).append(s)
        print(f"{'room':10} {'files':>5} {'lines':>6} {'median':>6} {'largest file':>30} "
              f"{'functions':>9} {'median':>6} {'largest function':>40} {'comment':>7} {'ensure':>7}")
        for room in sorted(rooms):
            self.report_row(room, rooms[room])
        self.report_row("all", self.product)
        self.report_row("tests", [s for s in self.sources if not s.is_source])

    @staticmethod
    def report_row(name, sources):
        if not sources:
            return
        lines = sum(len(s.lines) for s in sources)
        functions = [f for s in sources for f in s.functions()]
        largest = max(sources, key=lambda s: len(s.lines))
        longest = max(functions, key=lambda f: f.lines, default=None)
        comments = sum(1 for s in sources for text, code in zip(s.lines, s.code)
                       if "/*" in text or (text.strip() and not code.strip()))
        ensures = sum(len(re.findall(r"\bensure(?:_unreachable)?\(", line))
                      for s in sources for line in s.code)
        file_text = f"{os.path.basename(largest.path)} {len(largest.lines)}"
        function_text = f"{longest.name} {longest.lines}" if longest else "-"
        median = int(statistics.median([f.lines for f in functions])) if functions else 0
        print(f"{name:10} {len(sources):5} {lines:6} "
              f"{int(statistics.median([len(s.lines) for s in sources])):6} {file_text:>30} "
              f"{len(functions):9} {median:6} {function_text:>40} "
              f"{100 * comments // max(lines, 1):6}% {1000 * ensures / max(lines, 1):5.1f}/k")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    os.chdir(os.path.join(HERE, "..", ".."))
    tidy = Tidy(arguments.build)
    if arguments.report:
        tidy.report()
        return 0
    return 0 if tidy.run() else 1


if __name__ == "__main__":
    sys.exit(main())
