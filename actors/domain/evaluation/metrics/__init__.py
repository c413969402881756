"""Run metrics, one family per file.

Conventions: simple returns per bar, 365 days of 24 hours a year and never another default, a rate of 0; standard
deviations with ddof 1, skewness and kurtosis (normal = 3) of the population; losses positive; undefined is None. The
usual libraries agree, asked for 365 periods, except for these; each row is a test in
``tests/reference/actors/domain/evaluation/test_peers.py``.

===================  =================================  ==================================  ==========================
figure               here                               empyrical-reloaded 0.7.1            quantstats 0.0.86
===================  =================================  ==================================  ==========================
VaR                  type 7 quantile of the sample      the same                            quantile of a normal law
ES                   mean of exactly the worst share a  mean of the worst ⌊(n−1)a⌋+1:       ES of a normal law
                     of the sample, the last for a      mostly more than a share a, so
                     part (Acerbi & Tasche 2002)        smaller
ulcer index          √(Σdd²/n)                          none                                √(Σdd²/(n−1))
win rate of bars     share of r > 0 in all n            none                                share of r > 0 in r ≠ 0
skewness, kurtosis   population; normal is 3            none                                corrected for size; excess
alpha                (mean r − β·mean b)·P              compounded over P                   the same
information ratio    annual                             none                                per bar
probabilistic        population moments                 none                                corrected moments, so
Sharpe ratio                                                                                about 1e-6 off
===================  =================================  ==================================  ==========================
"""
