"""Routes of accounts, from signing in to joining a team."""

from litestar.types import ControllerRouterHandler

from viewer.accounts import (
    account_pages,
    invitation_pages,
    joining_pages,
    mailed_pages,
    passkey_pages,
    second_factor_pages,
    sign_in_pages,
)

_PAGES = (
    sign_in_pages,
    second_factor_pages,
    passkey_pages,
    mailed_pages,
    account_pages,
    invitation_pages,
    joining_pages,
)
ROUTES: list[ControllerRouterHandler] = [handler for pages in _PAGES for handler in pages.ROUTES]
