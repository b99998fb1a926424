"""`ogrewatch token`: a secret that is shown once, a list without secrets, and its end."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.token import app, token_file


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"OGREWATCH_DATA_DIR": str(folder), "OGREWATCH_INGEST_TOKENS": None})


def test_a_token_is_made_listed_and_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_DATA_DIR", str(tmp_path))
    secret = run(tmp_path, "create", "web-shipper", "--topic", "raw.syslog").stdout.strip()
    token = token_file(None).verify(secret)
    assert token is not None
    assert (token.name, token.topics) == ("web-shipper", ("raw.syslog",))
    listed = run(tmp_path, "list").stdout
    assert listed.split()[0::2] == [token.id, "web-shipper", "raw.syslog"]
    assert secret.rpartition("_")[2] not in listed
    assert run(tmp_path, "revoke", "web-shipper").exit_code == 0
    assert token_file(None).verify(secret) is None
    assert run(tmp_path, "list").stdout == ""


def test_json_says_all_of_it(tmp_path: Path) -> None:
    made = orjson.loads(run(tmp_path, "create", "a", "--json").stdout)
    assert (made["name"], made["topics"]) == ("a", ["raw.events", "raw.syslog"])
    (listed,) = orjson.loads(run(tmp_path, "list", "--json").stdout)
    assert listed.keys() == {"id", "name", "role", "topics", "created"}
    assert listed["id"] == made["id"]


def test_a_role_is_kept(tmp_path: Path) -> None:
    for role in ("look", "act"):
        made = orjson.loads(run(tmp_path, "create", role, "--role", role, "--json").stdout)
        assert (made["role"], made["topics"]) == (role, [])
    assert [token["role"] for token in orjson.loads(run(tmp_path, "list", "--json").stdout)] == ["look", "act"]
    assert run(tmp_path, "create", "b", "--role", "look", "--topic", "raw.syslog").exit_code == 2
    assert run(tmp_path, "create", "b", "--role", "root").exit_code == 2


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    for topic in ("events.web", "nothing"):
        result = run(tmp_path, "create", "a", "--topic", topic)
        assert result.exit_code == 2
        assert not (tmp_path / "tokens.json").exists()
    run(tmp_path, "create", "a")
    for arguments, words in ((("create", "a"), "already"), (("revoke", "b"), "there is no token 'b'")):
        result = run(tmp_path, *arguments)
        assert (result.exit_code, words in result.stderr) == (1, True)
    (tmp_path / "tokens.json").chmod(0o640)
    result = run(tmp_path, "list")
    assert (result.exit_code, "chmod 600" in result.stderr) == (1, True)
