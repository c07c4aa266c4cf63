"""Sentences that several descriptions share, so that they say the same."""

# indented as the descriptions are where they are written
_INDENT = "\n" + " " * 12

SPORADIC_DATA = _INDENT.join(
    [
        "U.S. Historical Climatology Network, daily, as prepared by De Brouwer et al., GRU-ODE-Bayes, NeurIPS 2019",
        "(small_chunked_sporadic.csv): stations active before 1970 and after 2001, years 1950 to 2000, one value in twenty of each",
        "station and element drawn at random, each of the five elements (snowfall, snow depth, precipitation, highest and lowest",
        "temperature) z-scored over all that were drawn, time as 2500 times the share of the days rounded to a tenth, the last",
        "four years (0 to 200), stations with more than three rows after 150; 1,114 stations. Daily weather is prepared by the same steps.",
    ]
)
SPORADIC_TRAPS = _INDENT.join(
    [
        "- The z-scores use all stations, test included, as published. That changes the unit of the errors and nothing else. The",
        "  prepared table is scaled already; from there on test stations touch nothing.",
        '- An extract of a few years (stations="all") is z-scored over these years alone, and its stations are others.',
    ]
)
HOURLY_DATA = _INDENT.join(
    [
        "PhysioNet/CinC Challenge 2012, sets a, b and c in this order. 37 measurements, Weight as measured after admission",
        "included; descriptors at admission are not used. Hourly means, as in the TSDM library.",
    ]
)
HOURLY_TRAPS = _INDENT.join(
    [
        "- The binning of the source leaves out the first value that opens a new hour, never emits the last hour of a stay, and",
        '  counts hours as rows that lost their only value; binning="source" does so too, binning="complete" does none of it. Which of',
        "  several values of a minute comes first is the order of the file there, that of the channels here.",
        "- Z-scores use all stays, test included, and so does the removal of values beyond 5 deviations: it removes test targets as well.",
        "- MechVent is always 1, has no deviation and drops out: 36 variables.",
    ]
)
LATENT_ODE_DATA = _INDENT.join(
    [
        "Source: Rubanova et al., Latent ODEs for Irregularly-Sampled Time Series, NeurIPS 2019, and its published code,",
        "https://github.com/YuliaRubanova/latent_ode; for the validation part mTAN, https://github.com/reml-lab/mTAN.",
        "",
        "Data: PhysioNet/CinC Challenge 2012, sets a and b in this order (8,000 stays). 41 variables: Age, Gender, Height, ICUType",
        "and Weight as recorded at admission, where -1 stands for unknown and counts as a value of Gender, Height and Weight, and 36",
        "measurements. Times are rounded to multiples of 0.016 h, which is less than a minute. Several values of a",
        "variable at one time are averaged. (latent_ode: physionet.py)",
        "Split: shuffled 80/20 with random state 42. The source has no validation part; here it is a fifth of the first part,",
        "shuffled with random state 11, as in the classification task of mTAN: 64/16/20. (latent_ode: lib/parse_datasets.py;",
        "mTAN: src/utils.py)",
        "Scale: (x - min) / max of each variable, not divided by the range, over all records, test included; a maximum of zero counts as",
        "1. Times are left in hours (the source divides by the largest of a batch). (latent_ode: physionet.py, lib/utils.py)",
    ]
)
LATENT_ODE_SCORE = _INDENT.join(
    [
        "Score: mean squared error of each variable of each stay, 0 where it has no value, then the mean over all stays and all 41",
        "variables. Papers print it times 1e3. mse_by_value is the mean over all values. (latent_ode: lib/likelihood_eval.py)",
        "Training in the source: Adamax, rate 0.01 falling to 0.001 by 0.999 a step, batches of 50, 100 passes, no stopping; variational",
        "bound with three samples, noise 0.01 and a weight of the divergence that rises from 0. (latent_ode: run_models.py, README.md)",
    ]
)
LATENT_ODE_TRAPS = _INDENT.join(
    [
        "- Absent values count as errors of 0, so that the published mean is far below the error of any value that was measured.",
        "- The published scale uses the test records. It changes the unit of the errors, variable by variable, and nothing else.",
        "- The source reports the test error of the epoch that it stops at, without a validation part.",
    ]
)
T_PATCHGNN_SOURCE = _INDENT.join(
    [
        "Source: Zhang et al., Irregular Multivariate Time Series Forecasting: A Transformable Patching Graph Neural",
        "Networks Approach, ICML 2024 (t-PatchGNN), and its published code, https://github.com/usail-hkust/t-PatchGNN",
    ]
)
GRAFITI_SOURCE = _INDENT.join(
    [
        "Yalavarthi et al., GraFITi: Graphs for Forecasting Irregularly Sampled Time Series, AAAI 2024, and its published",
        "code with the TSDM library in it, https://github.com/yalavarthivk/GraFITi",
    ]
)
PYOMNITS_SOURCE = _INDENT.join(
    [
        "Source: PyOmniTS, the unified benchmark of HyperIMTS (ICML 2025) and ReIMTS (ICLR 2026), version 2; its published code,",
        "https://github.com/Ladbaby/PyOmniTS",
    ]
)
SPORADIC_SOURCE = "https://github.com/edebrouwer/gru_ode_bayes"


def t_patchgnn_training(batch: int) -> str:
    """How t-PatchGNN trains, in batches of some size."""
    return _INDENT.join(
        [
            f"Training in the source: Adam, rate 1e-3, batches of {batch}, the macro MSE of a batch as loss, at most 1000 epochs; stops after 10",
            "without a better validation MSE; test error at the best. (t-PatchGNN: tPatchGNN/run_models.py, tPatchGNN/scripts/run_all.sh)",
        ]
    )


GRAFITI_TRAINING = _INDENT.join(
    [
        "Training in the source: AdamW, rate 1e-3 halved after 10 epochs without gain, weight decay 1e-3, batches of 128, 200 epochs,",
        "stops after 30 without gain on validation; about ten random settings. (GraFITi: train_grafiti.py, README.md; paper: hyperparameter search)",
    ]
)
PYOMNITS_TRAINING = _INDENT.join(
    [
        "Training in the source: Adam, MSE of a batch as loss, rate and batch set by model and data set, at most 300 epochs, stops after",
        "10 without gain; drops incomplete batches. (PyOmniTS: exp/exp_main.py, data/data_provider/data_factory.py, scripts/ASTGI/USHCN.sh)",
    ]
)
