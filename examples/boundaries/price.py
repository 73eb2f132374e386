#!/usr/bin/env python3
"""A price that must hold: an order is taken at the price that was shown, or not at all.

    ream append product-p1 PriceSet '{"price":"9.50"}' --tag product:p1
    ream decide --query 'type=PriceSet tag=product:p1' \
      '{"order":"o1","product":"p1","price":"9.50"}' -- examples/boundaries/price.py
"""

import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    command = asked["command"]
    price = asked["events"][-1]["data"]["price"] if asked["events"] else None
    if price != command["price"]:
        print(json.dumps({"reject": f"the price is {price}"}), flush=True)
        continue
    print(json.dumps({"append": {
        "stream": f"order-{command['order']}", "type": "Ordered", "data": {"product": command["product"], "price": price},
        "tags": [f"product:{command['product']}"],
    }}))
    print(json.dumps({"ack": asked["head"]}), flush=True)
