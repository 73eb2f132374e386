#!/bin/sh
# A price that must hold: an order is taken at the price that was shown, or not at all.
#
#   ream append product-p1 PriceSet '{"price":"9.50"}' --tag product:p1
#   ream decide --query 'type=PriceSet tag=product:p1' \
#     '{"order":"o1","product":"p1","price":"9.50"}' -- examples/boundaries/price.sh
jq --unbuffered -c '
  .command as $c | ([.events[].data.price] | last) as $price
  | if $price != $c.price then {reject: "the price is \($price)"}
    else
      {append: {stream: "order-\($c.order)", type: "Ordered", data: {product: $c.product, price: $price},
        tags: ["product:\($c.product)"]}},
      {ack: .head}
    end'
