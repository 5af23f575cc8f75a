#!/bin/sh
# tools/race.sh PYTHON RUNS [ENGINE]: the races for the last pieces, RUNS times each, on a file or on the real server of
# ENGINE (libsql, d1): from four processes, and over HTTP. Each race prints one line of JSON; the first that is not exact
# ends this with its exit code.
set -eu
python=$1
runs=$2
engine=${3:-sqlite}

for way in "" "--serve"; do
    for race in "--buyers 200 --stock 1" "--buyers 100 --stock 10" "--buyers 200 --stock 10" "--buyers 200 --stock 50" "--buyers 100 --stock 10 --lines 5"; do
        echo "# $engine: $race $way"
        # shellcheck disable=SC2086 # the words of a race are meant to be split
        "$python" tests/race/race_checkout.py --engine "$engine" $race $way --processes 4 --rounds "$runs"
    done
done
