# SPDX-License-Identifier: MIT
"""A server that plays a script, for the tests of the client. A step is bytes to send, or a word."""
import re
import socket
import struct
import threading

READ, CLOSE, RESET, END, HANG, NEXT = "read", "close", "reset", "end", "hang", "next"
PATIENCE = 60


def slowly(data):
    """Each byte in a packet of its own."""
    return [data[i:i + 1] for i in range(len(data))]


class Origin:
    """Plays one part of its script on each connection; the last part has no successor. `seen` has the requests."""

    def __init__(self, script, host="127.0.0.1"):
        self.parts = [[]]
        for step in script:
            if step == NEXT:
                self.parts.append([])
            else:
                self.parts[-1].append(step)
        self.seen, self.connections, self.over = [], 0, threading.Event()
        self.listener = socket.create_server((host, 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self.sockets = []
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.sockets:
            try:
                peer.close()
            except OSError:
                pass

    def _serve(self):
        while not self.over.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.settimeout(PATIENCE)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets.append(peer)
            part = self.parts[min(self.connections, len(self.parts) - 1)]
            if self.connections >= len(self.parts) and part and part[0] != "loop":
                part = [CLOSE]
            self.connections += 1
            threading.Thread(target=self._play, args=(peer, part), daemon=True).start()

    def _read(self, peer):
        """One request, its body included. False at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = peer.recv(65536)
            if not more:
                return False
            data += more
        match = re.search(rb"\r\nContent-Length: (\d+)", data)
        wanted = data.index(b"\r\n\r\n") + 4 + (int(match[1]) if match else 0)
        while len(data) < wanted:
            more = peer.recv(65536)
            if not more:
                return False
            data += more
        self.seen.append(data)
        return True

    def _for_ever(self, peer, data, pause=0.0):
        while not self.over.wait(pause) if pause else not self.over.is_set():
            peer.sendall(data)

    def _play(self, peer, part):
        try:
            for step in part:
                if isinstance(step, bytes):
                    peer.sendall(step)
                elif not self._act(peer, step):
                    return
            while peer.recv(65536): # it stays until the client leaves
                pass
            peer.close()
        except OSError:
            peer.close()

    def _act(self, peer, step):
        if step == READ:
            return self._read(peer)
        if step == CLOSE:
            peer.close()
            return False
        if step == RESET:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            return False
        if step == END:
            peer.shutdown(socket.SHUT_WR)
        elif step == HANG:
            self.over.wait(PATIENCE)
        elif step == "drip":
            self._for_ever(peer, b"x", 0.02)
        elif step == "interim":
            self._for_ever(peer, b"HTTP/1.1 103 H\r\n\r\n", 0.002)
        elif step == "zeros":
            self._for_ever(peer, b"\0" * 4096)
        elif step == "xs":
            self._for_ever(peer, b"x" * 4096)
        elif step == "loop":
            while self._read(peer):
                peer.sendall(b"HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
            return False
        return True
