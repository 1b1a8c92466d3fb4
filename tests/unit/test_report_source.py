# SPDX-License-Identifier: Apache-2.0
"""Which files the page takes lines from: those that nobody but the user or root has put there."""

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from recordings import MS, snapshot_of

from pyusdt import report
from pyusdt.recording import Recording, load, write
from pyusdt.report import Options

pytestmark = pytest.mark.apart

TEXT = "import os\n\ndef f():\n    return 1\n\nx = 1\n"


def recording_of(*files, line=3):
    n = len(files)
    return snapshot_of(
        threads=[(1, "t", n * MS)],
        functions=[(i, "m", f"f{i}", "f", str(file), line) for i, file in enumerate(files)],
        nodes=[(0, i, -1, i, 1, 0, 0, MS, MS) for i in range(n)],
    )


@pytest.fixture
def page(tmp_path_factory):
    """page(recording): its data, the lines of each function, and the files left out."""

    def read(recording, **options):
        path = tmp_path_factory.mktemp("page") / "page.html"
        report.write(recording, str(path), report.FORMATS["html"], Options(**options))
        data = json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)[1])
        lines = {int(i): data["strings"][place] for i, place in data["sources"].items()}
        return data["files"], lines

    return read


def shown(page, file, **options):
    """The lines of a function in `file`, or why there are none."""
    files, lines = page(Recording.from_snapshot(recording_of(file)), **options)
    assert files["embedded"] == ([str(file)] if lines else [])
    return lines.get(0) or files["refused"].get(str(file))


def test_a_source_and_its_name(page, tmp_path):
    file = tmp_path / "x.py"
    file.write_text(TEXT)
    assert shown(page, file) == "def f():\n    return 1\n"
    assert shown(page, file, source=False) is None
    assert shown(page, tmp_path / "none.py") is None


def test_a_path_as_a_program_may_write_it(page, tmp_path, monkeypatch):
    (tmp_path / "x.py").write_text(TEXT)
    (tmp_path / "some").mkdir()
    assert shown(page, f"{tmp_path}/some/.././x.py") == "def f():\n    return 1\n"
    monkeypatch.chdir(tmp_path)
    assert shown(page, "x.py") == "def f():\n    return 1\n"


def test_a_link_is_not_followed(page, tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text(TEXT)
    (tmp_path / "x.py").symlink_to(secret)
    assert shown(page, tmp_path / "x.py") == "a link leads elsewhere"
    (tmp_path / "shadow.py").symlink_to("/etc/shadow")
    assert shown(page, tmp_path / "shadow.py") == "a link leads elsewhere"
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "y.py").write_text(TEXT)
    (tmp_path / "directory").symlink_to("real")
    assert shown(page, tmp_path / "directory" / "y.py") == "a link leads elsewhere"
    (tmp_path / "loop.py").symlink_to("loop.py")
    assert shown(page, tmp_path / "loop.py") is None


def test_what_is_no_file(page, tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    assert shown(page, tmp_path / "pipe.py") is None
    (tmp_path / "directory.py").mkdir()
    assert shown(page, tmp_path / "directory.py") is None
    (tmp_path / "secret.txt").write_text(TEXT)
    assert shown(page, tmp_path / "secret.txt") is None
    assert shown(page, "/etc/passwd\0.py") is None


def test_what_others_may_have_put_there(page, tmp_path):
    file = tmp_path / "x.py"
    file.write_text(TEXT)
    file.chmod(0o666)
    assert shown(page, file) == "anybody may write to it"
    file.chmod(0o644)
    tmp_path.chmod(0o777)
    assert shown(page, file) == "anybody may write to its directory"
    tmp_path.chmod(0o1777)
    assert shown(page, file) == "def f():\n    return 1\n"
    os.link(file, tmp_path / "y.py")
    assert shown(page, file) == "it has another name, and its directory is everybody's"


def test_sizes_have_bounds(page, tmp_path):
    (tmp_path / "large.py").write_text(TEXT + "#" * 1_000_000)
    assert shown(page, tmp_path / "large.py") == "larger than 1 MB"
    (tmp_path / "wide.py").write_text("\n\ndef f(): pass #" + "x" * 900_000)
    assert len(shown(page, tmp_path / "wide.py")) < 1_100
    (tmp_path / "long.py").write_text("\n\ndef f():\n" + "    x = 1\n" * 1_000)
    assert shown(page, tmp_path / "long.py").count("\n") == 80


@pytest.mark.parametrize("coding", ["hex", "nonsense", "idna", "unicode_escape", "utf-16"])
def test_a_coding_is_no_program(page, tmp_path, coding):
    (tmp_path / "x.py").write_text(f"# coding: {coding}\n\ndef f():\n    return 1\n")
    assert shown(page, tmp_path / "x.py") == "def f():\n    return 1\n"


def test_bytes_and_marks_that_would_change_what_is_shown(page, tmp_path):
    (tmp_path / "x.py").write_bytes(b"\n\ndef f(): '\xff\x1b[31m\t\xe2\x80\xae'\n")
    assert shown(page, tmp_path / "x.py") == "def f(): '\ufffd\\x1b[31m\t\\u202e'\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_and_recordings_of_others(page):
    with TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        check_others(page, place)


def check_others(page, tmp_path):
    mine, theirs, private = tmp_path / "mine.py", tmp_path / "theirs.py", tmp_path / "private.py"
    for file in (mine, theirs, private):
        file.write_text(TEXT)
    os.chown(theirs, 65534, 65534)
    private.chmod(0o600)
    path = tmp_path / "x.pyusdt"
    write(path, recording_of(mine, theirs, private))
    files, _ = page(load(path))
    assert files["embedded"] == [str(mine), str(private)]
    assert files["refused"] == {str(theirs): "neither yours nor root's"}
    os.chown(path, 65534, 65534)
    files, _ = page(load(path))
    assert files["embedded"] == [str(mine)]
    why = "not for everybody, and the recording is another user's"
    assert files["refused"][str(private)] == why
