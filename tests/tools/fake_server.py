#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fake_server.py DIR MODE...: a server for continuous profiling, on a port of its own choice.

Takes what Pyroscope's /ingest and Parca's /profiles/writeraw document, strictly, and keeps it in DIR as
N.json (what came with it) and N.pprof. DIR/port has the port. Each request is treated by the next MODE;
the last one stays: take, hang, drop (the connection), a number (that status), 429:SEC (with
Retry-After). Requests that break the interface get 400 and are noted in DIR/wrong.
"""
import base64
import email.parser
import email.policy
import http.server
import json
import os
import re
import sys
import time
import urllib.parse

where, modes = sys.argv[1], sys.argv[2:]
count = 0


class Wrong(Exception):
    pass


def need(good, what):
    if not good:
        raise Wrong(what)


def pyroscope(query, headers, body):
    q = urllib.parse.parse_qs(query, strict_parsing=True)
    need(all(len(q.get(k, [])) == 1 for k in ("name", "from", "until")), f"query {query}")
    m = re.fullmatch(r"([^{}]+)(?:\{(.*)\})?", q["name"][0])
    need(m, f"name {q['name'][0]}")
    labels = dict(p.split("=") for p in (m[2] or "").split(",") if p)
    need(all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", k) for k in labels), f"labels {labels}")
    need(headers["Content-Type"].startswith("multipart/form-data; boundary="), "no form")
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    parts = {p.get_param("name", header="content-disposition"): p.get_payload(decode=True)
             for p in form.iter_parts()}
    need(set(parts) == {"profile", "sample_type_config"}, f"parts {list(parts)}")
    types = json.loads(parts["sample_type_config"])
    need(all(t["aggregation"] == "sum" and t["units"] for t in types.values()), "sample types")
    return {"app": m[1], "labels": labels, "from": int(q["from"][0]), "until": int(q["until"][0]),
            "types": sorted(types)}, parts["profile"]


def parca(_query, headers, body):
    need(headers["Content-Type"] == "application/json", "no JSON")
    series, = json.loads(body)["series"]
    labels = {x["name"]: x["value"] for x in series["labels"]["labels"]}
    need("__name__" in labels, "no __name__")
    sample, = series["samples"]
    return {"labels": labels}, base64.b64decode(sample["rawProfile"], validate=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, text="", more=()):
        self.send_response(status)
        for name, value in more:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mode = modes.pop(0) if len(modes) > 1 else modes[0]
        with open(os.path.join(where, "tries"), "a") as f:
            f.write(f"{time.time():.3f} {mode}\n")
        if mode == "hang":
            time.sleep(30)
            self.close_connection = True
        elif mode == "drop":
            self.close_connection = True
        elif mode.startswith("429:"):
            self.reply(429, "too many\x1b[31m\n", [("Retry-After", mode[4:])])
        elif mode != "take":
            self.reply(int(mode), "no, " + mode + "\n")
        else:
            self.take(body)

    def take(self, body):
        global count
        path, _, query = self.path.partition("?")
        try:
            need(path in ("/ingest", "/api/profiles/writeraw"), f"path {path}")
            told, profile = (pyroscope if path == "/ingest" else parca)(query, self.headers, body)
            need(profile[:2] == b"\x1f\x8b", "the profile is not gzip'd")
        except (Wrong, KeyError, ValueError) as e:
            with open(os.path.join(where, "wrong"), "a") as f:
                f.write(f"{e}\n")
            self.reply(400, f"{e}\n")
            return
        count += 1
        told["headers"] = dict(self.headers)
        with open(os.path.join(where, f"{count}.pprof"), "wb") as f:
            f.write(profile)
        with open(os.path.join(where, f"{count}.json"), "w") as f:
            json.dump(told, f)
        self.reply(200)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
with open(os.path.join(where, "port.new"), "w") as f:
    f.write(f"{server.server_address[1]}\n")
os.rename(os.path.join(where, "port.new"), os.path.join(where, "port"))
server.serve_forever()
