"""Which files of which data sets may be downloaded, from where, and how they are recognised."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher offers it.

    Parameters
    ----------
    name : str
        Name in the cache.
    url : str
    sha256 : str, optional
        Checksum of the file. None where nobody could tell it, or where the publisher changes the file: then the
        checksum of the first download is recorded and later ones are compared with it.
    source : str
        Where the checksum is from.
    contents : (str, str), optional
        Pattern of member names and :func:`~cndts.datasets._verify.contents_digest` of these members, for archives whose
        members are known though their packing is not.
    """

    name: str
    url: str
    sha256: str | None = None
    source: str = ""
    contents: tuple[str, str] | None = None

    def address(self, data_set: str) -> str:
        """The URL, or that below the mirror which the environment variable ``CNDTS_MIRROR`` names."""
        mirror = os.environ.get("CNDTS_MIRROR")
        return f"{mirror.rstrip('/')}/{data_set}/{self.name}" if mirror else self.url


@dataclass(frozen=True)
class DataSet:
    """Files that belong together.

    Parameters
    ----------
    name : str
        Name on the command line, and the folder in the cache.
    title : str
    reader : str
        The function that reads it.
    licence, page : str
        The publisher's, to be accepted by who downloads.
    files : tuple of RemoteFile
        None for data that has to be got by hand.
    note : str
        What to know before downloading.
    """

    name: str
    title: str
    reader: str
    licence: str
    page: str
    files: tuple[RemoteFile, ...] = ()
    note: str = ""


_TSDM = "pinned by the TSDM library"
_CC_BY = "CC BY 4.0"
_UCI = "https://archive.ics.uci.edu"
_2012 = "https://physionet.org/files/challenge-2012/1.0.0"
_2019 = "https://archive.physionet.org/users/shared/challenge-2019"
_GHCN = "https://www.ncei.noaa.gov/pub/data/ghcn/daily"

DATA_SETS = {
    each.name: each
    for each in (
        DataSet(
            "physionet2012",
            "PhysioNet/CinC Challenge 2012: 12,000 ICU stays",
            "read_physionet2012",
            "ODC-By 1.0",
            "https://physionet.org/content/challenge-2012/1.0.0/",
            (
                RemoteFile(
                    "set-a.tar.gz",
                    f"{_2012}/set-a.tar.gz",
                    "8cb250f179cd0952b4b9ebcf8954b63d70383131670fac1cfee13deaa13ca920",
                    _TSDM,
                    ("*.txt", "9522c1a728116ed24ea0cf65a4237abe4dbcdf9c9f8d9fe9712e180fcf88bf8e"),
                ),
                RemoteFile(
                    "set-b.tar.gz",
                    f"{_2012}/set-b.tar.gz",
                    "b1637a2a423a8e76f8f087896cfc5fdf28f88519e1f4e874fbda69b2a64dac30",
                    _TSDM,
                ),
                RemoteFile(
                    "set-c.tar.gz",
                    f"{_2012}/set-c.tar.gz",
                    "a4a56b95bcee4d50a3874fe298bf2998f2ed0dd98a676579573dc10419329ee1",
                    _TSDM,
                ),
                RemoteFile(
                    "Outcomes-a.txt",
                    f"{_2012}/Outcomes-a.txt",
                    "2613ea60ccda29f87571a7d6b09ad130858a8ccd66325bd073365925026883c2",
                    "a copy on GitHub that agrees with the challenge's counts",
                ),
                RemoteFile("Outcomes-b.txt", f"{_2012}/Outcomes-b.txt"),
                RemoteFile("Outcomes-c.txt", f"{_2012}/Outcomes-c.txt"),
            ),
        ),
        DataSet(
            "physionet2019",
            "PhysioNet/CinC Challenge 2019: 40,336 ICU stays with sepsis labels",
            "read_physionet2019",
            _CC_BY,
            "https://physionet.org/content/challenge-2019/1.0.0/",
            (
                RemoteFile(
                    "training_setA.zip",
                    f"{_2019}/training_setA.zip",
                    "c0def317798312e4facc0f33ac0202b3a34f412052d9096e8b122b4d3ecb7935",
                    _TSDM,
                ),
                RemoteFile(
                    "training_setB.zip",
                    f"{_2019}/training_setB.zip",
                    "8a88d69a5f64bc9a87d869f527fcc2741c0712cb9a7cb1f5cdcb725336b4c8cc",
                    _TSDM,
                ),
            ),
        ),
        DataSet(
            "ushcn",
            "Daily weather of the U.S. Historical Climatology Network (GHCN-Daily)",
            "read_ghcn_daily",
            "public domain",
            "https://www.ncei.noaa.gov/products/land-based-station/global-historical-climatology-network-daily",
            (
                RemoteFile("ghcnd_hcn.tar.gz", f"{_GHCN}/ghcnd_hcn.tar.gz"),
                RemoteFile("ghcnd-stations.txt", f"{_GHCN}/ghcnd-stations.txt"),
            ),
            "the publisher renews the files every day: keep yours if you need the same numbers again",
        ),
        DataSet(
            "human-activity",
            "UCI Localization Data for Person Activity: 25 sequences of 4 tags",
            "read_human_activity",
            _CC_BY,
            f"{_UCI}/dataset/196/localization+data+for+person+activity",
            (
                RemoteFile(
                    "localization+data+for+person+activity.zip",
                    f"{_UCI}/static/public/196/localization+data+for+person+activity.zip",
                    "6660124b4d1fd98963c56a6804bbb0ca0c5ee12edc9b772c8a867148af20d0da",
                    "pinned by a public repository on GitHub",
                ),
            ),
        ),
        DataSet(
            "batteryless",
            "UCI activity recognition with a batteryless wearable sensor: rooms S1 and S2",
            "read_batteryless",
            _CC_BY,
            "https://doi.org/10.24432/C5GG6B",
            (
                RemoteFile(
                    "batteryless.zip",
                    f"{_UCI}/static/public/427/"
                    "activity+recognition+with+healthy+older+people+using+a+batteryless+wearable+sensor.zip",
                    contents=("d1p*", "3ac9fe961e3d3c8351c5d3595f1c6aa342a8c22324e45b0b4b589defce925a57"),
                ),
            ),
        ),
        DataSet(
            "beijing-air",
            "UCI Beijing Multi-Site Air Quality: 12 stations, 4 years, hourly",
            "read_beijing_air",
            _CC_BY,
            f"{_UCI}/dataset/501/beijing+multi+site+air+quality+data",
            (
                RemoteFile(
                    "beijing+multi+site+air+quality+data.zip",
                    f"{_UCI}/static/public/501/beijing+multi+site+air+quality+data.zip",
                    "b04da438b2f331ac0ffd45aebdfec0d20d2367feb5f6948c4b1f7ce1191e33c4",
                    f"{_TSDM}, and a second repository",
                ),
            ),
        ),
        DataSet(
            "air-quality",
            "UCI Air Quality: 13 channels at a road in Italy, hourly",
            "read_air_quality",
            _CC_BY,
            f"{_UCI}/dataset/360/air+quality",
            (
                RemoteFile(
                    "air+quality.zip",
                    f"{_UCI}/static/public/360/air+quality.zip",
                    "d4a64013fb385288a8a48d9d193ca7079b2e1bbddf6f8d458feb8c08ab2b8a2a",
                    "stated by a public repository on GitHub",
                ),
            ),
        ),
    )
}
