"""What people are told of releases, and where it goes."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.pipeline.notify import notify
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.pipeline.notify import receivers
from tests.pipeline.notify.receivers import Receiver
from tests.pipeline.releases import released

PIPELINE = "https://gitlab.example/team/models/-/pipelines/7"
HERE = {
    "GITLAB_USER_LOGIN": "dev",
    "CI_PROJECT_PATH": "team/models",
    "CI_PROJECT_URL": "https://gitlab.example/team/models",
    "CI_PIPELINE_URL": PIPELINE,
    "CI_COMMIT_SHA": "c0ffee" * 6 + "c0ff",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_TITLE": "A threshold for this year's phones",
}
OURS = Origin("c0ffee", PIPELINE, "dev")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """The working folder is a repository with an empty store, in a pipeline of GitLab's."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("SLIPWAY_WEBHOOK_URL", "SLIPWAY_SNS_TOPIC", "SLIPWAY_GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    return DirectoryStore(tmp_path / "store")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What ``slipway notify`` would send, as text."""
    assert main(["notify", *words, "--dry-run"]) == 0
    return capsys.readouterr().out


def test_a_release_is_told_with_versions_changes_who_where_and_how_to_undo_it(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0")
    changes = ("c0ffee1 A threshold for this year's phones", *(f"more {n}" for n in range(4)))
    released(store, "1.1.0", origin=OURS, changes=changes)
    assert (
        told(capsys, "released", "m").splitlines()
        == [
            "🚀 Released to production: m 1.0.0 → 1.1.0",
            "• c0ffee1 A threshold for this year's phones",
            "• more 0",
            "• more 1",
            "• and 2 more",
            "undo: slipway rollback m 1.0.0",
            "by dev · commit c0ffeec0 (https://gitlab.example/team/models/-/commit/"
            f"{HERE['CI_COMMIT_SHA']}) on main: A threshold for this year's phones ·"
            f" pipeline ({PIPELINE}) · team/models",
        ]
        or "the checkout's own commit is told"
    )


def test_the_first_release_says_that_there_is_no_way_back(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0")
    said = told(capsys, "released", "m")
    assert "first release in production" in said
    assert "undo" not in said


def test_a_job_that_is_run_again_tells_of_what_its_own_pipeline_did(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0")
    released(store, "1.1.0", origin=OURS)
    released(store, "1.2.0", origin=Origin("beef", "https://gitlab.example/other", "else"))
    said = told(capsys, "released", "m")
    assert "m 1.0.0 → 1.1.0" in said
    assert "the alias has since moved to 1.2.0" in said


def test_a_rollback_says_why_and_how_to_come_back(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0")
    released(store, "1.1.0")
    released(store, "1.0.0", action="rollback", reason="half of the photos are unreadable")
    lines = told(capsys, "rolled-back", "m").splitlines()
    assert lines[:3] == [
        "↩️ Rolled back in production: m 1.1.0 → 1.0.0",
        "why: half of the photos are unreadable",
        "undo: slipway rollback m 1.1.0",
    ]


def test_a_failure_names_the_job_its_log_and_what_goes_on_being_served(
    store: DirectoryStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    released(store, "1.0.0")
    (tmp_path / "models" / "m").mkdir(parents=True)
    (tmp_path / "models" / "m" / "model_version.txt").write_text("1.1.0\n", encoding="utf-8")
    monkeypatch.setenv("CI_JOB_STATUS", "failed")
    monkeypatch.setenv("CI_JOB_NAME", "promote")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example/team/models/-/jobs/3")
    lines = told(capsys, "failed", "m").splitlines()
    assert lines[:3] == [
        "🔴 Failed on the way to production: m 1.1.0",
        "production still serves 1.0.0",
        "job: promote (https://gitlab.example/team/models/-/jobs/3)",
    ]


def test_a_split_by_weights_is_not_undone_by_a_command_that_would_end_it(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tuple(Variant(released(store, version), 1) for version in ("1.0.0", "1.1.0"))
    move_alias(StageStore(store, "production"), "m", Alias(both), "alias", OURS)
    released(store, "1.2.0", origin=OURS)
    assert "undo: slipway history m --stage production" in told(capsys, "released", "m")


def test_several_models_are_one_message(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        released(store, "1.0.0", name=name)
        released(store, "1.0.1", name=name)
    lines = told(capsys, "released", "a", "b").splitlines()
    assert lines[:4] == [
        "🚀 Released to production: a, b",
        "a 1.0.0 → 1.0.1",
        "undo: slipway rollback a 1.0.0",
        "b 1.0.0 → 1.0.1",
    ]


@pytest.mark.parametrize("damage", ["no store", "a damaged alias", "no repository"])
def test_without_the_store_the_rest_is_told(
    store: DirectoryStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: str,
) -> None:
    if damage == "no store":
        text = '[release]\nstore = "gopher://nowhere"\n'
        (tmp_path / "slipway.toml").write_text(text, encoding="utf-8")
    elif damage == "a damaged alias":
        store.create("production/catalog/m/alias.json", b"{")
    else:
        (tmp_path / "slipway.toml").unlink()
    assert main(["notify", "released", "m", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("🚀 Released to production: m\n")
    assert "by dev" in said.out
    assert said.err.startswith("warning: ")


def test_what_people_wrote_cannot_mention_link_or_format(
    store: DirectoryStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = "<!channel> <https://evil.example|click> & @all\n*bold*"
    monkeypatch.setenv("CI_COMMIT_TITLE", evil)
    released(store, "1.0.0", changes=(evil,))
    assert main(["notify", "released", "m", "--dry-run", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)["webhook"]
    for text in (body["text"], body["blocks"][1]["text"]["text"]):
        assert "<!channel>" not in text
        assert "<https://evil.example" not in text
        assert "&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; @\u200ball" in text


def test_a_message_keeps_slacks_and_snss_limits_however_much_there_is_to_tell(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"model_with_a_long_name_{number:03}" for number in range(15)]
    for name in names:
        released(store, "1.0.0", name=name)
        released(store, "1.0.1", name=name, changes=("&" * 5000,) * 9)
    assert main(["notify", "released", *names, "--dry-run", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    blocks = made["webhook"]["blocks"]
    assert len(blocks) <= 50
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(len(b["text"]["text"]) <= 3000 for b in blocks if b["type"] == "section")
    assert len(made["webhook"]["text"]) <= 4000
    assert len(made["sns"]["Subject"]) <= 100
    assert made["sns"]["Subject"].isascii() and made["sns"]["Subject"].isprintable()
    assert names[14] in made["sns"]["Message"]


def test_without_a_destination_nobody_is_told_and_nothing_fails(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "released", "m"]) == 0
    assert capsys.readouterr().err == "no notification sent\n"


def test_a_webhook_gets_blocks_and_a_text_for_those_who_know_none(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0")
    released(store, "1.1.0", origin=OURS)
    with receivers.running(Receiver()) as receiver:
        monkeypatch.setenv("SLIPWAY_WEBHOOK_URL", f"{receiver.url}/services/T0/secret")
        assert main(["notify", "released", "m"]) == 0
    assert capsys.readouterr().out == "notified: webhook\n"
    (request,) = receiver.requests
    assert request.headers["content-type"].startswith("application/json")
    assert [block["type"] for block in request.json["blocks"]] == ["header", "section", "context"]
    for part in ("m 1.0.0 → 1.1.0", "`slipway rollback m 1.0.0`", f"<{PIPELINE}|pipeline>"):
        assert part in request.json["text"]


def test_a_webhook_that_fails_is_a_warning_without_its_address(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receivers.running(Receiver()) as receiver:
        secret = f"{receiver.url}/services/T0/very-secret"
        receiver.replies = [receivers.Reply(404, f"no such hook: {secret}")]
        monkeypatch.setenv("SLIPWAY_WEBHOOK_URL", secret)
        assert main(["notify", "released", "m"]) == 0
    said = capsys.readouterr()
    assert "warning: SLIPWAY_WEBHOOK_URL: the webhook did not accept the message: 404" in said.err
    assert "very-secret" not in said.out + said.err


def test_who_takes_for_ever_is_left_alone() -> None:
    import threading

    never = threading.Event()
    with pytest.raises(SlipwayError, match="not finished after"):
        notify.run_with_limit(never.wait, 0.05)
    never.set()


def test_sns_gets_a_mail_and_attributes_that_subscriptions_choose_by(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    released(store, "1.0.0")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        topic = sns.create_topic(Name="releases")["TopicArn"]
        queue = sqs.create_queue(QueueName="releases")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        subscription = sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"]
        )
        # of another stage, nothing arrives
        sns.set_subscription_attributes(
            SubscriptionArn=subscription["SubscriptionArn"],
            AttributeName="FilterPolicy",
            AttributeValue=json.dumps({"stage": ["production"], "event": ["released"]}),
        )
        monkeypatch.setenv("SLIPWAY_SNS_TOPIC", topic)
        assert main(["notify", "released", "m", "--stage", "staging"]) == 0
        assert main(["notify", "failed", "m"]) == 0
        assert main(["notify", "released", "m"]) == 0
        got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    finally:
        server.stop()
    assert capsys.readouterr().out == "notified: SNS\n" * 3
    (message,) = [json.loads(each["Body"]) for each in got]
    assert message["Subject"] == "Released to production: m 1.0.0"
    assert message["Message"].startswith("🚀 Released to production: m 1.0.0\n")
    assert message["MessageAttributes"]["models"]["Value"] == '["m"]'


@pytest.mark.parametrize("topic", ["releases", "arn:aws:sns:eu-west-1:123456789012:none"])
def test_a_topic_that_is_none_is_a_warning(
    store: DirectoryStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    topic: str,
) -> None:
    with receivers.running(Receiver()) as refusing:
        refusing.replies = [receivers.Reply(403, "<ErrorResponse/>")]
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", refusing.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        monkeypatch.setenv("SLIPWAY_SNS_TOPIC", topic)
        assert main(["notify", "released", "m"]) == 0
    assert "warning: SLIPWAY_SNS_TOPIC: " in capsys.readouterr().err
