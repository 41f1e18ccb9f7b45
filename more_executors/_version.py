"""The version: `pyproject.toml` and the guide read it from here."""

__all__: list[str] = []

__version__ = "3.0.0.dev0"
