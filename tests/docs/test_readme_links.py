"""The links and pictures of the README: they are there in a checkout, and absolute on PyPI."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from support import CHILD_PATIENCE

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "build_steps" / "readme_for_pypi.py"
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not MODULE.exists(), reason="readme_for_pypi.py is in the source only")


@pytest.fixture(scope="module")
def module() -> Any:
    spec = spec_from_file_location("readme_for_pypi", MODULE)
    assert spec is not None
    assert spec.loader is not None
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub and Sphinx make it of them."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    for link in LINK.findall(CODE.sub("", README)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        page = ROOT / name
        assert page.exists(), link
        assert not anchor or anchor in anchors(page), link


def test_on_pypi_every_link_and_picture_is_absolute(module: Any) -> None:
    pyproject = '[project.urls]\nHomepage = "https://github.com/somebody/more-executors/"\n'
    shown = module.readme_for_pypi(README, pyproject, "3.1.0")
    links = LINK.findall(CODE.sub("", shown))
    assert len(links) > 30
    assert {link.split("/docs/")[0] for link in links if "/docs/" in link} == {
        "https://github.com/somebody/more-executors/raw/v3.1.0",
        "https://github.com/somebody/more-executors/blob/v3.1.0",
    }
    assert all(link.startswith("https://") for link in links)
    assert CODE.findall(shown) == CODE.findall(README)
    assert "/blob/HEAD/docs/" in module.readme_for_pypi(README, pyproject, "3.1.0.dev0")


def test_without_a_repository_to_point_at_there_are_no_links_that_lead_nowhere(module: Any) -> None:
    pyproject = 'Homepage = "https://pypi.org/project/more-executors/"\n'
    text = "![a picture](a.png)\nSee [the guide](docs/index.md), [Python](https://python.org)."
    shown = module.readme_for_pypi(text, pyproject, "3.1.0")
    assert shown == "\nSee the guide, [Python](https://python.org)."
    assert LINK.findall(CODE.sub("", module.readme_for_pypi(README, pyproject, "3.1.0"))) == []


def test_it_is_what_a_build_takes(module: Any, tmp_path: Path) -> None:
    pytest.importorskip("Cython")
    code = "import sys; from setuptools.build_meta import prepare_metadata_for_build_wheel as f; print(f(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=CHILD_PATIENCE
    )
    assert done.returncode == 0, done.stderr
    (metadata,) = tmp_path.glob("*/METADATA")
    text = metadata.read_text(encoding="utf-8")
    version = re.search(r"^Version: (.*)$", text, re.MULTILINE)
    assert version is not None
    assert "Description-Content-Type: text/markdown" in text
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert module.readme_for_pypi(README, pyproject, version[1]).strip() in text
