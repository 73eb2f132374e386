#!/bin/sh
# Shows ream at work, in a temporary directory, on the order history in examples/orders.jsonl.
# Builds ream first where REAM does not name a program. The programs are in Python, or where there is
# none, in shell.
set -eu
cd "$(dirname "$0")/.."
orders=$PWD/examples/orders.jsonl

if [ -z "${REAM-}" ]; then
  cargo build --release --locked --quiet
  REAM=$PWD/target/release/ream
fi
ream() { "$REAM" "$@"; }
show() {
  printf '\n$ %s\n' "$*"
  "$@"
}
rejected() { show "$@" || echo "(exit code $?)"; }

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
unset REAM_STORE || true
cp "$orders" orders.jsonl

if [ -z "${NO_PYTHON-}" ] && command -v python3 >/dev/null; then
  run=python3
  cat >stock <<'END'
import json, sys
asked = json.loads(sys.stdin.readline())
left, take = (asked["state"] or {"left": 10})["left"], asked["command"]["take"]
if take > left:
    print(json.dumps({"reject": f"{left} left"}))
else:
    print(json.dumps({"append": {"type": "Taken", "data": {"pieces": take}}}))
    print(json.dumps({"state": {"left": left - take}}))
END
  cat >payments <<'END'
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "OrderPaid":
        print(json.dumps({"set": {"order_id": event["stream"], "amount": event["data"]["amount"]}}))
    print(json.dumps({"ack": event["position"]}), flush=True)
END
else
  run=sh
  cat >stock <<'END'
read -r line
left=$(echo "$line" | sed 's/.*"left":\([0-9]*\).*/\1/; t; s/.*/10/')
take=$(echo "$line" | sed 's/.*"take":\([0-9]*\).*/\1/')
if [ "$take" -gt "$left" ]; then
  echo "{\"reject\":\"$left left\"}"
else
  echo "{\"append\":{\"type\":\"Taken\",\"data\":{\"pieces\":$take}}}"
  echo "{\"state\":{\"left\":$((left - take))}}"
fi
END
  cat >payments <<'END'
sed -n 's/.*"stream":"\([^"]*\)".*"type":"OrderPaid".*"amount":\([0-9.]*\).*/{"set":{"order_id":"\1","amount":\2}}/p'
END
fi

show ream init --format table
show ream append --jsonl orders.jsonl --format table
show ream append order-1001 OrderReturned '{"reason":"wrong size"}' --expect exists --format table
show ream read order-1001 -n 2 --format table

printf '\n# A program with the rules decides on commands:\n'
show ream decide stock-tea '{"take":7}' --format table -- $run stock
rejected ream decide stock-tea '{"take":4}' -- $run stock

printf '\n# A program makes of events what is searched; it is run when someone asks:\n'
show ream project create payments order_id:text:key amount:decimal:12:2:index \
  --from 'order-*' --format table -- $run payments
show ream project select payments 'amount > 100' --fresh --order-by -amount --limit 3 --format table

printf '\n'
show ream status --format table
