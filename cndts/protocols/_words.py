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
        "Source: Rubanova et al., Latent ODEs for Irregularly-Sampled Time Series, NeurIPS 2019, and its published code.",
        "",
        "Data: PhysioNet/CinC Challenge 2012, sets a and b in this order (8,000 stays). 41 variables: Age, Gender, Height, ICUType",
        "and Weight as recorded at admission, where -1 stands for unknown and counts as a value of Gender, Height and Weight, and 36",
        "measurements. Times are rounded to multiples of 0.016 h, which is less than a minute. Several values of a",
        "variable at one time are averaged.",
        "Split: shuffled 80/20 with random state 42. The source has no validation part; here it is a fifth of the first part,",
        "shuffled with random state 11, as in the classification task of mTAN: 64/16/20.",
        "Scale: (x - min) / max of each variable, not divided by the range, over all records, test included; a maximum of zero counts as",
        "1. Times are left in hours (the source divides by the largest of a batch).",
    ]
)
LATENT_ODE_SCORE = _INDENT.join(
    [
        "Score: mean squared error of each variable of each stay, 0 where it has no value, then the mean over all stays and all 41",
        "variables. Papers print it times 1e3. mse_by_value is the mean over all values.",
    ]
)
LATENT_ODE_TRAPS = _INDENT.join(
    [
        "- Absent values count as errors of 0, so that the published mean is far below the error of any value that was measured.",
        "- The published scale uses the test records. It changes the unit of the errors, variable by variable, and nothing else.",
        "- The source reports the test error of the epoch that it stops at, without a validation part.",
    ]
)
