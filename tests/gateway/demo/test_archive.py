"""What the demo's platform remembers."""

from __future__ import annotations

from pathlib import Path

from gateway.demo.archive import HISTORY, Archive, Comment, DirectMessage


def comment(n: int, room: str = "studio") -> Comment:
    return Comment(id=f"c{n}", room=room, user="viewer", text=f"评论 {n}", at=1000.0 + n)


def test_a_second_opening_finds_what_the_first_kept(tmp_path: Path) -> None:
    dm = DirectMessage(id="d1", user="stranger", to="streamer", text="hello", at=5.5)
    with Archive(tmp_path / "a.sqlite3") as archive:
        archive.add_comment(comment(1))
        archive.add_dm(dm)
    with Archive(tmp_path / "a.sqlite3") as archive:
        assert archive.comments("studio") == [comment(1)]
        assert archive.dms("streamer") == [dm]


def test_what_was_added_survives_a_writer_that_never_closed(tmp_path: Path) -> None:
    with Archive(tmp_path / "a.sqlite3") as unclosed:
        unclosed.add_comment(comment(1))
        with Archive(tmp_path / "a.sqlite3") as another:
            assert another.comments("studio") == [comment(1)]


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    with Archive(tmp_path / "a.sqlite3") as archive:
        archive.add_comment(comment(1))
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite3"]


def test_a_history_is_the_latest_of_one_room_oldest_first(tmp_path: Path) -> None:
    with Archive(tmp_path / "a.sqlite3") as archive:
        for n in range(HISTORY + 10):
            archive.add_comment(comment(n))
            archive.add_comment(comment(n, room="elsewhere"))
        assert archive.comments("studio") == [comment(n) for n in range(10, HISTORY + 10)]
        assert archive.comments("nowhere") == []


def test_a_history_of_direct_messages_is_that_of_one_person(tmp_path: Path) -> None:
    pairs = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("a", "a")]
    sent = [DirectMessage(id=f"d{n}", user=user, to=to, text="t", at=float(n)) for n, (user, to) in enumerate(pairs)]
    with Archive(tmp_path / "a.sqlite3") as archive:
        for dm in sent:
            archive.add_dm(dm)
        for person in "abc":
            assert archive.dms(person) == [dm for dm in sent if person in (dm.user, dm.to)]
