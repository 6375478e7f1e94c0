"""What the page asks of the endpoint: releases, one release, answers, each within its bounds."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from slipway.endpoint.serving import RunningEndpoints
from tests.endpoint.playground.conftest import BRIGHT, ECHO, SHADOW, Tried
from tests.endpoint.playground.shop import Asked, Shop, text, typed


def ask(tried: Tried, target: str, *rows: Mapping[str, object], **more: object) -> Asked:
    """What the page gets when it asks ``target``."""
    return Asked(tried.url, "ask", {"target": target, "rows": list(rows), **more})


def test_aliases_come_first_and_then_every_release(tried: Tried) -> None:
    found = Asked(tried.url, "releases").json
    assert [(choice["alias"], choice["target"]) for choice in found["choices"]] == [
        (True, BRIGHT),
        (True, ECHO),
        (False, SHADOW),
        (False, BRIGHT),
        (False, ECHO),
    ]
    assert found["choices"][0]["shadow"] == SHADOW


def test_a_release_is_described_by_its_signature_with_its_golden_cases(tried: Tried) -> None:
    release = Asked(tried.url, f"release?target={BRIGHT}").json
    assert (release["shadow"], release["max_rows"], release["limit"]) == (SHADOW, 16, 6 * 2**20)
    assert [(one["name"], one["shape"]) for one in release["inputs"]] == [("IMAGE", "[batch, 1]")]
    (example,) = release["examples"]
    assert example["name"] == "a_disc"
    assert example["rows"][0]["IMAGE"]["name"] == "disc.png"


def test_numbers_come_back_exactly_as_text(tried: Tried) -> None:
    row = {
        "WHOLE": typed("[9007199254740993, -9223372036854775808]"),
        "HALF": typed("0.1, 65504"),
        "REAL": typed("[NaN, Infinity, -Infinity, 0.1]"),
    }
    asked = ask(tried, ECHO, row)
    outputs = {each["name"]: each["elements"] for each in asked.json["answer"]["outputs"]}
    assert outputs == {
        "WHOLE_BACK": ["9007199254740993", "-9223372036854775808"],
        "HALF_BACK": ["0.1", "65500.0"],
        "REAL_BACK": ["NaN", "Infinity", "-Infinity", "0.1"],
    }
    json.loads(asked.text, parse_constant=pytest.fail)  # no NaN that is no JSON


def test_a_text_with_nul_and_one_that_turns_around_are_written_out(tried: Tried) -> None:
    asked = ask(tried, ECHO, {"TEXT": typed('"a\\u0000b\\u202egnp"')})
    (output,) = asked.json["answer"]["outputs"]
    assert output["elements"] == [{"size": 9, "text": "a\\x00b\\u202egnp", "escaped": True}]


def test_binary_that_is_no_text_is_shown_by_its_first_bytes(tried: Tried) -> None:
    data = base64.b64encode(b"\xff\xfe\x00data").decode()
    asked = ask(tried, ECHO, {"TEXT": {"kind": "file", "value": data, "name": "x.bin"}})
    (element,) = asked.json["answer"]["outputs"][0]["elements"]
    assert element == {"size": 7, "hex": "ff fe 00 64 61 74 61", "base64": data}


def test_of_a_hundred_thousand_numbers_some_are_shown_and_all_can_be_saved(tried: Tried) -> None:
    array = np.arange(100_000, dtype=np.float32)
    npy = base64.b64encode(_npy(array)).decode()
    row = {"REAL": {"kind": "file", "value": npy, "name": "many.npy"}}
    (output,) = ask(tried, ECHO, row).json["answer"]["outputs"]
    assert (len(output["elements"]), output["left_out"]) == (400, 99_600)
    assert output["range"] == ["0.0", "99999.0"]
    saved = base64.b64decode(output["npy"])
    assert saved.endswith(array.tobytes())


def test_several_rows_are_one_request(tried: Tried) -> None:
    asked = ask(tried, ECHO, {"TEXT": text("one")}, {"TEXT": text("two")})
    (output,) = asked.json["answer"]["outputs"]
    assert output["shape"] == [2, 1]
    assert [element["text"] for element in output["elements"]] == ["one", "two"]


def test_a_picture_in_an_answer_is_sent_whole(tried: Tried) -> None:
    data = base64.b64encode(tried.picture.read_bytes()).decode()
    row = {"IMAGE": {"kind": "file", "value": data, "name": "disc.png"}}
    outputs = {each["name"]: each for each in ask(tried, BRIGHT, row).json["answer"]["outputs"]}
    assert outputs["LABEL"]["elements"][0]["text"] == "bright"
    (thumbnail,) = outputs["THUMBNAIL"]["elements"]
    assert thumbnail["media"] == "image/png"


def test_a_shadow_is_asked_the_same_and_what_differs_is_marked(tried: Tried) -> None:
    data = base64.b64encode(tried.picture.read_bytes()).decode()
    row = {"IMAGE": {"kind": "file", "value": data, "name": "disc.png"}}
    asked = ask(tried, BRIGHT, row, second=SHADOW).json
    assert asked["second"]["target"] == SHADOW
    assert asked["differences"]["lines"] == [
        "LABEL[0, 0]: the first says b'bright', the second b'light'"
    ]
    assert asked["differences"]["marked"] == {"LABEL": [0], "PROBABILITY": [], "THUMBNAIL": []}


def test_the_first_ask_loads_and_the_next_one_hits(tried: Tried) -> None:
    target = tried.shop.publish("echo", "2.0.0")
    first = ask(tried, target, {"TEXT": text("x")}).json["answer"]
    second = ask(tried, target, {"TEXT": text("x")}).json["answer"]
    assert (first["cache"], second["cache"]) == ("load", "hit")
    assert first["ms"] > 0


@pytest.mark.parametrize(
    ("row", "what", "fix"),
    [
        ({"WHOLE": typed("1.5")}, "input 'WHOLE' is INT64: whole numbers", "give whole numbers"),
        ({"WHOLE": typed("one")}, "input 'WHOLE': not JSON", "such as 1.5"),
        ({"REAL": typed("1e99")}, "a number is too large", "its largest is"),
        ({"NONE": typed("1")}, "echo has no input 'NONE'", "its inputs"),
        ({}, "echo needs one input at least", "its inputs"),
        ({"REAL": {"kind": "file", "value": "AAAA", "name": "a.npy"}}, "is no array", ".npy"),
        ({"REAL": {"kind": "file", "value": "%", "name": ""}}, "is no base64", "reload"),
        ({"REAL": {"kind": "what", "value": "1"}}, "has no kind", "reload"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_to_do(
    tried: Tried, row: dict[str, object], what: str, fix: str
) -> None:
    asked = ask(tried, ECHO, row).json
    error = asked["error"] if "error" in asked else asked["answer"]["error"]
    assert what in error["what"]
    assert fix in error["fix"]


def test_the_models_own_error_is_shown_in_full(tried: Tried) -> None:
    error = ask(tried, ECHO, {"TEXT": text("fail: <b>no</b>" + "x" * 3000)}).json["answer"]["error"]
    assert (error["status"], error["type"]) == (424, "ModelError")
    assert ": <b>no</b>" + "x" * 3000 in error["what"]
    assert "correct what its message names" in error["fix"]


def test_what_some_rows_lack_is_an_empty_text_or_nan(tried: Tried) -> None:
    asked = ask(tried, ECHO, {"TEXT": text("a")}, {"REAL": typed("1")}).json["answer"]
    outputs = {each["name"]: each["elements"] for each in asked["outputs"]}
    assert outputs["REAL_BACK"] == ["NaN", "1.0"]
    assert [element["text"] for element in outputs["TEXT_BACK"]] == ["a", ""]


def test_a_row_without_a_whole_number_that_another_has_is_refused(tried: Tried) -> None:
    error = ask(tried, ECHO, {"WHOLE": typed("1")}, {"REAL": typed("1")}).json["answer"]["error"]
    assert error["what"] == "row 2 has no value for WHOLE, and another row has"


def test_parameters_that_are_no_object_are_refused(tried: Tried) -> None:
    error = ask(tried, ECHO, {"TEXT": text("a")}, parameters="[1]").json["error"]
    assert "the parameters are no JSON object" in error["what"]


def test_a_release_that_is_not_there_is_said_so(tried: Tried) -> None:
    error = ask(tried, "echo_9.9.9.tar.gz", {"TEXT": text("a")}).json["answer"]["error"]
    assert "echo_9.9.9.tar.gz is not a release of echo" in error["what"]
    assert "did you mean" in error["fix"]


@pytest.mark.parametrize("target", ["../../etc/passwd", "a$(reboot)_1.tar.gz", "", "x" * 2000])
def test_a_target_that_is_no_key_is_refused(tried: Tried, target: str) -> None:
    assert ask(tried, target, {"TEXT": text("a")}).json["answer"]["error"]["status"] == 400


class TestOfOtherSites:
    """A browser sends requests of any page to this machine."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Slipway-Page": ""},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    @pytest.mark.parametrize("operation", ["releases", "ask"])
    def test_are_refused(self, tried: Tried, headers: dict[str, str], operation: str) -> None:
        body = {"target": ECHO, "rows": [{"TEXT": text("a")}]} if operation == "ask" else None
        assert Asked(tried.url, operation, body, headers).status == 403

    def test_ask_with_no_other_content_type(self, tried: Tried) -> None:
        body = {"target": ECHO, "rows": [{}]}
        asked = Asked(tried.url, "ask", body, {"Content-Type": "text/plain"})
        assert (asked.status, asked.json["error"]["what"]) == (
            400,
            "the content type is not application/json",
        )

    def test_have_another_host(self, tried: Tried) -> None:
        assert Asked(tried.url, "releases", None, {"Host": "evil.example"}).status == 421


