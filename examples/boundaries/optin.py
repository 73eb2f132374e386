#!/usr/bin/env python3
"""An opt-in by a token, which was sent and is good for one use.

    ream append optin-t1 OptInRequested '{"address":"a"}' --tag token:t1
    ream decide --tag token:t1 '{"token":"t1"}' -- examples/boundaries/optin.py
"""

import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    token = asked["command"]["token"]
    types = [event["type"] for event in asked["events"]]
    if "OptInRequested" not in types:
        print(json.dumps({"reject": "no such token"}), flush=True)
        continue
    if "OptInConfirmed" in types:
        print(json.dumps({"reject": "the token was used"}), flush=True)
        continue
    print(json.dumps({"append": {"stream": f"optin-{token}", "type": "OptInConfirmed", "tags": [f"token:{token}"]}}))
    print(json.dumps({"ack": asked["head"]}), flush=True)
