#!/usr/bin/env python3
"""A user name that no one else has.

    ream decide --tag name:ann '{"user":"u1","name":"ann"}' -- examples/boundaries/name.py
"""

import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    user, name = asked["command"]["user"], asked["command"]["name"]
    owner = None
    for event in asked["events"]:
        owner = event["data"]["user"] if event["type"] == "NameTaken" else None
    if owner is not None:
        print(json.dumps({"reject": f"{name} is taken"}), flush=True)
        continue
    print(json.dumps({"append": {
        "stream": f"user-{user}", "type": "NameTaken", "data": {"user": user, "name": name}, "tags": [f"name:{name}"],
    }}))
    print(json.dumps({"ack": asked["head"]}), flush=True)
