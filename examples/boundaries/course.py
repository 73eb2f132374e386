#!/usr/bin/env python3
"""A course with so many places, and a student who takes two courses at most.

    ream decide --query '[{"tags":["course:c1"]},{"tags":["student:s7"]}]' \
      '{"course":"c1","student":"s7","places":3}' -- examples/boundaries/course.py
"""

import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    course, student = f"course:{asked['command']['course']}", f"student:{asked['command']['student']}"
    subscribed = [set(event["tags"]) for event in asked["events"] if event["type"] == "Subscribed"]
    reason = None
    if any({course, student} <= tags for tags in subscribed):
        reason = "subscribed already"
    elif sum(course in tags for tags in subscribed) >= asked["command"]["places"]:
        reason = "the course is full"
    elif sum(student in tags for tags in subscribed) >= 2:
        reason = "two courses are enough"
    if reason:
        print(json.dumps({"reject": reason}), flush=True)
        continue
    stream = course.replace(":", "-")
    print(json.dumps({"append": {"stream": stream, "type": "Subscribed", "tags": [course, student]}}))
    print(json.dumps({"ack": asked["head"]}), flush=True)
