#!/bin/sh
# tools/race.sh PYTHON RUNS: the races for the last pieces, RUNS times each, from four processes on one file and over HTTP.
# Each race prints one line of JSON; the first that is not exact ends this with its exit code.
set -eu
python=$1
runs=$2
folder=$(mktemp -d)
server=

finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

races() {
    for race in "--buyers 200 --stock 1" "--buyers 200 --stock 50" "--buyers 200 --stock 10" "--buyers 100 --stock 10 --lines 5"; do
        echo "# $race"
        # shellcheck disable=SC2086 # the words of a race are meant to be split
        "$python" tests/race/race_checkout.py $race --rounds "$runs" "$@"
    done
}

echo "# four processes on one file"
races --processes 4

echo "# over HTTP"
url="sqlite:///$folder/shop.db"
export SECRET_KEY="${SECRET_KEY:-$("$python" -c 'import secrets; print(secrets.token_hex(32))')}"
export LOG_LEVEL="${LOG_LEVEL:-error}"
"$python" -m cli.main --database-url "$url" migrate up >/dev/null
"$python" -m cli.main --database-url "$url" serve --port 0 --no-jobs >"$folder/told" &
server=$!
address=
while [ -z "$address" ]; do
    kill -0 "$server" 2>/dev/null || { echo "the server did not start" >&2; exit 1; }
    sleep 0.1
    address=$(sed -n 's/^Tallystick serves //p' "$folder/told")
done
races --url "$address" --database-url "$url"
