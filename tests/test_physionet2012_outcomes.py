"""The outcomes files of PhysioNet 2012."""

import pytest

from cndts.datasets import read_physionet2012

OUTCOMES = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death\n"


def records(tmp_path, *ids):
    folder = tmp_path / "set"
    folder.mkdir()
    for each in ids:
        (folder / f"{each}.txt").write_text(f"Time,Parameter,Value\n00:00,RecordID,{each}\n00:07,HR,73\n")
    return folder


def read(path, *args):
    return read_physionet2012(path, *args, cache=False, return_report=True)


def test_outcomes(tmp_path):
    """-1 is unknown in the scores and the length of stay, and 'survived' in Survival."""
    folder = records(tmp_path, 1, 2, 3)
    path = tmp_path / "Outcomes-a.txt"
    path.write_text((OUTCOMES + "2,-1,-1,-1,-1,0\n1,6,1,5,575,1\n9,1,1,1,1,1\n1,0,0,0,0,0\n").replace("\n", "\r\n"))
    panel, report = read(folder, path)

    assert panel.outcomes.loc[1].tolist() == [6, 1, 5, 575, 1]
    assert panel.outcomes.loc[2].isna().tolist() == [True, True, True, False, False]
    assert panel.outcomes.loc[2, "Survival"] == -1
    assert panel.outcomes.loc[3].isna().all()
    assert (report.records_without_outcome, report.unused_outcomes, report.repeated_outcomes) == (1, 1, 1)
    assert read(folder)[0].outcomes.shape == (3, 0)


def test_outcomes_of_several_sets(tmp_path):
    folder = records(tmp_path, 1, 2)
    paths = [tmp_path / "b.txt", tmp_path / "a.txt"]
    for path, row in zip(paths, ("2,1,2,3,4,0\n", "1,5,6,7,8,x\n"), strict=True):
        path.write_text(OUTCOMES + row)
    panel, report = read(folder, paths)

    assert panel.outcomes["SAPS-I"].tolist() == [5, 1]
    assert report.malformed_outcomes == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "cannot be read as an outcomes file"),
        (b"\xff\xfe\x00", "cannot be read as an outcomes file"),
        (b"\n \n", "cannot be read as an outcomes file .it is empty"),
        (
            b"RecordID,SAPS-I,SOFA\n1,2,3,4\n2,3,4\n",
            "an outcomes file .line 2: 4 cells in place of the 3 of the header",
        ),
        (b"RecordID,SAPS-I\n\n1,2\n2,3,4\n", "an outcomes file .line 4: 3 cells in place of the 2"),
        (b"RecordID,SAPS-I,SOFA\n1,2,3\n2,3\n", "an outcomes file .line 3: 2 cells in place of the 3"),
        (b'RecordID,SAPS-I\n1,"2\n2,3\n3,4"\n', "line 2: a quoted cell runs over several lines"),
        (b'RecordID,SAPS-I\r1,5\r1,"2\r2,3\r3,4"\r', "line 3: a quoted cell runs over several lines"),
        (b'RecordID,SAPS-I\n1,2\n2,"3\n3,4\n', "line 3: unexpected end of data"),
        (b'RecordID,SAPS-I\n1,2\n2,"3"4\n', "line 3: ',' expected after '\"'"),
        (b"a,b\n1,2\n", "no outcomes file of PhysioNet 2012: wanted the columns RecordID .* got 'a', 'b'"),
        (b"RecordID,x\n1,2\n", "no outcomes file"),
    ],
)
def test_other_files_are_no_outcomes(tmp_path, content, text):
    folder = records(tmp_path, 1)
    (tmp_path / "o.txt").write_bytes(content)

    with pytest.raises(ValueError, match=text):
        read(folder, tmp_path / "o.txt")
