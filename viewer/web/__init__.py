"""The portal as a web application: what every domain's routes share, and the pages' files."""
