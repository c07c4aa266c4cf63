"""``cndts datasets list | fetch | verify``: data sets that may be downloaded."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

datasets = typer.Typer(no_args_is_help=True, help="Download public data sets, and check what was downloaded.")

_Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
_Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="The files of the set NAME lie in FOLDER/NAME, in place of the cache (CNDTS_CACHE)."),
]
_MEANINGS = {
    "pinned": "has the checksum that this package names",
    "contents": "known members have the checksum that this package names; the whole is what was downloaded first",
    "recorded": "is what was downloaded first; no checksum is known",
    "unknown": "no checksum is known",
    "misnamed": "holds the known members, but is packed otherwise than its name says",
    "differs": "is another file than was meant",
    "absent": "not there",
}


@datasets.command("list")
def list_sets(json: _Json = False) -> None:
    """Names, licences, files, and which of them are there."""
    from cndts.datasets._fetch_files import download_folder
    from cndts.datasets._remote import DATA_SETS

    about = [
        {
            "name": each.name,
            "title": each.title,
            "reader": each.reader,
            "licence": each.licence,
            "page": each.page,
            "note": each.note,
            "folder": str(download_folder(each.name)),
            "files": [
                {
                    "name": file.name,
                    "url": file.address(each.name),
                    "sha256": file.sha256,
                    "md5": file.md5,
                    "source": file.source,
                    "there": (download_folder(each.name) / file.name).is_file(),
                }
                for file in each.files
            ],
        }
        for each in DATA_SETS.values()
    ]
    if json:
        typer.echo(json_format.dumps(about, indent=1))
        return
    for each in DATA_SETS.values():
        there = sum((download_folder(each.name) / file.name).is_file() for file in each.files)
        typer.echo(f"{each.name:<15} {there} of {len(each.files)} files here  {each.title} ({each.licence})")
        if each.note:
            typer.echo(f"{'':<15} {each.note}")


@datasets.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="Names from `cndts datasets list`.")],
    folder: _Folder = None,
    retries: Annotated[int, typer.Option(min=0, help="Further attempts when the connection breaks.")] = 5,
    json: _Json = False,
) -> None:
    """Download data sets into the cache or a folder, resuming what was interrupted, and verify them."""
    from cndts.datasets._fetch_files import data_set, fetch_files, folder_below

    for name in names:
        data_set(name)  # a wrong name is better told before hours of downloads
    fetched = {}
    for name in names:
        wanted = data_set(name)
        typer.echo(f"{name}: {wanted.licence}, {wanted.page}", err=True)
        files = fetch_files(name, folder=folder_below(name, folder), retries=retries)
        fetched[name] = [str(path) for path in files]
    if json:
        typer.echo(json_format.dumps(fetched, indent=1))
        return
    for paths in fetched.values():
        for path in paths:
            typer.echo(path)


@datasets.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names; all by default.")] = None,
    folder: _Folder = None,
    json: _Json = False,
) -> None:
    """Compare downloaded files with the checksums that are known.

    Exit code 1 if a file differs or is misnamed, or if a file of a set that you name is absent; sets that you do not name may be absent.
    """
    from cndts.datasets._fetch_files import data_set, folder_below
    from cndts.datasets._remote import DATA_SETS
    from cndts.datasets._verify import verdict

    if folder is not None and not folder.expanduser().is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}; name the one that `fetch --folder` was given.")
    sets = [data_set(name) for name in names or list(DATA_SETS)]
    verdicts = {
        each.name: {file.name: verdict(folder_below(each.name, folder) / file.name, file) for file in each.files}
        for each in sets
    }
    if json:
        typer.echo(json_format.dumps(verdicts, indent=1))
    else:
        _show(verdicts)
    failures = {"differs", "misnamed", "absent"} if names else {"differs", "misnamed"}
    wrong = [name for name, files in verdicts.items() if failures & set(files.values())]
    for name in wrong:
        typer.echo(f"{name}: not as it should be in {folder_below(name, folder)}", err=True)
    if wrong:
        raise typer.Exit(1)


def _show(verdicts: Mapping[str, Mapping[str, str]]) -> None:
    for name, files in verdicts.items():
        for file, found in files.items():
            typer.echo(f"{name:<15} {file:<42} {found:<9} {_MEANINGS[found]}")
