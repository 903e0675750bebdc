"""Children are on these pictures: consent, removal, retention, erasure and export."""
