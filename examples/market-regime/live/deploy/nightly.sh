#!/bin/sh
# Every night: the report, the run, and whether what is kept can be read.
set -eu
cd "$(dirname "$0")/.."

python3 -m backtester_v2.market_regime.command data/prices.csv > report.txt
python3 run.py --out results
python3 - <<'CODE'
from backtester_v2.market_regime.snapshot_store import load, save
from backtester_v2.market_regime.regimes import REGIMES

save("regimes.kept", REGIMES)
assert load("regimes.kept") == list(REGIMES)
CODE
cp backtester_v2/market_regime/defaults/Thresholds.csv results/thresholds.csv
