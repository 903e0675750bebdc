"""The routes of clubs, teams and players, from the modules of their pages."""

from litestar.types import ControllerRouterHandler

from viewer.clubs import admin_pages, club_pages, device_pages, game_pages, player_pages, team_pages

_PAGES = (club_pages, admin_pages, device_pages, team_pages, game_pages, player_pages)
ROUTES: list[ControllerRouterHandler] = [route for pages in _PAGES for route in pages.ROUTES]
