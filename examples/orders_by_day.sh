#!/bin/sh
# Orders by day, as a projector that is run once an event: how many were placed, and what was paid.
# Needs jq 1.6 or later.
#
#     ream project create orders_by_day day:text:key placed:integer paid:decimal:12:2
#     ream project run orders_by_day 'order-*' --per-event -- examples/orders_by_day.sh
#     ream project select orders_by_day --order-by -paid --limit 5
#
# It knows of no ack: its exit with 0 is one. So any script will do, and each event takes the time
# that one takes to start. For more at once: --batch 1000 in the place of --per-event.
exec jq -cn '
  def changes:
    {day: .time[:10], placed: 0, paid: 0} as $none
    | if .type == "OrderPlaced" then
        {upsert: {row: ($none + {placed: 1}), compute: {placed: "placed + 1"}}}
      elif .type == "OrderPaid" then
        .data.amount as $amount
        | {upsert: {
            row: ($none + {paid: $amount}),
            compute: {paid: "paid + :amount"},
            with: {$amount}
          }}
      else
        empty
      end;
  # With -n and inputs an error ends it. Else jq would go on with --batch, and end with 0.
  inputs | changes
'
