#!/bin/sh
# An order, as an aggregator in a few lines of jq: placed, paid, shipped; or cancelled before it is
# shipped. Its status is the type of its last event. Needs jq 1.6 or later.
#
#     ream decide order-1 '{"place":{"sku":"TEA-250"}}' -- examples/order.sh
#     ream decide --serve -- examples/order.sh < commands.jsonl
#
# What a command holds becomes the event's data. jq reads numbers as floating point: amounts go in
# strings, or in cents up to 2^53.
exec jq -c --unbuffered '
  {
    place:  {event: "Placed",    from: ["none"]},
    pay:    {event: "Paid",      from: ["placed"]},
    ship:   {event: "Shipped",   from: ["paid"]},
    cancel: {event: "Cancelled", from: ["placed", "paid"]}
  } as $steps
  | def status: ascii_downcase;
    def replies:
      (if .events != [] then .events[-1].type | status
       elif .state != null then .state.status
       else "none" end) as $status
      | ((.command | objects | to_entries | select(length == 1) | .[0]) // {key: ""}) as $asked
      | $steps[$asked.key] as $step
      | if $step == null then
          {reject: "a command is place, pay, ship or cancel, with data: {\"pay\":{}}"}
        elif $step.from | index($status) == null then
          {reject: "cannot \($asked.key): the status is \($status)"}
        else
          {append: {type: $step.event, data: $asked.value}},
          {state: {status: $step.event | status}},
          {ack: .version}
        end;
    # By itself jq answers nothing and goes on after an error; ream stops at what is no reply.
    try replies catch {error: .}
'
