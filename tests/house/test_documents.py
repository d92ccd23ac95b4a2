"""What the documents say is what the program does: names, defaults, words, examples, links. Each test names the place."""

import json
import math
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SRC = ROOT / "src"


def documents():
    for path in sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]):
        yield path


def text_of(path):
    return (ROOT / path).read_text()


def blocks(path, language):
    """(line, content) of every fenced block of a language."""
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", path.read_text(), re.M | re.S):
        yield path.read_text()[: found.start()].count("\n") + 1, found[1]


def every_block(language):
    return [pytest.param(content, id=f"{path.relative_to(ROOT)}:{line}")
            for path in documents() for line, content in blocks(path, language)]


def table_rows(markdown):
    """The cells of every table row that begins with `code`."""
    for line in markdown.splitlines():
        if line.startswith("| `"):
            yield [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def first_words(markdown):
    return [re.match(r"`([^`]+)`", row[0])[1] for row in table_rows(markdown)]


def part(markdown, heading):
    """What stands below a heading, up to the next one of its level or a higher one."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", markdown, re.M)
    assert found, f"no heading {heading!r}"
    rest = markdown[found.end():]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


@pytest.fixture(scope="session")
def etage():
    """etage(*args) → the finished process, in a clean environment and an empty directory."""
    candidates = [os.environ.get("BINARY_UNDER_TEST"), ROOT / "build/asan/etage", ROOT / "build/release/etage"]
    binary = next((pathlib.Path(c).resolve() for c in candidates if c and pathlib.Path(c).is_file()), None)
    assert binary, "no binary to compare the documents with: ./dev build first, or set BINARY_UNDER_TEST"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ETAGE_")}

    def run(*args, cwd="/"):
        return subprocess.run([binary, *map(str, args)], capture_output=True, text=True, env=environment, cwd=cwd,
                              timeout=60)

    return run


# ---- settings

CONTAINERS = {"cache", "key", "client", "identity", "limits"}  # of a route: their keys are documented one by one
ROUTE_TABLES = {"route": "", "cache": "cache.", "key": "key.", "client": "client.", "identity": "identity.",
                "limit": "limits[]."}


def same(documented, accepted, where):
    assert len(documented) == len(set(documented)), f"{where} has a row twice: {sorted(documented)}"
    assert set(documented) - set(accepted) == set(), f"{where} documents what does not exist"
    assert set(accepted) - set(documented) == set(), f"{where} has no row for"


def documented_settings():
    settings = part(text_of("docs/configure.md"), "Settings")
    for section in re.findall(r"^### `\[(\w+)\]`", settings, re.M):
        for row in table_rows(part(settings, f"`[{section}]`")):
            yield f"{section}.{re.match(r'`([^`]+)`', row[0])[1]}", row


def test_every_setting_is_documented_and_none_is_invented(etage):
    listed = etage("check", "--list").stdout.split()
    same([name for name, _ in documented_settings()], listed[0::2], "docs/configure.md, Settings")
    assert all(variable == "ETAGE_" + path.upper().replace(".", "_") for path, variable in zip(listed[0::2], listed[1::2]))


def test_every_key_of_a_route_is_documented():
    source = text_of("src/gateway/config_routes.cpp") + text_of("src/gateway/config_limits.cpp")
    accepted = []
    for table, prefix in ROUTE_TABLES.items():
        keys = re.search(rf"constexpr Key<\w+> {table}_keys\[\] = \{{\n(.*?)^\}};", source, re.M | re.S)[1]
        accepted += [prefix + name for name in re.findall(r'^    \{"(\w+)",', keys, re.M) if prefix + name not in CONTAINERS]
    routes = part(text_of("docs/configure.md"), "Routes").split("\n### ")[0]
    same(first_words(routes), accepted, "docs/configure.md, Routes")


# ---- numbers

SCALES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "ns": 1, "ms": 1e6, "s": 1e9, "min": 60e9,
          "h": 3600e9}


def number_in_document(text):
    """What a cell begins with: "8 MiB", "20,000", "10 s", `"256MiB"`, "none" (0)."""
    text = text.replace("`", "").replace('"', "").strip()
    if text.startswith(("none", "no bound")):
        return 0
    found = re.match(r"([\d.,]+) ?([A-Za-z]*)", text)
    assert found and found[2] in SCALES, f"not a quantity: {text!r}"
    return float(found[1].replace(",", "")) * SCALES[found[2]]


def number_in_source(text):
    """Of the few forms that constants are written in."""
    expression = re.sub(r"std::size_t\{(\d+)\}", r"\1", text.replace("'", ""))
    for unit, scale in (("milliseconds", 10**6), ("seconds", 10**9), ("minutes", 60 * 10**9), ("hours", 3600 * 10**9)):
        expression = re.sub(rf"(?:std::chrono::)?{unit}\((\d+)\)", rf"(\1 * {scale})", expression)
    assert re.fullmatch(r"[\d\s()*<+.-]+", expression), f"a constant written in a new way: {text!r}"
    return eval(expression, {"__builtins__": {}})  # digits and operators only


DECLARATION = re.compile(r"^\s*(?:static |inline |constexpr )*(?:std::)?[\w:]+(?:<[\w:]+>)? (\w+)(?: = ([^;]+)|\{([^;]*)\});")


def declarations(path):
    """name → its value as written, of every constant and member of a file with one."""
    found = {}
    for line in path.read_text().splitlines():
        match = DECLARATION.match(line.split("//")[0].rstrip())
        value = (match[2] or match[3] or "").strip() if match else ""
        if match and value.count("(") == value.count(")"):  # else it is a parameter with a default
            found.setdefault(match[1], value)
    return found


def config_defaults():
    """section.key → the default as written in config.hpp."""
    source = text_of("src/gateway/config.hpp")
    found = {}
    for section in ("server", "admin", "origin", "memory", "redis", "coherence"):
        body = re.search(rf"^struct {section.capitalize()}Config \{{\n(.*?)^\}};", source, re.M | re.S)[1]
        for line in body.splitlines():
            if match := DECLARATION.match(line.split("//")[0].rstrip()):
                found[f"{section}.{match[1]}"] = match[2]
    return found


def test_documented_defaults_are_the_defaults():
    defaults = config_defaults()
    for name, row in documented_settings():
        if name in defaults and re.match(r'`?"?\d', row[2]) and defaults[name] and '"' not in defaults[name]:
            assert number_in_document(row[2]) == number_in_source(defaults[name]), f"{name}: {row[2]}, not {defaults[name]}"


# ---- limits

NO_LIMITS = {
    # What the operator says about limits that have their row where they act; the defaults are compared above.
    "src/gateway/config.hpp": "*",
    # MemoryLimits, handed down.
    "src/store/shelf.hpp": {"variants_max", "bytes_max"},
    # The exact range of a number in Lua: what is more is as much.
    "src/redis/quotas_script.hpp": {"exact_max"},
    # Of Redis' Options, handed down.
    "src/redis/pipeline.hpp": {"pending_max", "pending_bytes_max", "reply_bytes_max"},
    "src/redis/breaker.hpp": {"failures_max", "retry_max", "probe_time_max"},
    # The width of a counter in the algorithm, from the paper: nothing happens "at" it.
    "src/store/fifo.hpp": {"hits_max"},
    # How much is done before other work of the event loop gets its turn: nothing is refused, nothing happens "at" it.
    "src/serve/poller.hpp": {"batch_max", "rounds_max"},
}
LIMIT_NAME = re.compile(r"\w+_max(_default)?$")


def limit_rows():
    for row in table_rows(text_of("docs/limits.md")):
        assert len(row) == 6, f"docs/limits.md: {row[0]} has {len(row)} cells"
        yield re.match(r"`([^`]+)`", row[0])[1], row


def test_every_limit_in_a_header_has_a_row():
    documented = {(row[3].strip("`"), name) for name, row in limit_rows()}
    missing = []
    for path in sorted([*SRC.rglob("*.hpp"), *(ROOT / "include").rglob("*.hpp")]):
        name = str(path.relative_to(ROOT))
        excluded = NO_LIMITS.get(name, set())
        if excluded == "*" or path.name.endswith(("_fixture.hpp", "scripted_origin.hpp")):
            continue
        missing += [f"{name}: {limit}" for limit in declarations(path)
                    if LIMIT_NAME.match(limit) and limit not in excluded and (name, limit) not in documented]
    assert not missing, "no row in docs/limits.md for\n" + "\n".join(missing)


def test_every_row_of_the_limits_is_true():
    defaults = config_defaults()
    wrong = []
    for name, row in limit_rows():
        _, default, setting, where, _, _ = row
        found = declarations(ROOT / where.strip("`"))
        if name not in found:
            wrong.append(f"{name} is not declared in {where}")
            continue
        # What the operator can set has the operator's default.
        written = defaults.get(setting.strip("`"), found[name]) if setting.startswith("`") and "." in setting else found[name]
        if written and not math.isclose(number_in_document(default), number_in_source(written)):
            wrong.append(f"{name}: {default} in docs/limits.md, {written} in the source")
    assert not wrong, "\n".join(wrong)


def test_settings_named_by_limits_exist(etage):
    listed = etage("check", "--list").stdout.split()[0::2]
    for name, row in limit_rows():
        for setting in re.findall(r"`(\w+\.\w+)`", row[2]):
            assert setting in listed, f"docs/limits.md: {name} names {setting}, which is no setting"


# ---- words

def macro_words(macro):
    body = re.search(rf"#define {macro}\(X\)(.*?)\n\n", text_of("include/etage/verdict.hpp"), re.S)[1]
    return [word for word in re.findall(r'X\(\w+, "([^"]+)"\)', body) if word != "none"]


def test_the_words_of_cache_status():
    operate = text_of("docs/operate.md")
    same(first_words(part(operate, "Why it went forward: `fwd`")), macro_words("ETAGE_FORWARDS"), "operate.md, fwd")
    same(first_words(part(operate, "What the standard words do not say: `detail`")), macro_words("ETAGE_DETAILS"),
         "operate.md, detail")


def test_words_that_no_room_says_yet_are_marked():
    sources = "\n".join(p.read_text() for p in SRC.rglob("*.cpp") if not p.name.endswith("_test.cpp"))
    enumerators = dict(reversed(pair) for pair in re.findall(r'X\((\w+), "([^"]+)"\)', text_of("include/etage/verdict.hpp")))
    for row in table_rows(part(text_of("docs/operate.md"), "What the standard words do not say: `detail`")):
        word = row[0].strip("`")
        said = re.search(rf"Detail::{enumerators[word]}\b", sources) is not None
        assert said != ("not in this version" in row[1]), f"operate.md, {word}: said by the source: {said}"


def documented_metrics():
    return first_words(part(text_of("docs/operate.md"), "Metrics").split("\n### ")[0])


def test_every_metric_is_documented_and_none_is_invented():
    counters = re.search(r"#define ETAGE_COUNTERS\(X\)(.*?)\n\n", text_of("src/base/metrics.hpp"), re.S)[1]
    exposed = [f"etage_{name}_total" for name in re.findall(r"X\((\w+),", counters)]
    exposed += re.findall(r'"(etage_\w+[a-z])"', text_of("src/gateway/exposition.cpp"))
    same(documented_metrics(), exposed, "operate.md, Metrics")


def test_metrics_named_anywhere_exist():
    known = set(documented_metrics())
    for path in documents():
        for name in re.findall(r"\betage_\w+_(?:total|seconds|bytes)\b", path.read_text()):
            assert name in known, f"{path.relative_to(ROOT)} names {name}, which is no metric"


def test_every_event_of_the_log_is_documented():
    said = set()
    for path in [*SRC.rglob("*.cpp"), *(ROOT / "apps").rglob("*.cpp")]:
        if not path.name.endswith("_test.cpp"):
            said |= set(re.findall(r'log_?(?:\(\))?\.(?:debug|info|warn|error)\(\s*"([^"]+)"', path.read_text()))
    same(first_words(part(text_of("docs/operate.md"), "Events")), sorted(said), "operate.md, Events")


# ---- examples

@pytest.mark.parametrize("content", every_block("toml"))
def test_toml_is_accepted(etage, tmp_path, content):
    if content.startswith("# not a whole file"):
        pytest.skip("says so")
    (tmp_path / "etage.toml").write_text(content)
    checked = etage("check", "--config", "etage.toml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("content", every_block("cpp"))
def test_cpp_compiles(tmp_path, content):
    source = tmp_path / "document.cpp"
    source.write_text(content)
    done = subprocess.run(["g++", "-std=c++23", f"-I{ROOT / 'include'}", "-DASIO_STANDALONE", "-Wall", "-Wextra", "-Werror",
                           "-fsyntax-only", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_commands_of_dev_exist():
    done = subprocess.run(["sh", ROOT / "dev", "help"], capture_output=True, text=True, check=True)
    commands = set(re.findall(r"^  ([a-z]+)", done.stdout, re.M)) | {"help"}
    rings = set(re.search(r"test \[RING\.\.\.\] +([a-z ]+);", done.stdout)[1].split())
    wrong = []
    for path in documents():
        for command, rest in re.findall(r"\./dev ([a-z]+)([^`\n|&;#]*)", path.read_text()):
            unknown = {command} - commands
            if command == "test" and (words := re.match(r"(?: [a-z]+)+", rest)):
                unknown |= set(words[0].split()) - rings
            wrong += [f"{path.relative_to(ROOT)}: ./dev {command}{rest}" for _ in unknown]
    assert not wrong, "\n".join(wrong)


def test_flags_of_etage_exist(etage):
    help_of = {}
    wrong = []
    for path in documents():
        for verb, rest in re.findall(r"\betage (run|demo|check|explain|purge|stats)\b([^`\n|]*)", path.read_text()):
            if verb not in help_of:
                help_of[verb] = etage(verb, "--help").stdout
            wrong += [f"{path.relative_to(ROOT)}: etage {verb} {flag}" for flag in re.findall(r"(?<!\S)--[a-z-]+", rest)
                      if not re.search(rf"(?<![\w-]){flag}\b", help_of[verb])]
    assert not wrong, "\n".join(wrong)


# ---- links

def anchors(path):
    for heading in re.findall(r"^#+ (.+)$", path.read_text(), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_relative_links_lead_somewhere():
    wrong = []
    for path in documents():
        prose = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            goal = (path.parent / file).resolve() if file else path
            if not goal.exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target} is not there")
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
                wrong.append(f"{path.relative_to(ROOT)}: {target} has no such heading")
    assert not wrong, "\n".join(wrong)


def test_documents_named_in_sources_exist():
    wrong = []
    for folder in ("src", "include", "apps", "examples", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".py", ".txt"):
                wrong += [f"{path.relative_to(ROOT)}: {name}" for name in re.findall(r"\bdocs/[\w/.-]+\.md\b", path.read_text())
                          if not (ROOT / name).exists()]
    assert not wrong, "\n".join(wrong)


def test_every_decision_is_in_the_index():
    index = text_of("docs/decisions/README.md")
    for path in sorted((DOCS / "decisions").glob("0*.md")):
        title = path.read_text().splitlines()[0].removeprefix("# ")
        assert f"]({path.name})" in index, f"docs/decisions/README.md does not name {path.name}"
        assert title.split(" · ")[1] in index, f"docs/decisions/README.md has another title for {path.name}"


def test_every_rule_of_check_is_explained(etage):
    rules = json.loads(etage("check", "--rules", "--json").stdout)
    explained = {row[0].strip("`"): row for row in table_rows(text_of("docs/check.md")) if len(row) == 5 and row[0] != "rule"}
    assert list(explained) == [rule["rule"] for rule in rules]
    for rule in rules:
        said = [cell.replace("\\|", "|") for cell in explained[rule["rule"]]]
        assert said[1:] == [rule["level"], rule["means"], rule["change"], rule["section"] or "—"]


def test_numbers_of_the_public_tests_are_the_same_everywhere():
    required, optimal = re.search(r"\*\*Etage\*\* \| (\d+) \| (\d+)", text_of("docs/conformance.md")).groups()
    passed = json.loads(text_of("tests/conformance/results.json"))
    assert int(required) + int(optimal) <= sum(result is True for result in passed.values())
    assert f"{required} of 165 required and {optimal} of 95 optimal" in " ".join(text_of("README.md").split())
