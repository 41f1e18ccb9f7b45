"""Makes the text that PyPI shows of the README: its links and pictures are absolute there.

In a checkout they are relative, so that they work in every branch and without a network. PyPI has no files beside the
text. So they get the address of the file in the repository, which is the `Homepage` in pyproject.toml, on GitHub or a
service with the same paths. While the `Homepage` is a page of PyPI, links become text and pictures are left out.
"""

from __future__ import annotations

import re

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
HOMEPAGE = re.compile(r'^Homepage = "(.*?)/?"$', re.MULTILINE)


def readme_for_pypi(readme: str, pyproject: str, version: str) -> str:
    """`readme` with absolute links. `pyproject` is the text of pyproject.toml, `version` the one that is built."""
    found = HOMEPAGE.search(pyproject)
    base = found[1] if found and not found[1].startswith("https://pypi.org/") else None
    tree = "HEAD" if "dev" in version else f"v{version}"

    def absolute(link: re.Match[str]) -> str:
        picture, text, target = link.groups()
        if "://" in target or target.startswith("#"):
            return link[0]
        if base is None:
            return "" if picture else text
        return f"{picture}[{text}]({base}/{'raw' if picture else 'blob'}/{tree}/{target})"

    return LINK.sub(absolute, readme)
