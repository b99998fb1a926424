"""Makes, lists and revokes the tokens that senders of logs and readers of the page show."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import orjson
import typer

if TYPE_CHECKING:
    from ingest.tokens import TokenFile

PANEL = "Run"

app = typer.Typer(
    help="Make, list and revoke the tokens that senders of logs and readers of the page show.", no_args_is_help=True
)


class Role(StrEnum):
    """What a token is for."""

    SEND = "send"
    LOOK = "look"
    ACT = "act"


_FILE = typer.Option("--file", help="File of tokens; OGREWATCH_INGEST_TOKENS, else tokens.json in the data directory.")
_JSON = typer.Option("--json", help="Print JSON.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will show it; events bear this name.")],
    topics: Annotated[list[str] | None, typer.Option("--topic", help="A topic it may write; all when none.")] = None,
    file: Annotated[Path | None, _FILE] = None,
    role: Annotated[Role, typer.Option(help="Send logs; look at the page and the API; or act there, too.")] = Role.SEND,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Make a token and print it, once: only its hash is kept.

    Example: ogrewatch token create web-shipper --topic raw.syslog
    """
    from ingest.tokens import TokenError

    if topics and role is not Role.SEND:
        raise typer.BadParameter("--topic is for tokens to send with")
    allowed = _writable(topics) if role is Role.SEND else []
    try:
        token, secret = token_file(file).create(name, allowed, role.value)
    except TokenError as error:
        _fail(error)
    if as_json:
        made = {"id": token.id, "name": token.name, "role": token.role, "topics": token.topics, "token": secret}
        typer.echo(orjson.dumps(made))
    else:
        typer.echo(secret)


@app.command("list")
def list_(file: Annotated[Path | None, _FILE] = None, as_json: Annotated[bool, _JSON] = False) -> None:
    """Print the tokens there are, without their secrets.

    Example: ogrewatch token list --json
    """
    from ingest.tokens import TokenError

    try:
        tokens = token_file(file).tokens()
    except TokenError as error:
        _fail(error)
    if as_json:
        shown = [{"id": t.id, "name": t.name, "role": t.role, "topics": t.topics, "created": t.created} for t in tokens]
        typer.echo(orjson.dumps(shown))
        return
    for token in tokens:
        typer.echo(f"{token.id}  {token.created}  {token.name}  {token.role}  {','.join(token.topics)}".rstrip())


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Name or id of the token.")], file: Annotated[Path | None, _FILE] = None
) -> None:
    """Remove a token; running proxies refuse it from the next request on.

    Example: ogrewatch token revoke web-shipper
    """
    from ingest.tokens import TokenError

    try:
        token_file(file).revoke(name)
    except TokenError as error:
        _fail(error)


def token_file(path: Path | None) -> "TokenFile":
    """Open the file of tokens: the one named, else the one of the settings, else the one of the data directory."""
    from agents.settings import Settings
    from ingest.settings import IngestSettings
    from ingest.tokens import TokenFile

    return TokenFile(path or IngestSettings().tokens or Settings().data_dir / "tokens.json")


def _writable(topics: list[str] | None) -> list[str]:
    from topics.catalogue import CATALOGUE

    there = [topic.name for topic in CATALOGUE if topic.external]
    if unknown := set(topics or ()) - set(there):
        raise typer.BadParameter(
            f"no topic that senders may write: {', '.join(sorted(unknown))} (of {', '.join(there)})"
        )
    return topics or there


def _fail(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(1)
