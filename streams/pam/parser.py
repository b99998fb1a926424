"""Parses PAM lines under programs that have no stream of their own, or whose stream leaves them.

It reads what `streams.common.pam_lines` understands, under display managers, cron, systemd, screen locks, mail and file
servers, the tools that change accounts; and `unix_chkpwd`, PAM's own helper. Nothing here counts as an attempt: which
modules of a stack failed does not say whether the login did. https://man7.org/linux/man-pages/man8/unix_chkpwd.8.html
"""

import re

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.text import extra
from streams.pam.messages import MESSAGES
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "pam"}
_ACTION = "pam_authentication"
_HELPER = "unix_chkpwd"

_MODULES = ("PAM_unix", "PAM_pwdb")
"""Names under which PAM of the year 2000 wrote to syslog."""
_SERVICE_FIRST = re.compile(r"\(([^\s()]{1,64})\) ")

_DISPLAYS = (
    *("gdm", "gdm3", "gdm-binary", "gdm-session-worker", "gdm-password", "gdm-autologin", "gdm-launch-environment"),
    *("gdm-fingerprint", "gdm-smartcard", "lightdm", "lightdm-greeter", "lightdm-autologin", "sddm", "sddm-helper"),
    *("kdm", "xdm", "lxdm", "slim", "greetd", "kde", "kde-np", "kcheckpass", "kscreensaver", "kscreenlocker_greet"),
    *("gnome-screensaver-dialog", "cinnamon-screensaver", "cinnamon-screensaver-pam-helper", "mate-screensaver-dialog"),
    *(
        "xscreensaver",
        "xscreensaver-auth",
        "light-locker",
        "i3lock",
        "swaylock",
        "vlock",
        "physlock",
        "unity",
        "compiz",
    ),
)
_SESSIONS = (
    *("systemd", "(systemd)", "(sd-pam)", "systemd-user", "cron", "crond", "atd", "anacron", "runuser", "doas", "ksu"),
    *("cockpit-session", "xrdp-sesman", "screen", "newrole", "userhelper", "machinectl", "sssd", "system-auth"),
)
_SERVERS = (
    *("smbd", "samba", "ftpd", "ftp", "saslauthd", "imapd", "imap", "pop", "pop3", "ipop3d", "cyrus", "smtp", "smtpd"),
    *("ocserv", "charon", "pppd", "ppp", "apache2", "httpd", "squid", "postgres", "mariadbd", "cupsd", "webmin"),
    *("rsh", "rshd", "rlogind", "rexecd", "remote", "telnetd"),
)
_TOOLS = (
    *("passwd", "chpasswd", "chsh", "chfn", "chage", "useradd", "usermod", "userdel", "groupadd", "groupmod"),
    *("groupdel", "gpasswd", "newusers"),
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one PAM line; False for every other line of these programs."""
    program = event.get("process_name", "")
    if program == _HELPER:
        return _helper(message, event)
    if program in _MODULES:
        message = _of_module(program, message)
    if not pam_lines.parse(message, event, _ACTION):
        return False
    event.update(_SERVICE)
    return True


def _of_module(program: str, message: str) -> str:
    """Rewrite `(su) session opened ...` of the program `PAM_pwdb` as PAM writes it today."""
    found = _SERVICE_FIRST.match(message)
    return f"{program.lower()}({found[1]}): {message[found.end() :]}" if found else f"{program.lower()}: {message}"


def _helper(message: str, event: Event) -> bool:
    """Parse `password check failed for user (alice)`; the program that called PAM reports it once more."""
    if pam_lines.parse(message, event, _ACTION):
        event.update(_SERVICE)
        return True
    if not MESSAGES.parse(message, event):
        return False
    event.update(_SERVICE)
    event.setdefault("event_action", _ACTION)
    extra(event)["pam.module"] = _HELPER
    return True


STREAM = Stream(
    name="pam",
    programs=(
        _HELPER,
        *_MODULES,
        *(*_DISPLAYS, *_SESSIONS, *_SERVERS, *_TOOLS),
        *(
            f"{name}]"
            for name in ("gdm-password", "gdm-autologin", "gdm-launch-environment", "gdm-fingerprint", "gdm-smartcard")
        ),
    ),
    parse=parse,
    sniff=lambda message: message.startswith(("pam_", "(pam_")),
)
