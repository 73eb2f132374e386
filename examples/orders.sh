#!/bin/sh
# What was ordered, as a projector: the one of orders.py in a few lines of jq. Needs jq 1.6 or later.
#
#     ream project create orders order_id:text sku:text name:text quantity:integer \
#         price:decimal:12:2 discount:decimal:5:2 --key order_id,sku
#     ream project run orders 'order-*' -- examples/orders.sh
#
# jq's numbers carry a price of up to 15 digits as it is; a sum of two they may not. So ream
# calculates, or an amount goes in a string.
exec jq -cn --unbuffered '
  def changes:
    .stream as $order | .id as $id | .type as $type | .data
    | if $type == "ItemAdded" then
        {upsert: {
          row: ({order_id: $order, sku, name, quantity, price, discount: 0}),
          # Some more of what is in the order already.
          compute: {quantity: "quantity + :more"},
          with: {more: .quantity}
        }}
      elif $type == "ItemRemoved" then
        {update: {
          where: {order_id: $order, sku},
          compute: {quantity: "quantity - :less"},
          with: {less: .quantity}
        }},
        {delete: {expr: "order_id = :o AND quantity <= 0", with: {o: $order}}}
      elif $type == "DiscountApplied" then
        {update: {where: {order_id: $order}, set: {discount: .percent}}}
      elif $type == "RefundIssued" then
        # A row of its own, by the id of the event: an order may have several.
        {set: {order_id: $order, sku: $id, name: "Refund", quantity: 1, price: -.amount, discount: 0}}
      elif $type == "OrderCancelled" then
        {delete: {order_id: $order}}
      else
        empty
      end;
  # With -n and inputs an error ends it. Else jq would go on, and ack that event with the next one.
  inputs | changes, {ack: .position}
'
