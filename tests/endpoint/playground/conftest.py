"""One endpoint for the tests of the playground, with a model that echoes and one of pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from tests import chromium
from tests.endpoint.playground.shop import Shop

ECHO, BRIGHT = "echo_1.0.0.tar.gz", "bright_middle_1.0.0.tar.gz"
SHADOW = "bright_middle_1.1.0.tar.gz"


@dataclass(frozen=True)
class Tried:
    """An endpoint that is up, its store, and a picture: a bright disc on black."""

    url: str
    shop: Shop
    picture: Path


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """An endpoint for all tests of this folder."""
    folder = tmp_path_factory.mktemp("playground")
    shop = Shop(folder)
    shop.publish("echo", "1.0.0")
    shop.publish("bright_middle", "1.0.0")
    shop.publish("bright_middle", "1.1.0", {'b"bright"': 'b"light"'})
    shop.alias("echo", ECHO)
    shop.alias("bright_middle", BRIGHT, SHADOW)
    picture = folder / "a disc's picture.png"
    picture.write_bytes(disc())
    case = shop.root / "models" / "bright_middle" / "tests" / "cases" / "a_disc"
    case.mkdir(parents=True)
    (case / "disc.png").write_bytes(disc())
    (case / "input.json").write_text('{"inputs": {"IMAGE": {"file": "disc.png"}}}')
    with shop.up() as served:
        yield Tried(served.url, shop, picture)


def disc() -> bytes:
    """A picture as PNG."""
    picture = Image.new("RGB", (64, 48), "black")
    ImageDraw.Draw(picture).ellipse((12, 4, 52, 44), fill="white")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium.launched() as browser:
        yield browser
