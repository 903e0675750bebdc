"""Routes of consent, blur, removal, copies and erasure; their pages are in the modules beside."""

from litestar.types import ControllerRouterHandler

from viewer.privacy import club_pages, consent_pages, data_pages, match_pages, who_pages

ROUTES: list[ControllerRouterHandler] = [
    consent_pages.consent_page,
    consent_pages.take_consent,
    consent_pages.take_paper,
    consent_pages.club_consent_page,
    match_pages.blur_orders,
    match_pages.removal_page,
    match_pages.take_removal,
    who_pages.who_page,
    who_pages.take_who,
    match_pages.take_keep,
    club_pages.removals_page,
    club_pages.take_decision,
    data_pages.account_data_page,
    data_pages.take_account_export,
    data_pages.export_file,
    data_pages.account_erase_page,
    data_pages.take_account_erase,
    data_pages.player_data_page,
    data_pages.take_player_export,
    data_pages.player_erase_page,
    data_pages.take_player_erase,
]
