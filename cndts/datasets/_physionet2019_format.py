"""The names of PhysioNet 2019 as published, and the units."""

from __future__ import annotations

TIME, LABEL = "ICULOS", "SepsisLabel"
# the set stops after two weeks (336 h); a year leaves room for longer stays in the same format, not for damage
LONGEST_STAY = 366 * 24.0
STATICS = ("Age", "Gender", "Unit1", "Unit2", "HospAdmTime")

# three are not the published ones, which the numbers of half the patients contradict: FiO2 (%), Lactate (mg/dL) and
# Magnesium (mmol/dL) with medians of 0.4, 2.0 and 2.0
UNITS = {
    "HR": "1/min",
    "O2Sat": "%",
    "Temp": "°C",
    "SBP": "mmHg",
    "MAP": "mmHg",
    "DBP": "mmHg",
    "Resp": "1/min",
    "EtCO2": "mmHg",
    "BaseExcess": "mmol/L",
    "HCO3": "mmol/L",
    "FiO2": "fraction",
    "pH": "pH",
    "PaCO2": "mmHg",
    "SaO2": "%",
    "AST": "IU/L",
    "BUN": "mg/dL",
    "Alkalinephos": "IU/L",
    "Calcium": "mg/dL",
    "Chloride": "mmol/L",
    "Creatinine": "mg/dL",
    "Bilirubin_direct": "mg/dL",
    "Glucose": "mg/dL",
    "Lactate": "mmol/L",
    "Magnesium": "mg/dL",
    "Phosphate": "mg/dL",
    "Potassium": "mmol/L",
    "Bilirubin_total": "mg/dL",
    "TroponinI": "ng/mL",
    "Hct": "%",
    "Hgb": "g/dL",
    "PTT": "s",
    "WBC": "10^3/µL",
    "Fibrinogen": "mg/dL",
    "Platelets": "10^3/µL",
}
CHANNELS = tuple(UNITS)
