"""Zips: what is read of them, and which are refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.importers import read
from tests.importers import exports
from tests.importers.exports import broken, left_out, turns, write


def packed(folder: Path, name: str = "export.zip", **members: bytes | str) -> Path:
    """A zip of members; two underscores in a name are a slash, and one a dot."""
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member.replace("__", "/").replace("_", "."), content)
    return path


def named(folder: Path, name: str, content: bytes | str = "x") -> Path:
    path = folder / "odd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.txt", "good")
        archive.writestr(name, content)
    return path


def test_an_export_is_read_whole_and_pictures_stay_packed(tmp_path: Path) -> None:
    first = json.dumps([exports.chatgpt_conversation(("user", "one"), id="0123456789abcdef-1")])
    second = json.dumps([exports.chatgpt_conversation(("user", "two"), id="0123456789abcdef-2")])
    path = packed(tmp_path, conversations_json=first, more__conversations_json=second, a_png=b"\x89PNG", user_json="{}")
    assert [turn.text for turn in turns(path)] == ["one", "two"] and not broken(path)


def test_a_chat_is_called_after_its_zip_and_dated_by_its_member(tmp_path: Path) -> None:
    path = packed(tmp_path, "WhatsApp Chat - Ivo (1).zip", _chat_txt="")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "[14/11/2023, 22:13:20] Ivo: hello\n")
        archive.writestr(zipfile.ZipInfo("note.md", (2024, 5, 6, 7, 8, 10)), "# A\nb")
    chat, note = turns(path)
    assert chat.session == "WhatsApp Chat - Ivo"
    assert note.at is not None and note.at.isoformat() == "2024-05-06T07:08:10+00:00"
    assert note.key == "WhatsApp Chat - Ivo/note.md"


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    path = packed(tmp_path, "export.bin", a_txt="hello there")
    assert [turn.text for turn in turns(path)] == ["hello there"]


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "C:/out.txt", "..\\out.txt"])
def test_paths_that_climb_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"refused: its member .* outside the folder"):
        list(read(named(tmp_path, name)))
    assert not (tmp_path / "out.txt").exists() and not (tmp_path.parent / "out.txt").exists()


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="zip bomb"):
        list(read(named(tmp_path, "bomb.txt", b"0" * 17 * 2**20)))
    monkeypatch.setattr("hybridmem.importers.archive.MAX_BYTES", 1000)
    with pytest.raises(InvalidInput, match="unpacks to 2,004 bytes"):
        list(read(named(tmp_path, "large.txt", b"ab" * 1000)))
    monkeypatch.setattr("hybridmem.importers.archive.MAX_FILES", 1)
    with pytest.raises(InvalidInput, match="holds 2 files"):
        list(read(named(tmp_path, "b.txt")))


def zipped(member: str, content: bytes | str) -> bytes:
    """A zip of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
    return buffer.getvalue()


def test_zips_in_a_zip_are_read_each_as_a_folder_in_its_place(tmp_path: Path) -> None:
    chat = "[14/11/2023, 22:13:20] {}: hello\n"
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("Ivo", "Ana"):
            archive.writestr(f"WhatsApp Chat - {name}.zip", zipped("_chat.txt", chat.format(name)))
        archive.writestr("WhatsApp Chat - Ivo/note.txt", "beside it")
    found = {(turn.session, turn.speaker) for turn in turns(path) if turn.source == "whatsapp"}
    # The folder of that name was there first.
    assert found == {("WhatsApp Chat - Ivo", "Ivo"), ("WhatsApp Chat - Ana", "Ana")}
    assert [turn.text for turn in turns(path) if turn.source == "text"] == ["beside it"] and not broken(path)
    deeper = packed(tmp_path, "deeper.zip", all_zip=path.read_bytes())
    assert len(turns(deeper)) == 3


def test_an_inner_zip_that_is_refused_costs_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = zipped("a.txt", "good")
    path = packed(
        tmp_path,
        good_zip=good,
        bomb_zip=zipped("b.txt", b"0" * 17 * 2**20),
        cut_zip=good[:-10],
        climbing_zip=zipped("../x.txt", "x"),
        deep_zip=zipped("a.zip", zipped("b.zip", zipped("c.zip", good))),
    )
    assert [turn.text for turn in turns(path)] == ["good"]
    reasons = {each.file: each.reason for each in broken(path)}
    assert reasons.keys() == {"bomb.zip", "cut.zip", "climbing.zip", "deep.zip/a.zip/b.zip"}
    assert "zip bomb" in reasons["bomb.zip"] and "outside the folder" in reasons["climbing.zip"]
    assert "no zip that can be read" in reasons["cut.zip"]
    assert reasons["deep.zip/a.zip/b.zip"] == "it lies 3 zips deep: unpack it and import it alone"
    assert str(tmp_path) not in "".join(reasons.values())
    monkeypatch.setattr("hybridmem.importers.archive.MAX_FILES", 6)
    reasons = {each.file: each.reason for each in broken(path)}
    assert reasons["deep.zip"] == "it holds 7 files with the zips around it, above 6: unpack it and name a folder"


def test_links_stay_packed(tmp_path: Path) -> None:
    path = tmp_path / "links.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.txt", "good")
    assert [turn.text for turn in turns(path)] == ["good"]


def test_a_damaged_member_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello there")
        archive.writestr("b.txt", "bye")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"hello there", b"hello where", 1))
    assert [turn.text for turn in turns(path)] == ["bye"]
    assert [each.file for each in broken(path)] == ["a.txt"]


def test_no_zip_at_all(tmp_path: Path) -> None:
    whole = packed(tmp_path, a_txt="hello").read_bytes()
    path = write(tmp_path, "cut.zip", whole[:-10])
    with pytest.raises(InvalidInput):
        list(read(path))
    empty = packed(tmp_path, "empty.zip")
    assert "there is no text" in broken(empty)[0].reason and left_out(empty) == []
