"""An entity whose every message Scapy builds and reads. Prints its port, then what it was told.

Usage: scapy_entity.py
"""
import json
import socket

from scapy.contrib.automotive.doip import DoIP
from scapy.contrib.automotive.uds import UDS

ENTITY = 0x1000


def tell(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)


def read_exactly(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_message(peer):
    head = read_exactly(peer, 8)
    return DoIP(head + read_exactly(peer, int.from_bytes(head[4:], "big")))


def send(peer, packet):
    peer.sendall(bytes(packet))


def serve(peer):
    tester = None
    while True:
        message = read_message(peer)
        kind = message.payload_type
        if kind == 0x0005:
            tester = message.source_address
            tell("activation", tester=tester, type=message.activation_type)
            fields = {"logical_address_tester": tester, "logical_address_doip_entity": ENTITY}
            send(peer, DoIP(payload_type=6, routing_activation_response=0x11, **fields))
            send(peer, DoIP(payload_type=6, routing_activation_response=0x10, **fields))
            send(peer, DoIP(payload_type=7))
        elif kind == 0x0008:
            tell("alive", tester=message.source_address)
        elif kind == 0x8001:
            route = {"source_address": message.target_address, "target_address": tester}
            service = message[UDS].service
            tell("request", service=service, bytes=len(bytes(message[UDS])))
            if message.target_address != ENTITY:
                send(peer, DoIP(payload_type=0x8003, nack_code=3, **route))
                continue
            # An acknowledgement may carry the beginning of what it is for.
            echo = bytes(message[UDS])[:4]
            send(peer, DoIP(payload_type=0x8002, previous_msg=echo, **route))
            pending = bytes(DoIP(payload_type=0x8001, **route)) + bytes([0x7F, service, 0x78])
            final = bytes(DoIP(payload_type=0x8001, **route)) + bytes([service + 0x40, 1])
            for answer in (pending, final):
                size = (len(answer) - 8).to_bytes(4, "big")
                # In two pieces, cut within the header.
                peer.sendall(answer[:4] + size[:2])
                peer.sendall(size[2:] + answer[8:])


with socket.create_server(("127.0.0.1", 0)) as server:
    tell("port", port=server.getsockname()[1])
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        try:
            serve(connection)
        except EOFError:
            tell("closed")
