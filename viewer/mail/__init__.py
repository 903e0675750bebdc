"""Mails: written to an outbox with what they tell, sent by the worker."""
