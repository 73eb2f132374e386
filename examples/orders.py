#!/usr/bin/env python3
r"""What was ordered, as a projector: a row for each product in an order, from the events of orders.

    ream project create orders order_id:text sku:text name:text quantity:integer \
        price:decimal:12:2 discount:decimal:5:2 --key order_id,sku
    ream project run orders 'order-*' -- examples/orders.py
    ream project select orders 'quantity > 1 AND price < 10'

Money is exact: a price is read as a Decimal, and leaves as a string, which a decimal field takes. What
is calculated from what a row has, ream calculates: no row is read here. Needs Python 3.10 or later.
"""

import json
import sys
from decimal import Decimal


def changes(event):
    """What an event changes."""
    order, data = event["stream"], event.get("data")
    match event["type"]:
        case "ItemAdded":
            row = {"order_id": order, "sku": data["sku"], "name": data["name"]}
            row |= {"quantity": data["quantity"], "price": data["price"], "discount": 0}
            # Some more of what is in the order already.
            more = {"compute": {"quantity": "quantity + :more"}, "with": {"more": data["quantity"]}}
            yield {"upsert": {"row": row, **more}}
        case "ItemRemoved":
            less = {"compute": {"quantity": "quantity - :less"}, "with": {"less": data["quantity"]}}
            yield {"update": {"where": {"order_id": order, "sku": data["sku"]}, **less}}
            yield {"delete": {"expr": "order_id = :o AND quantity <= 0", "with": {"o": order}}}
        case "DiscountApplied":
            yield {"update": {"where": {"order_id": order}, "set": {"discount": data["percent"]}}}
        case "RefundIssued":
            # A row of its own, by the event's id: an order may have several.
            row = {"order_id": order, "sku": event["id"], "name": "Refund"}
            yield {"set": row | {"quantity": 1, "price": -data["amount"], "discount": 0}}
        case "OrderCancelled":
            yield {"delete": {"order_id": order}}


for line in sys.stdin.buffer:
    event = json.loads(line, parse_float=Decimal)
    for change in changes(event):
        print(json.dumps(change, default=str))
    # Each event is acked, also one that changes nothing. Flushed, or it waits in Python's buffer.
    print(json.dumps({"ack": event["position"]}), flush=True)
