"""Every kind of act that is written down."""

from enum import StrEnum


class Act(StrEnum):
    """What somebody did, as the audit log names it: a view, a download, a share, an export, or an admin's act."""

    VIEW = "view"
    DOWNLOAD = "download"
    CONSENT = "consent"
    SHARE = "share"
    SHARE_VIEW = "share-view"
    SHARE_DOWNLOAD = "share-download"
    SHARE_REVOKE = "share-revoke"
    EXPORT = "export"
    EXPORT_DOWNLOAD = "export-download"
    AUDIT_EXPORT = "audit-export"
    ERASE = "erase"
    REMOVAL_ASK = "removal-ask"
    REMOVAL_DECIDE = "removal-decide"
    IDENTIFY = "identify"
    RETENTION = "retention"
    KEEP = "keep"
    DELETE = "delete"
