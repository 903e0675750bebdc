"""The table of what is met names tests that are there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
MET = PAGE.split("## What of the OWASP ASVS 5.0 is met")[1].split("## What is not met")[0]


@cache
def names(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def rows(text: str) -> list[list[str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] != "|--"]
    return [row for row in cells if re.match(r"\d+\.\d+", row[0])]


def test_every_item_names_a_test_that_is_there():
    assert len(rows(MET)) > 40
    for item, level, *_, shown in rows(MET):
        file, _, name = shown.strip("`").partition("::")
        assert name.startswith("test_"), item
        assert (ROOT / file).is_file(), (item, file)
        assert name in names(file), (item, shown)
        assert re.fullmatch(r"L[123](, L[123])*", level), item


def test_every_item_has_a_number_words_and_a_level():
    for row in rows(PAGE):
        assert len(row) in (3, 5)
        assert all(row), row
        assert re.fullmatch(r"\d+\.\d+\.\d+(, (\d+\.\d+\.\d+|\w+))*", row[0]), row


def test_nothing_is_both_met_and_not_met():
    unmet = PAGE.split("## What is not met")[1]
    both = {row[0] for row in rows(MET)} & {row[0] for row in rows(unmet)}
    # A second factor is compulsory for some and not for all.
    assert both <= {"6.3.2"}
