"""Gives Kibana our data views, dashboards and saved searches; see `docs/kibana.md`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from operations.printable import printable

PANEL = "Run"

app = typer.Typer(help="Give Kibana our dashboards, data views and searches.", no_args_is_help=True)


@app.command()
def export(file: Annotated[Path, typer.Argument(help="Where to write; - is standard output.")]) -> None:
    """Write the saved objects as a file that Kibana imports (Stack Management, Saved Objects, Import).

    Example: ogrewatch kibana export ogrewatch.ndjson
    """
    from sinks.elasticsearch.kibana.export import lines, objects

    if str(file) == "-":
        sys.stdout.buffer.write(lines())
        return
    try:
        file.write_bytes(lines())
    except OSError as error:
        typer.echo(printable(f"{file} cannot be written: {error.strerror}."), err=True)
        raise typer.Exit(1) from None
    print(printable(f"{file} has {len(objects())} objects."))


@app.command()
def install(
    url: Annotated[str, typer.Argument(help="Kibana's address, with its base path and space: http://host:5601/s/soc")],
    ca: Annotated[Path | None, typer.Option(help="Who signs Kibana's certificate, PEM.", show_default=False)] = None,
) -> None:
    """Import the saved objects into a Kibana, replacing those of an earlier version.

    We log in as to Elasticsearch (OGREWATCH_ELASTICSEARCH_API_KEY, or _USER and _PASSWORD). The exit code is 1 when
    Kibana is away or does not take every object.

    Example: ogrewatch kibana install http://127.0.0.1:5601
    """
    from sinks.elasticsearch.kibana.install import KibanaError
    from sinks.elasticsearch.kibana.install import install as imported

    try:
        print(f"Kibana has {imported(url, ca)} objects of ours.")
    except KibanaError as error:
        typer.echo("\n".join(printable(line) for line in str(error).split("\n")), err=True)
        raise typer.Exit(1) from None
