"""The schema's history, for Alembic."""

from __future__ import annotations
