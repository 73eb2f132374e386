#!/bin/sh
# Invoice numbers without a gap, and one for each order.
#
#   ream decide --type InvoiceIssued '{"order":"o1"}' -- examples/boundaries/invoice.sh
jq --unbuffered -c '
  .command.order as $order | [.events[].data] as $issued
  | if any($issued[]; .order == $order) then {reject: "there is an invoice for \($order)"}
    else
      ($issued | map(.number) | max // 0 | . + 1) as $number
      | {append: {stream: "invoice-\($number)", type: "InvoiceIssued", data: {number: $number, order: $order}}},
        {ack: .head}
    end'
