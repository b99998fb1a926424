"""Settings from a file: the environment goes before it, each value says where it comes from, and no secret is shown."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.settings import Settings
from cli import main
from operations.settings_report import KINDS, settings_in_force
from topics.config_file import VARIABLE, file_variables
from topics.environment import variables_of
from topics.errors import BadSettings
from topics.kafka.client import KafkaSecurity

_SECRET = "correct horse battery staple, 32 characters"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*os.environ,):
        if name.startswith("OGREWATCH_") and not name.startswith("OGREWATCH_TEST"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(VARIABLE, "")


def written(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ogrewatch.toml"
    path.write_text(text)
    path.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.app, ["config", *arguments])


def test_keys_and_tables_are_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'partitions = 12\nkafka = ["a:1", "b:2"]\nkeep = 7200.5\n[web]\nport = 9000\ninsecure = true\n'
    text += '[web.trust]\nheader = "X-User"\n'
    written(tmp_path, text, monkeypatch)
    assert file_variables() == {
        "OGREWATCH_PARTITIONS": "12",
        "OGREWATCH_KAFKA": "a:1,b:2",
        "OGREWATCH_KEEP": "7200.5",
        "OGREWATCH_WEB_PORT": "9000",
        "OGREWATCH_WEB_INSECURE": "true",
        "OGREWATCH_WEB_TRUST_HEADER": "X-User",
    }
    settings = Settings()
    assert (settings.partitions, settings.kafka, settings.web_port) == (12, "a:1,b:2", 9000)
    assert settings.web_insecure


def test_the_environment_goes_before_the_file_but_no_service_link_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, 'prefix = "file."\nnamespace = "file"\n[web]\nport = 9000\n', monkeypatch)
    monkeypatch.setenv("OGREWATCH_PREFIX", "environment.")
    monkeypatch.setenv("OGREWATCH_WEB_PORT", "tcp://10.0.0.1:8090")
    settings = Settings(namespace="program")
    assert (settings.prefix, settings.namespace, settings.web_port) == ("environment.", "program", 9000)


def test_how_servers_are_spoken_to_is_read_from_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, f'[kafka]\nprotocol = "SASL_SSL"\nuser = "u"\npassword = "{_SECRET}"\n', monkeypatch)
    assert KafkaSecurity().secret() == _SECRET


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partitions = ", "is no TOML"),
        ("partitions = 1979-05-27", "partitions has to be a text, a number"),
        ("[web]\nport = [1, 2]", "web.port has to be"),
        ("\udcff", "is no TOML"),
        ("a = " + "[" * 5000, "is"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "", monkeypatch)
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadSettings, match=said):
        Settings()


def test_a_wrong_value_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "partitions = 0\n", monkeypatch)
    with pytest.raises(BadSettings, match="OGREWATCH_PARTITIONS"):
        Settings()


def test_a_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(BadSettings, match="cannot be read"):
        Settings()


def test_show_says_where_each_value_comes_from_and_hides_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'secret = "{_SECRET}"\nelasticsearch = "https://u:hunter2@h:9200"\n[amqp]\nurl = "amqp://u:hunter2@h/"\n'
    written(tmp_path, text, monkeypatch)
    monkeypatch.setenv("OGREWATCH_PREFIX", "e.")
    shown = run("show")
    assert shown.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in shown.output.splitlines())
    assert lines["OGREWATCH_PREFIX"].split() == ["environment", "e."]
    assert lines["OGREWATCH_SECRET"].split() == ["file", "(hidden)"]
    assert lines["OGREWATCH_ELASTICSEARCH"].split() == ["file", "https://u:(hidden)@h:9200"]
    assert lines["OGREWATCH_AMQP_URL"].split() == ["file", "(hidden)"]
    everything = json.loads(run("show", "--all", "--json").output)
    assert len(everything) == sum(len(variables_of(kind)) for kind in KINDS) == len(settings_in_force())
    assert {one["origin"] for one in everything} == {"environment", "file", "default"}
    assert "hunter2" not in shown.output + str(everything)
    assert _SECRET not in shown.output + str(everything)


def test_check_says_that_all_is_valid_or_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, f'prefix = "x."\nsecret = "{_SECRET}"\n', monkeypatch)
    assert run("check").output == "All settings are valid: 0 of the environment, 2 of a file.\n"
    path.chmod(0o644)
    done = run("check")
    assert (done.exit_code, done.output) == (
        2, f"{path} holds OGREWATCH_SECRET and can be read by others: chmod 600 it.\n",
    )  # fmt: skip
    path.chmod(0o600)
    monkeypatch.setenv("OGREWATCH_WEB_HOST", "0.0.0.0")
    assert isinstance(run("check", "web").exception, BadSettings)
    assert run("check", "index").exit_code == 0


def test_a_key_that_is_no_setting_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "partitons = 3\n", monkeypatch)
    done = CliRunner().invoke(main.app, ["--config", str(path), "config", "show"])
    assert (
        "OGREWATCH_PARTITONS is no setting of Ogrewatch's, and is ignored; is OGREWATCH_PARTITIONS meant?"
        in done.output
    )
