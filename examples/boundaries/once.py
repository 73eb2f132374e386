#!/usr/bin/env python3
"""A request that is carried out once, however often it is sent: its id is a tag.

(Where all that is sent again is the same, `--id` does it without a program.)

    ream decide --tag request:r1 '{"request":"r1","amount":5}' -- examples/boundaries/once.py
"""

import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    request = asked["command"]["request"]
    if not asked["events"]:
        print(json.dumps({"append": {
            "stream": "payments", "type": "Paid", "data": {"amount": asked["command"]["amount"]},
            "tags": [f"request:{request}"],
        }}))
    # Where it was carried out before, that is accepted too.
    print(json.dumps({"ack": asked["head"]}), flush=True)
