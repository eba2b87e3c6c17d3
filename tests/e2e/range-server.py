#!/usr/bin/env python3
"""A web server on loopback for tests of fetching: Range, and what servers do wrong.

usage: range-server.py DIRECTORY LOG PORT-FILE

Paths: /ok/NAME serves DIRECTORY/NAME with Range; /cut/NAME breaks off in the middle when it is asked
for the start; /plain/NAME knows no Range; /slow/NAME sends for a minute; /other/NAME sends the file with
its last byte changed. Addresses of other servers (a proxy's requests) are served by their last
name. Each request is a line of LOG: METHOD PATH RANGE.
"""
import http.server
import os
import re
import sys
import time

directory, log, port_file = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = self.headers.get("Range", "-")
        with open(log, "a", encoding="ascii") as out:
            print(self.command, self.path, asked, file=out)
        path = self.path
        if path.startswith("http://"):
            path = "/ok/" + path.rsplit("/", 1)[1]
        match = re.fullmatch(r"/(ok|cut|plain|slow|other)/([a-z0-9.-]+)", path)
        name = os.path.join(directory, match.group(2)) if match else ""
        if not os.path.isfile(name):
            self.send_error(404)
            return
        with open(name, "rb") as file:
            data = file.read()
        self.give(match.group(1), data, asked)

    def give(self, how, data, asked):
        start = 0
        found = re.fullmatch(r"bytes=(\d+)-", asked)
        if how == "other":
            data = data[:-1] + bytes([data[-1] ^ 1])
        if found and how != "plain":
            start = int(found.group(1))
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if how == "cut" and start == 0:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        if how == "slow" and start == 0:
            for at in range(0, len(data), len(data) // 600):
                self.wfile.write(data[at : at + len(data) // 600])
                self.wfile.flush()
                time.sleep(0.1)
            return
        self.wfile.write(data[start:])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w", encoding="ascii") as file:
    print(server.server_address[1], file=file)
os.rename(port_file + ".new", port_file)
server.serve_forever()
