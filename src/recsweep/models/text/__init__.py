"""Families that say which label a text bears: what they read, and their models."""
