#!/bin/sh
# A request that is carried out once, however often it is sent: its id is a tag.
# (Where all that is sent again is the same, --id does it without a program.)
#
#   ream decide --tag request:r1 '{"request":"r1","amount":5}' -- examples/boundaries/once.sh
jq --unbuffered -c '
  (if .events == [] then
    {append: {stream: "payments", type: "Paid", data: {amount: .command.amount}, tags: ["request:\(.command.request)"]}}
  else empty end),
  # Where it was carried out before, that is accepted too.
  {ack: .head}'
