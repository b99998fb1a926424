"""Prometheus's rules: promtool reads and tests them, every alert is tested both ways, and every metric exists."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from lacking import lacking

from stack.cache import cache_dir

ROOT = Path(__file__).parents[2]
RULES = ROOT / "stack" / "prometheus"
_ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((RULES / "ogrewatch.rules.yml").read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
_OTHERS = {"ogrewatch_ledger_balanced"} | {
    f"ogrewatch_ingest_{name}" for name in ("kafka_up", "refused_total", "requests_total", "records_total")
}
"""Metrics that other pages than docs/metrics.md explain."""


def promtool(*arguments: str) -> str:
    """What promtool says of the rules. Fails when it finds fault."""
    tool = cache_dir() / "prometheus" / "usr" / "bin" / "promtool"
    if not tool.exists():
        lacking("promtool is missing: scripts/fetch-prometheus unpacks it (Debian)")
    done = subprocess.run([tool, *arguments], cwd=RULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_rules_and_configuration() -> None:
    assert "SUCCESS" in promtool("check", "rules", "ogrewatch.rules.yml")
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", "ogrewatch.rules_test.yml")


def test_every_alert_is_tested_for_and_against() -> None:
    cases = yaml.safe_load((RULES / "ogrewatch.rules_test.yml").read_text())["tests"]
    tried = {(one["alertname"], bool(one["exp_alerts"])) for case in cases for one in case["alert_rule_test"]}
    assert tried == {(alert["alert"], fires) for alert in _ALERTS for fires in (True, False)}


@pytest.mark.parametrize("alert", _ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_says_what_to_do_and_the_manual_knows_it(alert: dict[str, Any]) -> None:
    manual = (ROOT / "docs" / "metrics.md").read_text()
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert {"summary", "description"} == alert["annotations"].keys()
    assert f"| `{alert['alert']}` | {alert['labels']['severity']} |" in manual
    for name in re.findall(r"\bogrewatch_\w+", alert["expr"]):
        assert name in _OTHERS or f"`{name.removesuffix('_bucket')}`" in manual, name
