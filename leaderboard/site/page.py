"""Assembles `index.html` of template, styles, scripts, plotting library and packed payload.

The page runs under a content-security policy that names the hash of each of its scripts and styles; everything else,
data from records in particular, can be no script. It needs no network.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert

from leaderboard.board.board import Board
from leaderboard.render import marks
from leaderboard.site import details, payload

SOURCE = Path(__file__).parent / "source"
STYLES = ("theme.css", "page.css", "bar.css", "controls.css", "tables.css", "overview.css", "task.css", "record.css")
SPECS = ("tradeoff", "ranking")
LARGEST = 6_000_000
"""Bytes of the page. Details that do not fit are left out, and the page says so."""
FRAME = 150_000
"""Bytes kept for template, styles and scripts."""
BLOCK = re.compile(r'(<script type="application/octet-stream" id="[^"]*">)([A-Za-z0-9+/=]*)(?=</script>)')

IMPORT = re.compile(r'^import {([^}]*)} from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:const|function|async function) (\w+)", re.MULTILINE)


def build(boards: list[Board]) -> str:
    """Returns the whole page."""
    script, style, library = _script(), _style(), _library()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)} {_hash(library)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {"POLICY": policy, "STYLE": style, "SCRIPT": script, "BLOCKS": "\n".join(_blocks(boards, library))}
    template = (SOURCE / "index.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def unpacked(page: str) -> str:
    """Returns the page with its blocks as text: how they are packed differs between builds of zlib."""
    return BLOCK.sub(lambda match: match[1] + gzip.decompress(base64.b64decode(match[2])).decode(), page)


def _blocks(boards, library):
    """Everything that must be there, then details and outcomes, tasks of few runs first, while they fit."""
    needed = {"library": library, "specs": _json(_specs()), "overview": _json(payload.overview(boards))}
    boards = [board for board in boards if board.registered]
    needed |= {f"rows/{board.task.name}": _json(payload.rows(board)) for board in boards}
    packed = [_pack(name, text) for name, text in needed.items()]
    left = LARGEST - FRAME - sum(map(len, packed))
    for kind, make in (("details", details.records), ("outcomes", details.outcomes)):
        for board in sorted(boards, key=_runs):
            block = _pack(f"{kind}/{board.task.name}", _json(make(board)))
            if len(block) <= left:
                packed.append(block)
                left -= len(block)
    return packed


def _runs(board):
    return sum(row.asked for division in board.divisions for row in division.rows), board.task.name


def _pack(name: str, text: str) -> str:
    data = base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
    return f'<script type="application/octet-stream" id="{name}">{data}</script>'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _specs() -> dict[str, Any]:
    return {name: json.loads((SOURCE / f"{name}.json").read_text("utf-8")) for name in SPECS}


def _style() -> str:
    return "\n".join([marks.css(), *((SOURCE / name).read_text("utf-8") for name in STYLES)])


def _script() -> str:
    """The modules one after the other, each in a scope of its own: a browser imports no file from a disk."""
    return "\n".join(_modules("main", set()))


def _modules(name: str, known: set[str]) -> Iterator[str]:
    """`name` after the modules that it imports."""
    known.add(name)
    text = (SOURCE / f"{name}.js").read_text("utf-8")
    for _, other in IMPORT.findall(text):
        if other not in known:
            yield from _modules(other, known)
    exported = ", ".join(EXPORT.findall(text))
    text = IMPORT.sub(lambda m: f"const {{{m[1].replace(' as ', ': ')}}} = ${m[2]};", text)
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    yield f"const ${name} = (() => {{\n{text}return {{ {exported} }};\n}})();"


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed, with the interpreter of expressions that needs no `eval`."""
    return vl_convert.javascript_bundle()  # pyright: ignore[reportCallIssue]: its stub asks for what is optional


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
