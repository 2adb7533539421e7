"""What cameras do: they end, stall, send rubbish, ask for passwords."""

from fault import Unhealed, fault
from rig import Rig, pictures


@fault("camera", "ffmpeg killed, back after 5 s", ffmpeg=True)
def killed(rig: Rig) -> None:
    rig.film.close()
    rig.hold(5)
    rig.begin_film()


@fault("camera", "connection open, no pictures for 8 s", soak=True)
def stalls(rig: Rig) -> None:
    rig.camera.hang.set()
    rig.hold(8)
    rig.camera.hang.clear()


@fault("camera", "connection closed after each picture, 8 s", soak=True)
def closes(rig: Rig) -> None:
    rig.camera.close_now.set()
    rig.hold(8)
    rig.camera.close_now.clear()


@fault("camera", "a third of each JPEG missing, 8 s", soak=True)
def corrupt(rig: Rig) -> None:
    before = rig.snapshot().counters["unreadable_frames"]
    whole = rig.camera.jpegs
    rig.camera.jpegs = [jpeg[: len(jpeg) * 2 // 3] + jpeg[-2:] for jpeg in whole]
    rig.hold(8)
    if rig.snapshot().counters["unreadable_frames"] == before:
        raise Unhealed("damaged pictures were not counted")
    rig.camera.jpegs = whole


@fault("camera", "no JPEG in the parts, 8 s", soak=True)
def rubbish(rig: Rig) -> None:
    whole = rig.camera.jpegs
    rig.camera.jpegs = [b"\xff\xd8" + bytes(range(256)) * 40 + b"\xff\xd9"]
    rig.hold(8)
    rig.camera.jpegs = whole


@fault("camera", "a part without end at loopback speed, 8 s", soak=True)
def endless(rig: Rig) -> str:
    rig.camera.endless = True
    rig.camera.close_now.set()
    highest = 0.0
    for _ in range(16):
        rig.hold(0.5)
        highest = max(highest, rig.snapshot().rss_mb)
    rig.camera.endless = False
    rig.camera.close_now.clear()
    return f"RSS up to {highest:.0f} MB"


@fault("camera", "answers 401 for 8 s", soak=True)
def password(rig: Rig) -> None:
    rig.camera.login = "user:changed"
    _refuse(rig)
    rig.camera.login = None


@fault("camera", "answers 404 for 8 s", soak=True)
def missing(rig: Rig) -> None:
    rig.camera.missing = True
    _refuse(rig)
    rig.camera.missing = False


def _refuse(rig: Rig) -> None:
    rig.camera.close_now.set()
    rig.hold(1)
    rig.camera.close_now.clear()
    rig.hold(7)


@fault("camera", "another size in mid stream for 8 s", soak=True)
def size(rig: Rig) -> None:
    before = rig.camera.jpegs
    rig.camera.jpegs = pictures(1280, 720)
    rig.hold(8)
    if rig.watcher.faces[-1].width != 1280:
        raise Unhealed("the new size was not published")
    rig.camera.jpegs = before
