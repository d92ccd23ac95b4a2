"""The house keeps its manners: floors, format, time, size. Each test names the place that breaks the rule."""

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def cpp_files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp"):
                yield path


def read_floors():
    floors, owners = {}, {}
    for line in (SRC / "floors.txt").read_text().splitlines():
        line = line.split("#")[0].split()
        if not line:
            continue
        floors[line[1]] = int(line[0])
        for pattern in line[2:]:
            owners.setdefault(pattern, set()).add(line[1])
    return floors, owners


FLOORS, OWNERS = read_floors()


def foreign_owner(header):
    for pattern, modules in OWNERS.items():
        if header == pattern or (pattern.endswith("/*") and header.startswith(pattern[:-1])):
            return modules
    return None


def test_every_module_has_a_floor():
    folders = {p.name for p in SRC.iterdir() if p.is_dir()}
    assert folders <= set(FLOORS), f"no line in src/floors.txt for {folders - set(FLOORS)}"


def test_includes_go_down_only():
    wrong = []
    for path in cpp_files("src"):
        module = path.relative_to(SRC).parts[0]
        for bracket, header in INCLUDE.findall(path.read_text()):
            top = header.split("/")[0]
            if bracket == '"' and top in FLOORS and top != module and FLOORS[top] >= FLOORS[module]:
                wrong.append(f"{path.relative_to(ROOT)} (floor {FLOORS[module]}) includes {header} (floor {FLOORS[top]})")
            modules = foreign_owner(header)
            if bracket == "<" and modules is not None and module not in modules:
                wrong.append(f"{path.relative_to(ROOT)} includes {header}, which belongs to {', '.join(modules)}")
    assert not wrong, "\n".join(wrong)


def test_no_circular_includes_between_headers():
    graph = {}
    for path in cpp_files("src"):
        if path.suffix == ".hpp":
            name = str(path.relative_to(SRC))
            graph[name] = [h for b, h in INCLUDE.findall(path.read_text()) if b == '"']
    done, under_way = set(), []

    def visit(name):
        if name in done or name not in graph:
            return
        assert name not in under_way, "circle: " + " -> ".join(under_way[under_way.index(name):] + [name])
        under_way.append(name)
        for other in graph[name]:
            visit(other)
        under_way.pop()
        done.add(name)

    for name in graph:
        visit(name)


def test_public_headers_use_std_asio_awaitable_and_themselves():
    wrong = []
    for path in cpp_files("include"):
        for bracket, header in INCLUDE.findall(path.read_text()):
            own = header.startswith("etage/")
            std = "/" not in header and not header.endswith((".h", ".hpp"))
            if not (own or std or header == "asio/awaitable.hpp") or bracket == '"':
                wrong.append(f"{path.relative_to(ROOT)} includes {header}")
    assert not wrong, "\n".join(wrong)


def test_examples_use_public_headers_alone():
    wrong = []
    for path in cpp_files("examples"):
        for bracket, header in INCLUDE.findall(path.read_text()):
            if bracket == '"' and header.split("/")[0] in FLOORS:
                wrong.append(f"{path.relative_to(ROOT)} includes {header}")
    assert not wrong, "\n".join(wrong)


def test_one_file_reads_the_clock():
    clock = re.compile(r"(steady_clock|system_clock|high_resolution_clock)::now|clock_gettime|gettimeofday|\btime\(nullptr\)")
    wrong = [str(p.relative_to(ROOT)) for p in cpp_files("src", "include")
             if clock.search(p.read_text()) and p != SRC / "base" / "clock.cpp"]
    assert not wrong, f"only src/base/clock.cpp reads a clock, not {wrong}"


def test_unit_tests_do_not_sleep():
    sleeps = re.compile(r"sleep_for|sleep_until|\bu?sleep\(")
    wrong = [str(p.relative_to(ROOT)) for p in cpp_files("src", "tests") if p.name.endswith("_test.cpp")
             and sleeps.search(p.read_text())]
    assert not wrong, f"unit tests and simulations never sleep: {wrong}"


def test_files_stay_readable():
    long = [f"{p.relative_to(ROOT)}: {n} lines" for p in cpp_files("src", "include", "apps", "examples")
            if (n := len(p.read_text().splitlines())) > 400 and not p.name.endswith("_test.cpp")]
    assert not long, "a file over 400 lines wants a second room:\n" + "\n".join(long)


def test_no_loose_ends():
    loose = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    wrong = [str(p.relative_to(ROOT)) for p in cpp_files("src", "include", "apps", "examples", "tests", "fuzz", "bench")
             if loose.search(p.read_text())]
    assert not wrong, f"finish it, or write an issue: {wrong}"


def test_format():
    files = [str(p) for p in cpp_files("src", "include", "apps", "examples", "tests", "fuzz", "bench")]
    done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *files], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, "run ./dev fmt\n" + done.stderr[-3000:]


def test_shell_scripts_parse():
    for script in (ROOT / "dev", ROOT / ".ci" / "run"):
        shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"
        subprocess.run([shell, "-n", str(script)], check=True)
        assert os.access(script, os.X_OK), script


def test_no_await_behind_a_short_circuit():
    """GCC 12 evaluates `a || co_await b` on both sides; it once wrote a last chunk behind a body with a length."""
    lazy = re.compile(r"(&&|\|\||\?)[\s!(*]*co_await\b")
    wrong = [f"{p.relative_to(ROOT)}:{n}" for p in cpp_files("src", "apps", "examples")
             for n, line in enumerate(p.read_text().splitlines(), 1) if lazy.search(line.split("//")[0])]
    assert not wrong, f"name the result first: {wrong}"
