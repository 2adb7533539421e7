import numpy as np
import pytest

from fer_edge.config import ZoneConfig
from fer_edge.sources._pictures import GrayPicture
from fer_edge.types import Box
from fer_edge.vision.motion import MotionGate
from fer_edge.vision.zones import Zones

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


def zone(name, points, use="count"):
    return ZoneConfig(name=name, points=points, use=use)


def face_at(x, y):
    return Box(x - 50, y - 60, 100, 120)


@pytest.fixture
def stamp(stamp_at):
    return stamp_at(0)


def test_the_first_zone_that_holds_the_centre_is_the_faces(stamp):
    zones = Zones([zone("sofa", LEFT), zone("corner", TRIANGLE)])
    assert zones.name_of(face_at(100, 100), stamp) == "sofa"
    assert zones.name_of(face_at(1200, 100), stamp) == "corner"
    assert zones.name_of(face_at(1800, 1000), stamp) == ""


def test_a_face_that_only_reaches_into_a_zone_is_not_in_it(stamp):
    zones = Zones([zone("sofa", LEFT)])
    assert zones.name_of(face_at(959, 500), stamp) == "sofa"
    assert zones.name_of(face_at(962, 500), stamp) == ""


def test_an_ignored_zone_has_no_name_and_is_stronger(stamp):
    zones = Zones([zone("room", ((0, 0), (1, 0), (1, 1), (0, 1))), zone("tv", LEFT, "ignore")])
    assert zones.ignores(face_at(100, 100), stamp)
    assert not zones.ignores(face_at(1200, 100), stamp)
    assert zones.name_of(face_at(1200, 100), stamp) == "room"


def test_without_zones_nothing_is_named_or_ignored(stamp):
    assert Zones().name_of(face_at(100, 100), stamp) == ""
    assert not Zones().ignores(face_at(100, 100), stamp)
    assert not Zones().ignored_cells(3, 4).any()


def test_what_moves_in_an_ignored_zone_starts_no_search():
    gate = MotionGate(640, Zones([zone("tv", LEFT, "ignore")]))
    wall = np.full((1080, 1920), 110, np.uint8)
    gate.remember(GrayPicture(wall))
    television, person = wall.copy(), wall.copy()
    television[300:700, 200:800] = 200
    person[300:700, 1200:1800] = 200
    assert not gate.changed(GrayPicture(television), [])
    assert gate.changed(GrayPicture(person), [])
