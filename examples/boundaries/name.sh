#!/bin/sh
# A user name that no one else has.
#
#   ream decide --tag name:ann '{"user":"u1","name":"ann"}' -- examples/boundaries/name.sh
jq --unbuffered -c '
  .command as $c
  | if ([.events[].type] | last) == "NameTaken" then {reject: "\($c.name) is taken"}
    else
      {append: {stream: "user-\($c.user)", type: "NameTaken", data: {user: $c.user, name: $c.name}, tags: ["name:\($c.name)"]}},
      {ack: .head}
    end'
