"""The README's program runs as it stands there, against the example service."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

pytest.importorskip("requests")
pytest.importorskip("aiohttp")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service() -> Iterator[str]:
    command = [
        sys.executable,
        str(ROOT / "examples" / "publish" / "service.py"),
        "--duration=0.3",
        "--failure-rate=0.2",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.stdin.close()
            process.wait(CHILD_PATIENCE)


def test_the_programs_in_the_readme_publish_every_object(
    service: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, at_high_volume = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    names = {"SERVICE": service, "OBJECTS": [f"object-{n}" for n in range(200)]}

    exec(compile(program, "README.md", "exec"), names)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 200
    assert {line.split()[0] for line in lines} == {"cancelled", "failed:", "published"}

    exec(compile(at_high_volume, "README.md", "exec"), names)

    published, word = capsys.readouterr().out.split()
    assert 100 < int(published) < 200
    assert word == "published"
    assert (tmp_path / "tasks.db").exists()
    names["threads"].__dict__.clear()  # type: ignore[attr-defined]  # the sessions, and their connections
