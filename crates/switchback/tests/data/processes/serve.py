"""A small HTTP service over the live tree, as a test starts it: `serve.py PORT`, or `serve.py run/hold.sock`.

Each answer is read from two files of the tree. It opens their folder first, so that both come from one tree.
"""
import http.server
import os
import signal
import socket
import sys
import threading

ADDRESS = sys.argv[1]
GENERATION = os.environ.get("SWITCHBACK_GENERATION", "0")


def read(folder, name):
    with open(os.open(name, os.O_RDONLY, dir_fd=folder)) as file:
        return file.read().strip()


def tree():
    folder = os.open("src", os.O_RDONLY | os.O_DIRECTORY)
    try:
        return read(folder, "one.txt"), read(folder, "other.txt")
    finally:
        os.close(folder)


LOADED = list(tree())
if LOADED[0] == "broken":
    sys.exit("this version is broken on purpose")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"/tree": " ".join(tree()), "/loaded": " ".join(LOADED)}.get(self.path, "")
        body = f"{said} generation {GENERATION}.".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    allow_reuse_address = True


def listening():
    if ADDRESS.isdigit():
        return Server(("127.0.0.1", int(ADDRESS)), Handler)
    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    with socket.socket(socket.AF_UNIX) as holder:
        holder.connect(ADDRESS)
        _, descriptors, _, _ = socket.recv_fds(holder, 1, 1)
    server.socket = socket.socket(fileno=descriptors[0])
    # Two instances wake for one connection: the one that comes too late must not wait for the next.
    server.socket.setblocking(False)
    server.server_name, server.server_port = server.socket.getsockname()
    return server


server = listening()
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
signal.signal(signal.SIGHUP, lambda *_: LOADED.__setitem__(slice(None), tree()))
server.serve_forever(poll_interval=0.02)
# Waits for the answers that are under way.
server.server_close()
