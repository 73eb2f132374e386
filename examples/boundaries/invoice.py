#!/usr/bin/env python3
"""Invoice numbers without a gap, and one for each order.

    ream decide --type InvoiceIssued '{"order":"o1"}' -- examples/boundaries/invoice.py
"""

import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    order = asked["command"]["order"]
    issued = [event["data"] for event in asked["events"]]
    if any(invoice["order"] == order for invoice in issued):
        print(json.dumps({"reject": f"there is an invoice for {order}"}), flush=True)
        continue
    number = max((invoice["number"] for invoice in issued), default=0) + 1
    print(json.dumps({"append": {
        "stream": f"invoice-{number}", "type": "InvoiceIssued", "data": {"number": number, "order": order},
    }}))
    print(json.dumps({"ack": asked["head"]}), flush=True)
