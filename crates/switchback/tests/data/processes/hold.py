"""Holds a listening socket and hands it to whoever asks: `hold.py PORT SOCKET`. Instances come and go, the queue stays."""
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
asked = socket.socket(socket.AF_UNIX)
asked.bind(sys.argv[2] + ".new")
asked.listen()
os.rename(sys.argv[2] + ".new", sys.argv[2])
while True:
    instance, _ = asked.accept()
    with instance:
        socket.send_fds(instance, [b"x"], [listener.fileno()])
