#!/usr/bin/env python3
"""What a service on loopback says.

    talk.py PORT hex                    all that it says by itself, in hexadecimal
    talk.py PORT TEXT                   the same after a line, as text
    talk.py PORT telnet WAIT SAY...     by the telnet protocol, whose options are all refused: waits for
                                        a text, says a line; then all that follows
"""
import socket
import sys

IAC, DONT, DO, WONT, WILL = 255, 254, 253, 252, 251


class Peer:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.settimeout(20)
        self.text = self.rest = b""

    def more(self):
        """False: it has said all."""
        try:
            part = self.socket.recv(1000)
        except ConnectionError:
            part = b""
        self.text += part
        return part != b""

    def more_telnet(self):
        before, self.text = self.text, b""
        good = self.more()
        part, self.text = self.rest + self.text, before
        while IAC in part and len(part) >= part.index(IAC) + 3:
            at = part.index(IAC)
            answer = {WILL: DONT, DO: WONT}.get(part[at + 1])
            if answer is not None:
                self.socket.send(bytes([IAC, answer, part[at + 2]]))
            part = part[:at] + part[at + 3:]
        at = part.index(IAC) if IAC in part else len(part)
        self.text += part[:at]
        self.rest = part[at:]
        return good

    def telnet(self, words):
        for wait, say in zip(words[::2], words[1::2]):
            while wait.encode() not in self.text:
                if not self.more_telnet():
                    return
            self.text = self.text[self.text.index(wait.encode()) + len(wait):]
            self.socket.send(say.encode() + b"\r\0")
        while self.more_telnet():
            pass


def main():
    peer = Peer(int(sys.argv[1]))
    what = sys.argv[2]
    if what == "telnet":
        peer.telnet(sys.argv[3:])
    else:
        if what != "hex":
            peer.socket.send(what.encode() + b"\r\n")
        while peer.more():
            pass
    print(peer.text.hex() if what == "hex" else peer.text.decode("latin-1").replace("\r", ""))


main()
