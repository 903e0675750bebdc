"""The platform as those see it who run it: clubs, accounts, work that failed, mail, storage and health."""