def test_no_other_path_or_method_is_answered(tried: Tried) -> None:
    assert Asked(tried.url, "secrets").status == 404
    assert Asked(tried.url, "ask").status == 405
    assert Asked(tried.url, "releases", {}).status == 405


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b"[]", b""])
def test_a_body_that_is_no_json_object_is_refused(tried: Tried, body: bytes) -> None:
    place = urlsplit(tried.url)
    head = (
        f"POST /playground/ask HTTP/1.1\r\nHost: {place.netloc}\r\nX-Slipway-Page: 1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=60) as sent:
        sent.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: sent.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"the body is no JSON object" in answer


def test_more_than_a_request_may_have_is_refused(tried: Tried) -> None:
    data = base64.b64encode(bytes(6 * 2**20)).decode()
    row = {"TEXT": {"kind": "file", "value": data, "name": "large"}}
    error = ask(tried, ECHO, row).json["answer"]["error"]
    assert (error["status"], error["what"]) == (413, "HTTP content length exceeded 6291456 bytes.")
    assert "--largest-body" in error["fix"]


def test_a_body_without_end_is_not_read_to_its_end(tried: Tried) -> None:
    assert Asked(tried.url, "ask", {"x": "y" * (26 * 2**20)}).status == 413


@pytest.fixture(scope="module")
def restricted(tried: Tried) -> Iterator[RunningEndpoints]:
    """Another endpoint of the store, that may serve one model only."""
    with tried.shop.up(tried.shop.entry(allow=("echo_*",))) as served:
        yield served


def test_what_is_not_allowed_is_not_listed_and_not_answered(restricted: RunningEndpoints) -> None:
    found = Asked(restricted.url, "releases").json
    assert {choice["name"] for choice in found["choices"]} == {"echo"}
    assert Asked(restricted.url, f"release?target={BRIGHT}").status == 403
    asked = Asked(restricted.url, "ask", {"target": BRIGHT, "rows": [{"IMAGE": text("x")}]})
    assert asked.json["answer"]["error"]["type"] == "AccessDeniedException"
    body = {"target": BRIGHT, "rows": [{"IMAGE": text("x")}]}
    assert Asked(restricted.url, "explain", body).status == 403


def test_of_a_thousand_releases_a_part_is_sent_at_a_time(tmp_path: Path) -> None:
    from slipway.endpoint.playground.releases import MOST, Releases
    from slipway.endpoint.playground.served import Served
    from slipway.endpoint.policy import Policy
    from slipway.model.interface import Interface
    from slipway.settings import Settings
    from slipway.store.open_reader import open_endpoint

    class Fake:
        name, policy = "local", Policy(("*",))

    shop = Shop(tmp_path)
    for name in (f"model_{number}" for number in range(40)):
        for version in range(25):
            shop.record(name, f"1.{version}.0", Interface(0, {}, {}), b"x")
        shop.alias(name, f"{name}_1.0.0.tar.gz")
    settings = Settings(root=shop.root)
    stage = open_endpoint(settings, shop.entry())
    releases = Releases(Served(Fake(), stage, shop.entry(), settings))  # type: ignore[arg-type]
    found = releases.find("", 0)
    assert (found["total"], len(found["choices"])) == (1040, MOST)
    assert [choice["alias"] for choice in found["choices"]] == [True] * 40 + [False] * 10
    assert releases.find("", 1030)["choices"][-1]["target"] == "model_9_1.0.0.tar.gz"
    found = releases.find("MODEL_32 1.7", 0)
    assert [choice["target"] for choice in found["choices"]] == ["model_32_1.7.0.tar.gz"]
    assert releases.find("model_4_1", 0)["choices"][0]["target"] == "model_4_1.24.0.tar.gz"


def _npy(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    import io

    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()
