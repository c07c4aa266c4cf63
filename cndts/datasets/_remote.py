"""Which files of which data sets may be downloaded, from where, and how they are recognised."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cndts.datasets._tick_digests import TICK_DIGESTS


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
        members are known though their packing is not. The archive as a whole is recorded at the first download.
    md5 : str, optional
        For publishers that state this checksum alone; it tells damage, not malice.
    renewed : bool, default=False
        Whether the publisher changes the file, so that a file that was deleted and fetched again is another one.
    """

    name: str
    url: str
    sha256: str | None = None
    source: str = ""
    contents: tuple[str, str] | None = None
    md5: str | None = None
    renewed: bool = False

    @property
    def is_known(self) -> bool:
        """Whether a checksum of the file or of its members is known before any download."""
        return self.is_known_whole or self.contents is not None

    @property
    def is_known_whole(self) -> bool:
        """Whether a checksum of the file itself is known before any download."""
        return self.sha256 is not None or self.md5 is not None

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
        The function that reads it, of :mod:`cndts.datasets` or :mod:`cndts.protocols`.
    licence, page : str
        The publisher's, to be accepted by who downloads.
    files : tuple of RemoteFile
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
_MD5 = "MD5 of the publisher, as public repositories on GitHub quote it"
_CC_BY = "CC BY 4.0"
_UCI = "https://archive.ics.uci.edu"
_2012 = "https://physionet.org/files/challenge-2012/1.0.0"
_2019 = "https://archive.physionet.org/users/shared/challenge-2019"
_GHCN = "https://www.ncei.noaa.gov/pub/data/ghcn/daily"
_GITHUB = "https://raw.githubusercontent.com"
_LEAN = f"{_GITHUB}/QuantConnect/Lean/master/Data/forex/oanda/tick"
_ZENODO = "https://zenodo.org/records/2539456"

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
                RemoteFile("ghcnd_hcn.tar.gz", f"{_GHCN}/ghcnd_hcn.tar.gz", renewed=True),
                RemoteFile("ghcnd-stations.txt", f"{_GHCN}/ghcnd-stations.txt", renewed=True),
            ),
            "the publisher renews the files every day: keep yours if you need the same numbers again",
        ),
        DataSet(
            "ushcn-legacy",
            "Daily weather of the U.S. Historical Climatology Network, state files up to 2014",
            "read_ushcn_legacy",
            "public domain",
            "https://data.ess-dive.lbl.gov/view/doi:10.3334/CDIAC/CLI.NDP019",
            (
                RemoteFile(
                    "ushcn_daily.tar.gz",
                    "https://data.ess-dive.lbl.gov/catalog/d1/mn/v2/object/ess-dive-7b1e0d7f2fc3c43-20180727T175547656",
                    "a03598657a3b72c20f8ffa323d7265435243d7988b02d2dbbaab746c2ccae25f",
                    _TSDM,
                ),
            ),
            "unpacks to about 2 GB of state files",
        ),
        DataSet(
            "ushcn-sporadic",
            "USHCN as prepared by GRU-ODE-Bayes: the table of the benchmarks",
            "read_sporadic_csv",
            "MIT; the data are in the public domain",
            "https://github.com/edebrouwer/gru_ode_bayes",
            (
                RemoteFile(
                    "small_chunked_sporadic.csv",
                    f"{_GITHUB}/edebrouwer/gru_ode_bayes/master/gru_ode_bayes/datasets/Climate/"
                    "small_chunked_sporadic.csv",
                    "671eb8d121522e98891c84197742a6c9e9bb5015e42b328a93ebdf2cfd393ecf",
                    _TSDM,
                ),
            ),
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
                    ("PRSA_Data_*.csv", "4088e2c272b123ddfac07e30fd1c62c403c874ea76e1ab7774d027f2444193e8"),
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
                    ("AirQualityUCI.csv", "47a1071fdfbeec4982cbe8b91ded005e0d4bc5cc7429fda64f9c2af6730dc660"),
                ),
            ),
        ),
        DataSet(
            "oanda-ticks",
            "OANDA's quotes of EURUSD and NZDUSD, 1 to 15 May 2014, from the LEAN project",
            "read_ticks",
            "Apache 2.0; OANDA's own terms are not stated",
            "https://github.com/QuantConnect/Lean",
            tuple(
                RemoteFile(
                    f"{day}_{pair}_quote.zip",
                    f"{_LEAN}/{pair}/{day}_quote.zip",
                    contents=(f"{day}_{pair}_tick_quote.csv", digest),
                )
                for pair, days in TICK_DIGESTS.items()
                for day, digest in days.items()
            ),
        ),
        DataSet(
            "plasticc",
            "PLAsTiCC: light curves of 7,848 simulated objects, the training set",
            "read_light_curves",
            _CC_BY,
            "https://doi.org/10.5281/zenodo.2539456",
            (
                RemoteFile(
                    "plasticc_train_lightcurves.csv.gz",
                    f"{_ZENODO}/files/plasticc_train_lightcurves.csv.gz",
                    source=_MD5,
                    md5="1aa1605908b5a6398bd46bf9120b6400",
                ),
                RemoteFile(
                    "plasticc_train_metadata.csv.gz",
                    f"{_ZENODO}/files/plasticc_train_metadata.csv.gz",
                    source=_MD5,
                    md5="8c6b00fd503d6cf3d9a42bfb53046e0f",
                ),
            ),
        ),
    )
}
