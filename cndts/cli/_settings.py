"""Options that hold lists and parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence


def split_list(text: str) -> list[str]:
    """Entries separated by commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def parse_seeds(text: str) -> list[int]:
    """Whole numbers separated by commas."""
    try:
        return [int(entry) for entry in split_list(text)]
    except ValueError:
        raise ValueError(f"--seeds must be whole numbers separated by commas; got {text!r}.") from None


def parse_setting(entry: str) -> tuple[str, object]:
    """``NAME=VALUE`` with the value as JSON, or as text where it is none."""
    name, equals, value = entry.partition("=")
    if not (name and equals):
        raise ValueError(f"--set must be NAME=VALUE, for example training__learning_rate=1e-3; got {entry!r}.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def parse_model_settings(entries: Sequence[str], models: Sequence[str]) -> dict[str, dict[str, object]]:
    """``MODEL:NAME=VALUE`` by model."""
    settings: dict[str, dict[str, object]] = {}
    for entry in entries:
        model, colon, rest = entry.partition(":")
        if not colon or model not in models:
            raise ValueError(f"--set must be MODEL:NAME=VALUE with a model of {', '.join(models)}; got {entry!r}.")
        settings.setdefault(model, {}).update([parse_setting(rest)])
    return settings
