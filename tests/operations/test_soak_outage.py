"""`ogrewatch soak --away`: while Elasticsearch is away workers keep their memory and their groups, then catch up."""

import json
import subprocess

import pytest

from operations.process import command_line


@pytest.mark.kill
@pytest.mark.timeout(600)
def test_workers_wait_for_elasticsearch() -> None:
    command = command_line("soak", "--away", "10", "--rate", "500", "--json")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["away"]["seconds"] > 10
    assert found["away"]["backlog"] > 10 * 500
    assert found["away"]["left"] == found["ends"] == []
    assert max(found["away"]["peak_mb"].values()) < 300
    assert max(found["away"]["log_lines"].values()) < found["away"]["seconds"]
