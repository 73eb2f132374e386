#!/usr/bin/env python3
"""A client of `ream serve`, with Python's standard library alone: docs/ream-1.0.md has the protocol.

    client.py SOCKET publish STREAM JSON [ID]    stores an event; with an ID it can be said again
    client.py SOCKET follow STREAM [VERSION [COUNT]]   prints what is there from VERSION on, and then what comes
    client.py SOCKET list                        prints the streams
    client.py SOCKET select PROJECTION [EXPR]    prints rows
"""

import itertools
import json
import re
import socket
import sys
import time

KEYWORDS = set(
    "PING PONG ERROR REAM TOKEN EVENT AGGREGATE PROJECTION PUBLISH PUBLISHED SUBSCRIBE SUBSCRIBED UNSUBSCRIBE "
    "UNSUBSCRIBED LIST LISTED REMOVE REMOVED NON EMPTY SET DONE GET GOT CREATE CREATED DROP DROPPED SELECT SELECTED "
    "UPDATE UPDATED DELETE DELETED".split()
)


def name(text):
    """A name travels bare where it may, else as a JSON string."""
    return text if re.fullmatch("[A-Za-z][A-Za-z0-9_]*", text) and text not in KEYWORDS else json.dumps(text)


class Refused(Exception):
    pass


class Client:
    def __init__(self, path, version="REAM 1.0"):
        for _ in range(200):
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        else:
            raise SystemExit(f"no server listens on {path}")
        self.input = self.socket.makefile("rb")
        self.line()
        if version != "REAM 1.0":
            self.send(version)
            self.line()

    def send(self, line, *payloads):
        parts = [line.encode(), *[text.encode() for text in payloads]]
        self.socket.sendall(b"".join(part + b"\n" for part in parts))

    def line(self):
        """The tokens of the next line: words as they are, strings without their quotes."""
        while True:
            line = self.input.readline().decode()
            if not line:
                raise SystemExit("the server has closed the connection")
            if line == "PING\n":
                self.send("PONG")
                continue
            tokens = re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line)
            tokens = [json.loads(token) if token[0] == '"' else token for token in tokens]
            if "NON" in tokens[:2] or tokens[0] == "ERROR":
                raise Refused(tokens[-1] if tokens[-2] != "ACTUAL" else line.strip())
            return tokens

    def payload(self, size):
        payload = self.input.read(int(size))
        self.input.readline()
        return payload.decode()

    def publish(self, stream, data, id=None):
        options = f" ID {json.dumps(id)}" if id else ""
        self.send(f"EVENT PUBLISH {name(stream)} {len(data.encode())}{options}", data)
        return self.line()[3:]

    def follow(self, stream, version=1):
        self.send(f"EVENT SUBSCRIBE {name(stream)} {version}")
        self.line()
        while True:
            _, stream, version, size = self.line()
            yield stream, int(version), self.payload(size)


def main(path, verb, *args):
    try:
        if verb == "publish":
            print(*Client(path, "REAM 1.1").publish(*args))
        elif verb == "follow":
            count = int(args[2]) if len(args) > 2 else None
            for event in itertools.islice(Client(path).follow(*args[:2]), count):
                print(*event, flush=True)
        elif verb == "list":
            client = Client(path)
            client.send("EVENT LIST")
            print(*client.line()[3:], sep="\n")
        elif verb == "select":
            client, condition = Client(path), "".join(args[1:])
            client.send(f"PROJECTION SELECT {name(args[0])} {len(condition.encode())}", condition)
            for row in json.loads(client.payload(client.line()[-1])):
                print(json.dumps(row))
    except Refused as refused:
        sys.exit(f"refused: {refused}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
