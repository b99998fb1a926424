"""Checks, tests and lists the rules of a folder, or the packaged ones."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from agents.settings import Settings
from alerts.rules.errors import RuleError
from operations.printable import printable
from operations.process import who
from topics.documents.ecs import iso
from topics.errors import KafkaUnavailable

if TYPE_CHECKING:
    from alerts.rules.load import RuleSet
    from operations.rules.explain import Explanation

PANEL = "Develop"
_MOST = 64 << 20  # bytes of a file with lines
_SOURCES = 10  # log sources that are named when rules are imported

app = typer.Typer(
    help="Check, test, explain and apply the rules that say which events are alerts.", no_args_is_help=True
)
add = typer.Typer(help="Import rules of others.", no_args_is_help=True)
app.add_typer(add, name="add")

_Folder = Annotated[
    Path | None,
    typer.Argument(
        help="Folder with rule files; the packaged rules when absent.",
        exists=True,
        file_okay=False,
        readable=True,
        show_default=False,
    ),
]


@app.command()
def check(folder: _Folder = None) -> None:
    """Say which rules cannot be used, and why. The exit code is 1 when there is one.

    Example: ogrewatch rules check /etc/ogrewatch/rules
    """
    from operations.rules.check import problems

    rules = _loaded(folder)
    found = problems(rules)
    for one in found:
        print(printable(f"{one.where}: {one.reason}"))
    print(f"{len(rules)} rules can be loaded, {len(found)} problems.")
    if found or not len(rules):
        raise typer.Exit(1)


@app.command("test")
def run(folder: _Folder = None) -> None:
    """Run the tests that rules bring along. The exit code is 1 when one fails, or when a rule is refused.

    Example: ogrewatch rules test /etc/ogrewatch/rules
    """
    from operations.rules.check import run_tests

    rules, failed = _loaded(folder), 0
    for one in run_tests(rules, Settings()):
        failed += bool(one.reason)
        print(printable(f"{'FAILED' if one.reason else 'passed'}  {one.rule} {one.number}  {one.reason}".rstrip()))
    for error in rules.refused:
        print(printable(f"refused  {error}"))
    print(f"{len(rules.examples) - failed} tests passed, {failed} failed, {len(rules.refused)} rules refused.")
    if failed or rules.refused or not len(rules):
        raise typer.Exit(1)


@app.command("list")
def list_rules(folder: _Folder = None) -> None:
    """List level, name, kind (event, or the type of a correlation) and title of every rule.

    Example: ogrewatch rules list
    """
    from operations.rules.check import listed

    rules = listed(_loaded(folder))
    names = max((len(one.name) for one in rules), default=0)
    kinds = max((len(one.kind) for one in rules), default=0)
    for one in rules:
        print(printable(f"{one.level:13}  {one.name:{names}}  {one.kind:{kinds}}  {one.title}"))


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="Name, title or id of a rule.")],
    lines: Annotated[list[str] | None, typer.Argument(metavar="[LINE]...", help="Raw lines, in their order.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder with rule files.", exists=True, file_okay=False)] = None,
    file: Annotated[typer.FileBinaryRead | None, typer.Option(help="File with raw lines; - is the input.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a rule asks; of each line, which test failed; and of a correlation, how full its windows are.

    Example: ogrewatch rules explain ssh_guessing '<38>Oct  1 10:00:00 web1 sshd[7]: Invalid user x from 192.0.2.7'
    """
    from operations.rules.explain import explain as explained
    from operations.rules.explain import find

    rules = _loaded(folder)
    given = [line.encode("utf-8", "surrogateescape") for line in lines or ()]
    given += [line for line in (file.read(_MOST).split(b"\n") if file is not None else ()) if line]
    try:
        found = explained(rules, find(rules, rule), given, time.time_ns() // 1000, Settings())
    except RuleError as error:
        raise typer.BadParameter(f"{error}", param_hint="RULE") from None
    print(printable(orjson.dumps(found).decode()) if as_json else "\n".join(_told(found)))


def _told(found: "Explanation") -> Iterator[str]:
    from operations.rules.explain import tree

    yield from (printable(f"{text}") for text in (f"{found.name}: {found.kind}", *found.about))
    for one in found.judged:
        yield "\n" + printable(one.line)
        yield printable(f"{one.rule} {'matches' if one.holds else 'does not match'}")
        yield from (printable(f"  because {why}") for why in one.why)
        yield from (printable(f"    {text}") for text in tree(one.steps))
    for group in found.groups:
        named = ", ".join(f"{name} {value}" for name, value in group.group.items()) or "(all)"
        opened = f", alert {group.alert}" if group.alert else ", no alert"
        yield "\n" + printable(
            f"window of {named}: {group.found:g} of {group.wanted}, {group.begin} to {group.end}{opened}"
        )


@add.command("sigma")
def add_sigma(
    folder: Annotated[
        Path, typer.Argument(help="A release of SigmaHQ that you have fetched.", exists=True, file_okay=False)
    ],
    to: Annotated[Path, typer.Option(help="Where its rules are written, in a folder `sigma`.", file_okay=False)] = Path(
        "rules"
    ),
    release: Annotated[str, typer.Option(help="Tag or commit of the release, for the links of its rules.")] = "master",
    everything: Annotated[bool, typer.Option("--all", help="Name rules of other log sources one by one, too.")] = False,
) -> None:
    """Import the rules of SigmaHQ that can be used here. `ogrewatch rules apply` puts them into force.

    They are under the Detection Rule License 1.1: author, link and licence stay on each rule, and are in every alert.

    Example: ogrewatch rules add sigma ~/sigma --release r2026-08-01 --to rules
    """
    from operations.rules.sigma import imported

    found = imported(folder, release)
    for name, text in found.files.items():
        path = to / "sigma" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, reason in found.refused:
        print(printable(f"refused  {name}: {reason}"))
    for source, number in found.others.most_common(None if everything else _SOURCES):
        print(printable(f"no stream is log source {source}: {number:,} rules"))
    counts = f"{len(found.refused):,} refused, {sum(found.others.values()):,} for other log sources"
    print(f"{found.rules:,} rules imported to {to / 'sigma'}, {counts}.")
    if not found.rules:
        raise typer.Exit(1)


@app.command()
def apply(
    folder: _Folder = None,
    pack: Annotated[bool, typer.Option(help="Judge by the packaged rules, too.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Put the rules of a folder into force for all workers, which follow within a second or two.

    Nothing is applied while a rule of the folder cannot be used. Without FOLDER the packaged rules are in force.

    Example: ogrewatch rules apply /etc/ogrewatch/rules
    """
    from operations.rules.apply import apply as applied

    with _kafka(settings := Settings()):
        found = applied(settings, folder, pack, who(), dry_run)
    for problem in found.wrong:
        print(printable(f"{problem.where}: {problem.reason}"))
    for what, name in found.changes:
        print(printable(f"{what:9} {name}{' (it counts anew)' if what == 'changed' else ''}"))
    if found.wrong:
        print(f"{len(found.wrong)} problems: nothing was applied.")
        raise typer.Exit(1)
    would = "would be" if dry_run else "are"
    print(f"{found.number} rules {would} in force, version {found.version}, {len(found.changes)} changes.")


@app.command()
def silence(
    rule: Annotated[str, typer.Argument(help="Name, title or id of a rule in force.")],
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 24h, 7d.")],
    reason: Annotated[str, typer.Option(help="Why its alerts are expected.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="FIELD=VALUE", help="Only for these groups.")
    ] = None,
) -> None:
    """Say that alerts of a rule are expected for a while: they are stored, and marked as silenced.

    Example: ogrewatch rules silence ssh_guessing --for 24h --reason 'penetration test' --only source.ip=192.0.2.7
    """
    from operations.rules.apply import silence as silenced

    group = dict(one.partition("=")[::2] for one in only or ())
    if not all(name and value for name, value in group.items()):
        raise typer.BadParameter("write FIELD=VALUE, such as source.ip=192.0.2.7", param_hint="--only")
    with _kafka(settings := Settings()):
        made = silenced(settings, rule, group, _seconds(span), reason, who())
    print(f"{made.id}  silenced until {iso(made.until * 1000)[:19]}Z; `ogrewatch rules unsilence {made.id}` ends it.")


@app.command()
def silences() -> None:
    """List the silences that are not over.

    Example: ogrewatch rules silences
    """
    from operations.rules.apply import in_force

    with _kafka(settings := Settings()):
        found = in_force(settings).silences.values()
    for one in sorted(found, key=lambda one: one.until):
        if one.until > time.time() * 1000:
            group = ", ".join(f"{name}={value}" for name, value in one.group.items()) or "all groups"
            print(
                printable(f"{one.id}  until {iso(one.until * 1000)[:19]}Z  {one.rule}  {group}  {one.by}: {one.reason}")
            )


@app.command()
def unsilence(identity: Annotated[str, typer.Argument(metavar="ID", help="Id of a silence.")]) -> None:
    """End a silence.

    Example: ogrewatch rules unsilence 0123456789ab
    """
    from operations.rules.apply import end_silence

    with _kafka(settings := Settings()):
        end_silence(settings, identity)


def _seconds(text: str) -> float:
    from datetime import timedelta

    units = {"m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and len(number) < 5 and unit in units and int(number)):
        raise typer.BadParameter(f"{text!r} is no length of time such as 30m, 24h or 7d", param_hint="--for")
    return timedelta(**{units[unit]: int(number)}).total_seconds()


@contextmanager
def _kafka(settings: Settings) -> Iterator[None]:
    """End with a sentence when a rule cannot be used, or Kafka does not answer."""
    from confluent_kafka import KafkaException

    from topics.records.rules import InvalidRules

    try:
        yield
    except (RuleError, InvalidRules) as error:
        typer.echo(printable(f"{error}"), err=True)
        raise typer.Exit(1) from None
    except KafkaException as error:
        raise KafkaUnavailable(f"Kafka at {settings.kafka} does not answer: {error.args[0].str()}.") from None


def _loaded(folder: Path | None) -> "RuleSet":
    from alerts.rules.load import PACK, load_folder

    try:
        return load_folder(folder or PACK)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="FOLDER") from None
