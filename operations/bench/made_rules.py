"""Makes any number of rules to measure detection by: the packaged ones, then made ones in the shapes of SigmaHQ's.

SigmaHQ's rules may not be packaged. The made ones have their log sources in the same proportions (of 500 rules: 144 for
process_creation, 88 for web servers, 57 for CloudTrail, ...), as many literals as theirs, and commands and paths that
are common, so that ordinary events meet parts of them. They are the same in every run.
"""

import random
from collections.abc import Callable, Mapping
from uuid import UUID

import orjson

from alerts.rules.load import PACK, RuleSet, add_file, load_folder

_IMAGES = (
    "cat", "chmod", "chown", "curl", "wget", "nc", "python3", "perl", "bash", "sh", "systemctl", "crontab", "useradd",
    "usermod", "passwd", "visudo", "tail", "vim", "docker", "kubectl", "ssh", "scp", "rsync", "tar", "gcc", "find",
    "grep", "ls", "ps", "id", "whoami", "uname", "hostname", "ifconfig", "ip", "iptables", "mount", "dd", "rm", "mv",
    "base64", "openssl", "journalctl", "apt-get", "dpkg", "insmod", "modprobe", "chattr", "touch", "nohup", "at",
)  # fmt: skip
_ARGUMENTS = (
    "/etc/shadow", "/etc/passwd", "/etc/sudoers", "/var/log/auth.log", "/tmp/", "/dev/shm/", "/dev/tcp/", "-perm -4000",
    "authorized_keys", ".bash_history", "/etc/ld.so.preload", "/etc/cron.d", "/var/spool/cron", "/root/.ssh",
    " -e /bin/", " --upload-file ", " 777 ", "+i ", "u+s", "base64 -d", "/proc/self/mem", "xmrig", "stratum+tcp",
    "LD_PRELOAD=", "pty.spawn", "import socket", "mkfifo", "0.0.0.0/0", "169.254.169.254", "kube-system", "history -c",
)  # fmt: skip
_URLS = (
    "/wp-admin/", "/../..", "%00", "union+select", "/etc/passwd", "/cgi-bin/", "${jndi:", "cmd.exe", "/.git/", "/.env",
    "/actuator/", "/manager/html", "/owa/", "/api/v1/pods", "<script", "/console/", "/phpmyadmin/", ".jsp?", "eval(",
    "/solr/admin", "/struts", "class.module", "base64,", "/xmlrpc.php", "/autodiscover", "/remote/fgt_lang", "/shell",
)  # fmt: skip
_AGENTS = ("sqlmap", "nikto", "nmap", "masscan", "zgrab", "gobuster", "wpscan", "hydra", "nuclei", "python-requests")
_CALLS = (
    "CreateUser", "DeleteTrail", "StopLogging", "PutBucketPolicy", "ConsoleLogin", "CreateAccessKey", "RunInstances",
    "AttachUserPolicy", "AuthorizeSecurityGroupIngress", "GetSecretValue", "UpdateFunctionCode", "DisableKey",
)  # fmt: skip
_RECORDS = ("EXECVE", "SYSCALL", "PATH", "SERVICE_STOP", "USER_AND_CRED", "CONFIG_CHANGE", "PROCTITLE")
_LINES = ("segfault at", "promiscuous mode", "failed to load", "BREAK-IN ATTEMPT", "unable to open", "stack smashing",
          "rejected unsafe", "REPLACE (root)", "promoted to", "authentication error", "kernel panic",
          "out of memory")  # fmt: skip

_Made = tuple[dict[str, str], Mapping[str, object], str]
"""A log source, the searches of a detection, and its condition."""
_Shape = Callable[[random.Random], _Made]


def made_rules(number: int) -> RuleSet:
    """The packaged rules over single events, cut or filled up to `number`; correlations stay if all of them are in."""
    packed = load_folder(PACK)
    rules = list(packed.rules.values())[:number]
    found = RuleSet({rule.id: rule for rule in rules}, packed.correlations if number >= len(packed.rules) else {})
    source = random.Random(1)
    for serial in range(number - len(rules)):
        add_file(found, orjson.dumps(_rule(serial, source)), "made")  # JSON is YAML
    assert not found.refused, found.refused
    return found


def _rule(serial: int, source: random.Random) -> dict[str, object]:
    (shape,) = source.choices([shape for _, shape in _SHAPES], [weight for weight, _ in _SHAPES])
    log, searches, condition = shape(source)
    return {
        "title": f"Made rule {serial}", "id": str(UUID(int=serial + 1)), "logsource": log,
        "detection": {**searches, "condition": condition},
    }  # fmt: skip


def _process(source: random.Random) -> _Made:
    images = [f"/{name}" for name in source.sample(_IMAGES, source.randint(1, 3))]
    searches = {
        "image": {"Image|endswith": images},
        "line": {"CommandLine|contains": source.sample(_ARGUMENTS, source.randint(1, 6))},
        "filter": {"User": "backup"},
    }
    condition = source.choice(("image and line", "image and line and not filter", "line", "image and line"))
    return {"product": "linux", "category": "process_creation"}, searches, condition


def _web(source: random.Random) -> _Made:
    searches = {
        "uri": {"cs-uri-query|contains": source.sample(_URLS, source.randint(1, 8))},
        "method": {"cs-method": source.choice(("GET", "POST"))},
    }
    return {"category": "webserver"}, searches, source.choice(("uri", "uri and method"))


def _proxy(source: random.Random) -> _Made:
    return {"category": "proxy"}, {"agent": {"c-useragent|contains": source.sample(_AGENTS, 4)}}, "agent"


def _cloud(source: random.Random) -> _Made:
    searches = {"call": {"eventSource": "iam.amazonaws.com", "eventName": source.choice(_CALLS)}}
    return {"product": "aws", "service": "cloudtrail"}, searches, "call"


def _auditd(source: random.Random) -> _Made:
    searches = {
        "record": {"type": source.choice(_RECORDS)},
        "words": {"a1|contains": source.sample(_ARGUMENTS, 2), "a0": source.choice(_IMAGES)},
    }
    return {"product": "linux", "service": "auditd"}, searches, "record and words"


def _line(source: random.Random) -> _Made:
    return {"product": "linux"}, {"keywords": list(source.sample(_LINES, 3))}, "keywords"


def _dns(source: random.Random) -> _Made:
    names = [f"{source.choice(_AGENTS)}{source.randint(1, 99)}.example" for _ in range(4)]
    return {"category": "dns"}, {"name": {"query|endswith": names}}, "name"


_SHAPES: tuple[tuple[int, _Shape], ...] = (
    (144, _process), (88, _web), (56, _proxy), (57, _cloud), (72, _auditd), (26, _line), (59, _dns),
)  # fmt: skip
"""Shapes, and how many of 502 rules have them."""
