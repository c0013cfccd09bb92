from __future__ import annotations

import random
import sqlite3
import subprocess
import sys

import pytest

from hybridmem.core.errors import CorruptStore, ReadOnlyMemory, StoreBusy
from hybridmem.stores.index import fulltext
from hybridmem.stores.index.fulltext import FullTextIndex
from hybridmem.testing.index_conformance import ANA, BEN, LexicalIndexConformance


def bytes_in(folder):
    """Everything that the files in `folder` hold."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def index(tmp_path):
    opened = FullTextIndex(tmp_path / "index" / "fulltext.sqlite3")
    yield opened
    opened.close()


class TestFullTextIndex(LexicalIndexConformance):
    @pytest.fixture
    def index(self, tmp_path):
        opened = FullTextIndex(tmp_path / "index" / "fulltext.sqlite3")
        yield opened
        opened.close()


def made_up_word(random_numbers):
    return "".join(random_numbers.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))


@pytest.mark.parametrize("how", ["delete", "replace", "clear"])
def test_no_byte_of_a_removed_text_stays(index, tmp_path, how):
    random_numbers = random.Random(7)
    texts = {f"ep_{row}": " ".join(made_up_word(random_numbers) for _ in range(30)) for row in range(60)}
    for id, text in texts.items():
        index.upsert(ANA, {id: text})
    assert any(word.encode() in bytes_in(tmp_path) for word in texts["ep_5"].split())
    gone = ["ep_5", "ep_17", "ep_59"]
    if how == "delete":
        index.delete(ANA, gone)
    elif how == "replace":
        index.upsert(ANA, dict.fromkeys(gone, "other words"))
    else:
        index.clear()
    left = bytes_in(tmp_path)
    for word in " ".join(texts[id] for id in gone).split():
        # The inverted index stores a word without the beginning that it shares with the one before it.
        assert word[3:].encode() not in left


def test_the_inverted_index_forgets_the_words_of_a_removed_text(index, tmp_path):
    index.upsert(ANA, {"ep_0": "garden zebra", "ep_1": "garden violin"})
    index.delete(ANA, ["ep_0"])
    with sqlite3.connect(tmp_path / "index" / "fulltext.sqlite3") as connection:
        (table,) = connection.execute("SELECT namespace FROM memories").fetchone()
        connection.execute(f"CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, {table}, row)")
        assert {term for (term,) in connection.execute("SELECT term FROM temp.words")} == {"garden", "violin"}


def test_deleting_again_finishes_what_a_killed_process_left_in_the_log(index, tmp_path):
    index.upsert(ANA, {"ep_0": "garden zqxjkvbw", "ep_1": "garden violin"})
    index._file.truncate_log = lambda: None
    index.delete(ANA, ["ep_0"])
    assert b"zqxjkvbw" in bytes_in(tmp_path)
    del index._file.truncate_log
    index.delete(ANA, ["ep_0"])
    assert b"zqxjkvbw" not in bytes_in(tmp_path)


def test_a_reader_that_holds_the_log_is_reported(index, tmp_path, monkeypatch):
    index.upsert(ANA, {"ep_0": "garden", "ep_1": "violin"})
    index._file._connection.execute("PRAGMA busy_timeout = 50")
    reader = sqlite3.connect(tmp_path / "index" / "fulltext.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memories").fetchone()
    with pytest.raises(StoreBusy, match="delete once more"):
        index.delete(ANA, ["ep_0"])
    reader.close()
    index.delete(ANA, ["ep_0"])
    assert b"garden" not in bytes_in(tmp_path)


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "fulltext.sqlite3"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(CorruptStore, match=r"fulltext\.sqlite3.*hybridmem reindex"):
        FullTextIndex(path)


def test_a_path_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "fulltext.sqlite3").mkdir()
    with pytest.raises(ReadOnlyMemory, match=r"fulltext\.sqlite3"):
        FullTextIndex(tmp_path / "fulltext.sqlite3")


def test_a_writer_that_waits_too_long_says_so(index, tmp_path):
    index._file._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(tmp_path / "index" / "fulltext.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        index.upsert(ANA, {"ep_0": "garden"})
    other.execute("ROLLBACK")
    index.upsert(ANA, {"ep_0": "garden"})
    assert index.count(ANA) == 1


def test_a_batch_that_fails_leaves_nothing_behind(index):
    index.upsert(ANA, {"ep_0": "garden"})
    with pytest.raises(UnicodeEncodeError):
        index.upsert(ANA, {"ep_1": "violin", "ep_\ud800": "ferret"})
    assert list(index.ids(ANA)) == ["ep_0"]
    index.upsert(ANA, {"ep_1": "violin"})
    assert index.count(ANA) == 2


def test_it_is_there_after_reopening_and_for_other_processes(index, tmp_path):
    index.upsert(ANA, {"ep_0": "garden", "ep_1": "violin", "ep_2": "ferret"})
    program = (
        "import sys; from pathlib import Path; from hybridmem.stores.index.fulltext import FullTextIndex\n"
        "index = FullTextIndex(Path(sys.argv[1]))\n"
        "assert [id for id, _ in index.query(('users', 'ana'), 'violin', 5)] == ['ep_1']\n"
        "index.upsert(('users', 'ben'), {'ep_9': 'umbrella', 'ep_8': 'zinc', 'ep_7': 'tea'})\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "index" / "fulltext.sqlite3")], check=True)
    assert [id for id, _ in index.query(BEN, "umbrella", 5)] == ["ep_9"]


def test_more_ids_than_one_statement_takes(index):
    texts = {f"ep_{row}": f"word{row}" for row in range(fulltext._VARIABLES + 20)}
    index.upsert(ANA, texts)
    index.delete(ANA, list(texts)[1:])
    assert list(index.ids(ANA)) == ["ep_0"]


def test_a_file_whose_words_were_folded_otherwise_is_brought_to_the_new_form(tmp_path):
    path = tmp_path / "fulltext.sqlite3"
    made = FullTextIndex(path)
    made.upsert(ANA, {"ep_0": "nothing", "ep_1": "今天玩"})
    made.close()
    old = sqlite3.connect(path)
    (table,) = old.execute(
        "SELECT name FROM sqlite_master WHERE name LIKE 'text!_%' ESCAPE '!' AND sql LIKE 'CREATE V%'"
    )
    old.execute(f"UPDATE {table[0]} SET text = 'bahnhofstraße łodz' WHERE rowid = 1")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    for _ in range(2):
        opened = FullTextIndex(path)
        assert [id for id, _ in opened.query(ANA, "BAHNHOFSTRASSE", 5)] == ["ep_0"]
        assert [id for id, _ in opened.query(ANA, "Bahnhofstraße", 5)] == ["ep_0"]
        assert (
            [id for id, _ in opened.query(ANA, "Lodz", 5)] == [id for id, _ in opened.query(ANA, "Łódź", 5)] == ["ep_0"]
        )
        assert [id for id, _ in opened.query(ANA, "今天", 5)] == ["ep_1"]
        opened.close()


def test_a_file_of_an_earlier_version_is_brought_to_the_new_form(tmp_path):
    """It held texts as they were said, which FTS5 cut as it knew how."""
    path = tmp_path / "fulltext.sqlite3"
    made = FullTextIndex(path)
    made.upsert(ANA, {"ep_0": "nothing"})
    made.close()
    old = sqlite3.connect(path)
    (table,) = old.execute(
        "SELECT name FROM sqlite_master WHERE name LIKE 'text!_%' ESCAPE '!' AND sql LIKE 'CREATE V%'"
    )
    old.execute(f"DROP TABLE {table[0]}")
    old.execute(f"CREATE VIRTUAL TABLE {table[0]} USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')")
    old.execute("DELETE FROM memories")
    for number, (id, text) in enumerate({"ep_0": "今天玩成语接龙游戏", "ep_1": "Ana lives in Porto."}.items(), 1):
        old.execute("INSERT INTO memories VALUES (?, ?, ?)", (number, table[0], id))
        old.execute(f"INSERT INTO {table[0]} (rowid, text) VALUES (?, ?)", (number, text))
    old.execute("PRAGMA user_version = 0")
    old.commit()
    old.close()
    for _ in range(2):
        opened = FullTextIndex(path)
        assert [id for id, _ in opened.query(ANA, "成语接龙", 5)] == ["ep_0"]
        assert [id for id, _ in opened.query(ANA, "Who lives in Porto?", 5)] == ["ep_1"]
        assert (opened.count(ANA), list(opened.ids(ANA))) == (2, ["ep_0", "ep_1"])
        opened.close()
