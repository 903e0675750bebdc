"""The commands of `touchline-viewer`, one module for each field of work; each adds its own to the parser."""
