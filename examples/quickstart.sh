#!/bin/sh
# Shows ream at work, in a temporary directory, on the order history in examples/orders.jsonl.
# Builds ream first where REAM does not name a program.
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

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
unset REAM_STORE || true

show ream init --format table
cp "$orders" orders.jsonl
show ream append --jsonl orders.jsonl --format table
show ream read order-1001 --format table
show ream stream list 'order-100*' --format table

echo
echo '# A follower sees what is stored from now on:'
head=$(ream status | sed 's/.*"head":\([0-9]*\).*/\1/')
ream tail 'order-*' --after "$head" --limit 1 --format table >followed &
show ream append order-1001 OrderReturned '{"reason":"wrong size"}' --expect exists --format table
wait
cat followed

echo
echo '# Two who decided on the same state: one wins, the other is told.'
version=$(ream stream show order-1002 | sed 's/.*"version":\([0-9]*\).*/\1/')
show ream append order-1002 OrderReturned '{}' --expect "$version" --format table
show ream append order-1002 RefundIssued '{}' --expect "$version" || echo "(exit code $?)"

show ream status --format table
