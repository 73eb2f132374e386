#!/bin/sh
# An opt-in by a token, which was sent and is good for one use.
#
#   ream append optin-t1 OptInRequested '{"address":"a"}' --tag token:t1
#   ream decide --tag token:t1 '{"token":"t1"}' -- examples/boundaries/optin.sh
jq --unbuffered -c '
  .command.token as $token | [.events[].type] as $types
  | if $types | index("OptInRequested") | not then {reject: "no such token"}
    elif $types | index("OptInConfirmed") then {reject: "the token was used"}
    else
      {append: {stream: "optin-\($token)", type: "OptInConfirmed", tags: ["token:\($token)"]}},
      {ack: .head}
    end'
