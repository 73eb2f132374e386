#!/bin/sh
# Practises a restore: makes a store of the newest backup in a directory of backups, in a temporary directory, and
# compares its head with that of the backup. Where a store is named, it also shows that the log of the store still
# goes through that head. Backups are named so that the newest comes last, as by a date. Needs jq.
#
#   practise_restore.sh /backup/shop [/srv/shop/.ream]
set -eu
backups=$1
store=${2-}
ream() { command "${REAM:-ream}" "$@"; }
fail() {
  echo "$newest: $*" >&2
  exit 1
}

newest=none
for manifest in "$backups"/*/backup.json; do
  if [ -e "$manifest" ]; then newest=${manifest%/backup.json}; fi
done
[ "$newest" != none ] || fail "there is no backup in $backups"

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
ream restore "$newest" "$directory/store" >/dev/null || fail 'can not be restored'
said=$(jq -r '"\(.link)/\(.head)"' "$newest/backup.json")
goes_through() { ream verify --quick --store "$1" --against "$said" >/dev/null; }
goes_through "$directory/store" || fail "its log does not go through $said, as the manifest says"
if [ -n "$store" ]; then
  goes_through "$store" || fail "$store has another log: it does not go through $said"
fi
echo "$newest: restored, $(jq .events "$newest/backup.json") events, up to ${said#*/}"
