# SPDX-License-Identifier: MIT
"""A server of DNS for tests, on UDP and TCP of one port of 127.0.0.1. What it answers depends on the first label:

    good, nN     two addresses, IPv4 and IPv6 (of nN other ones for each N)
    nobody       NXDOMAIN
    empty        no address
    refused      REFUSED
    silent       nothing at all
    late         nothing to the first datagram of each kind of question, then as good
    large        truncated, with 200 addresses on TCP
    broken       truncated, and on TCP half an answer, then the end
"""
import socket
import struct
import threading

A, AAAA = 1, 28
NXDOMAIN, REFUSED = 3, 5
TRUNCATED = 0x0200


def question(message):
    """The labels, the kind of record, and the bytes of the one question."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return labels, struct.unpack_from(">H", message, at + 1)[0], message[12:at + 5]


def reply(message, flags=0, addresses=()):
    """An answer to a question (RFC 1035 §4.1); the name of each record is a pointer to the one that was asked."""
    _, kind, asked = question(message)
    records = b"".join(struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(each)) + each for each in addresses)
    return message[:2] + struct.pack(">HHHHH", 0x8180 | flags, 1, len(addresses), 0, 0) + asked + records


def addresses_of(label, kind):
    number = int(label[1:]) if label[1:].isdigit() else 1
    if kind == A:
        return [bytes([192, 0, 2, number])]
    return [socket.inet_pton(socket.AF_INET6, f"2001:db8::{number:x}")] if kind == AAAA else []


class Server:
    def __init__(self):
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.address = self.tcp.getsockname()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(self.address)
        self.seen = set()
        for serve in (self.serve_datagrams, self.serve_connections):
            threading.Thread(target=serve, daemon=True).start()

    def answer(self, message, is_datagram):
        labels, kind, _ = question(message)
        if labels[0] in ("nobody", "refused", "empty"):
            return reply(message, {"nobody": NXDOMAIN, "refused": REFUSED, "empty": 0}[labels[0]])
        if labels[0] == "late" and (kind, is_datagram) not in self.seen:
            self.seen.add((kind, is_datagram))
            return b""
        if labels[0] == "silent":
            return b""
        if labels[0] in ("large", "broken") and is_datagram:
            return reply(message, TRUNCATED)
        if labels[0] == "large":
            return reply(message, 0, [bytes([10, 0, 0, n]) for n in range(200)] if kind == A else ())
        return reply(message, 0, addresses_of(labels[0], kind))

    def serve_datagrams(self):
        while True:
            message, sender = self.udp.recvfrom(4096)
            answer = self.answer(message, True)
            if answer:
                self.udp.sendto(answer, sender)

    def serve_connections(self):
        while True:
            peer, _ = self.tcp.accept()
            threading.Thread(target=self.serve_connection, args=(peer,), daemon=True).start()

    def serve_connection(self, peer):
        with peer, peer.makefile("rb") as stream:
            while len(length := stream.read(2)) == 2:
                message = stream.read(struct.unpack(">H", length)[0])
                answer = self.answer(message, False)
                answer = struct.pack(">H", len(answer)) + answer
                if question(message)[0][0] == "broken":
                    peer.sendall(answer[:len(answer) // 2])
                    return
                peer.sendall(answer)
