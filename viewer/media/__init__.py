"""Files of matches over HTTP, whole or in part."""
