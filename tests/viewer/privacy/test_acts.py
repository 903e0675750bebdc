"""The audit log's acts: each is listed once, each listed one happens, and none happens that is not listed."""

import ast
from pathlib import Path

import pytest

import viewer
from viewer.audit.acts import Act
from viewer.web.access import Access
from viewer.web.app import _FIELDS

ROOT = Path(viewer.__file__).parent
SOURCES = {path: ast.parse(path.read_text()) for path in ROOT.rglob("*.py") if "static" not in path.parts}
ASKED_FOR = {"view", "download", "share", "export", "consent", "erase", "delete", "keep", "removal-decide"}


def acts_used() -> set[str]:
    """The members of `Act` that the portal's code names."""
    return {
        node.attr
        for path, tree in SOURCES.items()
        if path.name != "acts.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Act"
    }


def loose_acts() -> list[str]:
    """Calls of `note` and `did` whose act is written as a text."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("note", "did")
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
        and node.args[1].value not in set(Act)
    ]


def test_every_act_that_is_noted_is_listed():
    assert acts_used() <= {act.name for act in Act}
    assert loose_acts() == []


@pytest.mark.parametrize("act", sorted(ASKED_FOR))
def test_views_downloads_shares_exports_and_admins_acts_are_listed(act):
    assert act in set(Act)


def test_every_form_of_privacy_and_shares_notes_an_act(world):
    """A form that changes something without a trace would be a hole in the log: each service that they call notes."""
    from viewer.privacy import controllers as privacy
    from viewer.shares import controllers as shares

    forms = [handler for field in (privacy, shares) for handler in field.ROUTES if "POST" in handler.http_methods]
    assert len(forms) >= 10
    assert all(handler.opt["access"] is not Access.PUBLIC for handler in forms)
    assert {privacy, shares} <= set(_FIELDS)
