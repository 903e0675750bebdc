"""The routes of the platform's pages, from their modules."""

from litestar.types import ControllerRouterHandler

from viewer.admin import club_pages, user_pages, work_pages

ROUTES: list[ControllerRouterHandler] = [*club_pages.ROUTES, *user_pages.ROUTES, *work_pages.ROUTES]
