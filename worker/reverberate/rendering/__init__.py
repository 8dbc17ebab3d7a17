"""Templates into messages: the only place that names Jinja outside the web door."""

from __future__ import annotations
