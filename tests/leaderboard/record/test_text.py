"""Strings of records: one line, and shown literally by Markdown."""

import pytest
from markdown_it import MarkdownIt

from leaderboard.record.text import plain
from leaderboard.render.pages import escaped

HOSTILE = [
    "a|b\\|c",
    "`code` ``",
    "<script>alert(1)</script> &lt; &amp;",
    "**bold** _it_ __x__ magnitude_rtn ~~no~~",
    "[link](http://x) ![image](y) <http://z>",
    "$x$ \\",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_markdown_reader_shows_the_string_itself(text):
    """An independent parser makes one plain cell of it."""
    page = f"| a | b |\n|---|---|\n| {escaped(text)} | end |\n"
    inline = [token for token in MarkdownIt("gfm-like", {"linkify": False}).parse(page) if token.type == "inline"]
    assert len(inline) == 4
    assert "".join(child.content for child in inline[2].children) == text
    assert {child.type for child in inline[2].children} <= {"text", "text_special"}


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b b", "a\u2028b", "a\u202e\x00b", "a\t\tb", "a\ud800b"])
def test_one_line_without_control_characters(text):
    assert plain(text) == escaped(text) == "a b"
