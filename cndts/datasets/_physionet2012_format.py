"""The names and codes of PhysioNet 2012 as published, and the units."""

from __future__ import annotations

RECORD_ID = "RecordID"
STATICS = ("Age", "Gender", "Height", "ICUType")
MISSING = -1.0
LAST_MINUTE = 48 * 60
HEADER = b"time,parameter,value"

# the order in which t-PatchGNN and its followers number the channels
# as published, but for Mg (mmol/L), which the numbers of half the patients contradict: they lie in the normal range in mg/dL
UNITS = {
    "Weight": "kg",
    "Albumin": "g/dL",
    "ALP": "IU/L",
    "ALT": "IU/L",
    "AST": "IU/L",
    "Bilirubin": "mg/dL",
    "BUN": "mg/dL",
    "Cholesterol": "mg/dL",
    "Creatinine": "mg/dL",
    "DiasABP": "mmHg",
    "FiO2": "fraction",
    "GCS": "points",
    "Glucose": "mg/dL",
    "HCO3": "mmol/L",
    "HCT": "%",
    "HR": "1/min",
    "K": "mEq/L",
    "Lactate": "mmol/L",
    "Mg": "mg/dL",
    "MAP": "mmHg",
    "MechVent": "0/1",
    "Na": "mEq/L",
    "NIDiasABP": "mmHg",
    "NIMAP": "mmHg",
    "NISysABP": "mmHg",
    "PaCO2": "mmHg",
    "PaO2": "mmHg",
    "pH": "pH",
    "Platelets": "1/nL",
    "RespRate": "1/min",
    "SaO2": "%",
    "SysABP": "mmHg",
    "Temp": "°C",
    "TroponinI": "µg/L",
    "TroponinT": "µg/L",
    "Urine": "mL",
    "WBC": "1/nL",
}
CHANNELS = tuple(UNITS)

PARAMETERS = (*CHANNELS, RECORD_ID, *STATICS)
CODE = {name: code for code, name in enumerate(PARAMETERS)}
N_CHANNELS = len(CHANNELS)

STATIC_COLUMNS = (*STATICS, "Weight")
OUTCOME_COLUMNS = ("SAPS-I", "SOFA", "Length_of_stay", "Survival", "In-hospital_death")
# -1 in Survival says that the patient survived, everywhere else that the number is unknown
OUTCOMES_WITH_MISSING = ("SAPS-I", "SOFA", "Length_of_stay")
