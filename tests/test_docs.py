"""What the documents point at exists: relative links and their headings, file names, and the folders of the rooms."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
)
ROOMS = ("methods", "tasks", "benchmarks", "configs", "leaderboard", "tests")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(rf"`((?:{'|'.join([*ROOMS, 'docs', '.ci', '.github'])})/[\w./-]+\.(?:py|md|json|html|js|yaml))`")
MODULE = re.compile(rf"python -m ((?:{'|'.join(ROOMS)})\.[\w.]+)")
FENCED = re.compile(r"^```\w*\n.*?^```$", re.MULTILINE | re.DOTALL)

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def headings(path: Path) -> set[str]:
    """The anchors of a page: headings in lower case, spaces as hyphens, without punctuation."""
    found = re.findall(r"^#+ (.+)$", FENCED.sub("", text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def broken(document: Path, text: str) -> list[str]:
    """The relative links of a page that lead nowhere."""
    found = []
    for link in LINK.findall(FENCED.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in headings(target)):
            found.append(link)
    return found


@each_document
def test_links_resolve(document):
    assert broken(document, text_of(document)) == []


@each_document
def test_files_and_commands_exist(document):
    text = text_of(document)
    modules = {name.rstrip(".").replace(".", "/") for name in MODULE.findall(text)}
    missing = {
        f"python -m {name}"
        for name in modules
        if not any((ROOT / f"{name}{end}").exists() for end in (".py", "/__main__.py"))
    }
    missing |= {name for name in FILE.findall(text) if not (ROOT / name).exists()}
    assert missing == set()


def test_the_architecture_names_every_folder():
    tree = text_of(ROOT / "docs/architecture.md").split("```")[1]
    named = set(re.findall(r"(\w+)/", tree))
    folders = {path.parent for room in ROOMS[:-1] for path in (ROOT / room).rglob("*.py")}
    assert {str(folder.relative_to(ROOT)) for folder in folders if folder.name not in named} == set()


def test_every_decision_is_listed():
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", text_of(ROOT / "docs/decisions/README.md")))
    assert listed == {path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md")}
    assert len(listed) >= 6


def test_a_broken_link_is_found():
    page = ROOT / "docs/architecture.md"
    links = "[a](protocol.md) [b](nowhere.md) [c](#rooms) [d](#nothing) [e](protocol.md#data) [f](https://example.org)"
    assert broken(page, links) == ["nowhere.md", "#nothing"]
