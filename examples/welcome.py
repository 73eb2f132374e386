#!/usr/bin/env python3
"""One welcome for each new customer, as a reactor: it answers their registration with an event.

    ream tail 'customer-*' --as welcome -- examples/welcome.py
    ream read 'mail-*'

Event and ack are stored together, so that whatever fails, each registration is answered once. A mail
that is sent from here is not: where this ends before its ack, it is sent again. Better is a second
reactor that follows 'mail-*', sends what it is told to, and gives the mail server the event's id.
"""

import json
import sys


def answers(event):
    """What an event is answered with."""
    if event["type"] == "CustomerRegistered":
        welcome = {"stream": f"mail-{event['stream']}", "type": "WelcomeSent"}
        welcome["data"] = {"to": event["data"]["email"], "name": event["data"]["name"]}
        # The same answer to the same event, also when the subscription is moved back.
        welcome["id"] = f"welcome/{event['id']}"
        yield {"append": welcome}


for line in sys.stdin.buffer:
    event = json.loads(line)
    for answer in answers(event):
        print(json.dumps(answer))
    # Each event is acked, also one without an answer. Flushed, or it waits in Python's buffer.
    print(json.dumps({"ack": event["position"]}), flush=True)
