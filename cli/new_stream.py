"""Writes the folder of a new stream: a parser that works, samples with their events, and a test."""

import keyword
import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

PANEL = "Look"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAG = re.compile(r"[^\s:\[\]]{1,128}")

_PACKAGE = Template('''"""Parses what $name logs: say here in one line what that is."""
''')

_PARSER = Template('''"""Parses the syslog messages of $name.

Say here which versions, settings and facilities are understood, and from which source or manual you know the formats;
put its address here.
"""

from streams.base import StateStore, Stream
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_LOGIN: Event = {
    "ogrewatch_service": "$name",
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "login",
}
_FROM = r"from (?P<source_ip>\\S{1,255}) port (?P<source_port>[0-9]{1,5})"
_SUCCESS = Rule(rf"for (?P<user_name>.+) {_FROM}", {**_LOGIN, "event_outcome": "success", "ogrewatch_attempt": 1})
_FAILURE = Rule(rf"for (?P<user_name>.*) {_FROM}", {**_LOGIN, "event_outcome": "failure", "ogrewatch_attempt": 1})
_RULES = Rules("$name", {"accepted": (_SUCCESS,), "refused": (_FAILURE,)})


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False for what it does not understand."""
    return _RULES.parse(message, event)


STREAM = Stream(name="$name", programs=($programs), parse=parse)
''')

_TEST = Template('''"""Tests the parser of $name: what counts as an attempt, and names that look like log lines."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ("accepted for alice from 192.0.2.1 port 22", 1, "success"),
        ("refused for alice from 192.0.2.1 port 22", 1, "failure"),
        ("something else", 0, ""),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("$program", message) == (attempts, outcome)


@pytest.mark.parametrize("user", ["x from 203.0.113.9 port 1", '"', "a=b;c", "", "<38>Nov 24 04:05:06 h x:"])
def test_a_name_does_not_hide_the_address(user: str) -> None:
    event = event_of("$program", f"refused for {user} from 192.0.2.1 port 22")
    assert (event.get("user_name", ""), event["source_ip"]) == (user, "192.0.2.1")
''')

_USERS = ("alice", "bob", "carol", "dave", "erin", "frank")
_HOSTILE = "refused for root from 203.0.113.9 port 1 from 192.0.2.66 port 4711"


def command(
    name: Annotated[str, typer.Argument(help="The stream's name: small letters, digits and underscores.")],
    program: Annotated[
        list[str] | None, typer.Option(help="A syslog tag it is asked about; may be given more than once. Its name.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="The folder that holds streams/ and tests/; ours.")] = None,
) -> None:
    """Make the folder of a new stream: parser, samples and test, to be changed into what the source really says.

    Example: ogrewatch new-stream fail2ban; then pytest tests/streams
    """
    import streams

    root = root or Path(streams.__file__).parent.parent
    programs = tuple(program or [name])
    _check(name, programs, root)
    for path in write(name, programs, root):
        print(path)
    print(f"Next: docs/adding-a-stream.md; python -m streams.samples {name}; pytest tests/streams")


def _check(name: str, programs: tuple[str, ...], root: Path) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise typer.BadParameter(f"{name} cannot be the name of a Python package")
    if bad := [tag for tag in programs if not _TAG.fullmatch(tag) or not tag.isprintable() or '"' in tag]:
        raise typer.BadParameter(f"{bad[0]} cannot be a syslog tag", param_hint="--program")
    if not (root / "streams").is_dir():
        raise typer.BadParameter(f"{root} has no folder streams", param_hint="--root")
    for taken in (root / "streams" / name, root / "streams" / f"{name}.py", _test_path(name, root)):
        if taken.exists():
            raise typer.BadParameter(f"{taken} is there already")


def _test_path(name: str, root: Path) -> Path:
    return root / "tests" / "streams" / f"test_{name}.py"


def write(name: str, programs: tuple[str, ...], root: Path) -> list[Path]:
    """Write the files, and return their paths. Where there are no tests (an installed package), none is written."""
    folder = root / "streams" / name
    listed = ", ".join(f'"{tag}"' for tag in programs) + ("," if len(programs) == 1 else "")
    values = {"name": name, "programs": listed, "program": programs[0]}
    texts = {
        folder / "__init__.py": _PACKAGE.substitute(values),
        folder / "parser.py": _PARSER.substitute(values),
        folder / "samples" / "logins.log": _log(programs[0], _logins()),
        folder / "samples" / "hostile-users.log": _log(programs[0], [_HOSTILE]),
    }
    if (test := _test_path(name, root)).parent.is_dir():
        texts[test] = _TEST.substitute(values)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [*texts, *_expect(name, root)]


def _logins() -> list[str]:
    verdicts = ("accepted", "refused")
    return [
        f"{verdict} for {user} from 192.0.2.{at + 1} port {40000 + at}"
        for at, user in enumerate(_USERS)
        for verdict in verdicts
    ]


def _log(program: str, messages: list[str]) -> str:
    lines = (f"<38>Nov 24 04:05:{at:02d} host1 {program}[4711]: {message}" for at, message in enumerate(messages))
    return "".join(line + "\n" for line in lines)


def _expect(name: str, root: Path) -> list[Path]:
    """Write the events of the samples beside them, as `python -m streams.samples` does."""
    from importlib.util import module_from_spec, spec_from_file_location

    from streams import samples
    from streams.base import MemoryState
    from streams.dispatch import Dispatcher

    spec = spec_from_file_location(f"streams.{name}.parser", root / "streams" / name / "parser.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    dispatcher = Dispatcher(known=[module.STREAM])
    logs = sorted((root / "streams" / name / "samples").glob("*.log"))
    for log in logs:
        events = (dispatcher.parse(line, samples.RECEIVED, MemoryState()) for line in samples.lines(log))
        samples.expected_path(log).write_text("".join(samples.render(event) + "\n" for event in events))
    return [samples.expected_path(log) for log in logs]
