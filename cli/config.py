"""Shows and checks the settings in force."""

from dataclasses import asdict
from typing import Annotated

import typer

PANEL = "Look"

app = typer.Typer(help="Show and check the settings in force.", no_args_is_help=True)


@app.command()
def show(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have their default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the settings that are set, and where each comes from: the environment, the file, or the default.

    Secrets are hidden. The environment goes before the file, the file before the default.

    Example: ogrewatch --config ogrewatch.toml config show --all
    """
    import orjson

    from operations.printable import printable
    from operations.settings_report import DEFAULT, settings_in_force

    found = [setting for setting in settings_in_force() if everything or setting.origin != DEFAULT]
    if as_json:
        typer.echo(orjson.dumps([asdict(setting) for setting in found], option=orjson.OPT_INDENT_2))
        return
    width = max((len(setting.variable) for setting in found), default=0)
    for setting in found:
        typer.echo(printable(f"{setting.variable:{width}}  {setting.origin:11}  {setting.value}"))
    if not found:
        typer.echo("Every setting has its default.")


@app.command()
def check(
    roles: Annotated[list[str] | None, typer.Argument(help="Roles that are to run with them; none named: all.")] = None,
) -> None:
    """Check the settings without asking any server. The exit code is 2 when one is invalid.

    Example: ogrewatch config check web
    """
    from cli.run import ROLES, require_settings
    from operations.settings_report import complaints, settings_in_force

    wanted = roles or list(ROLES)
    if unknown := set(wanted) - set(ROLES):
        raise typer.BadParameter(f"no such role: {', '.join(sorted(unknown))}")
    found = settings_in_force()
    require_settings(wanted)
    wrong = list(complaints())
    for complaint in wrong:
        typer.echo(complaint, err=True)
    if wrong:
        raise typer.Exit(2)
    numbers = {origin: sum(setting.origin == origin for setting in found) for origin in ("environment", "file")}
    typer.echo(f"All settings are valid: {numbers['environment']} of the environment, {numbers['file']} of a file.")
