"""An ECU over DoIP whose every UDS message Scapy reads and builds.

Prints its port, then how Scapy reads each request: the layer, and its fields.
"""
import json
import socket

from scapy.contrib.automotive.doip import DoIP
from scapy.contrib.automotive.uds import (
    UDS, UDS_AUTHPR, UDS_CDTCIPR, UDS_DSCPR, UDS_ERPR, UDS_RCPR, UDS_RDBIPR, UDS_RDPR, UDS_RTEPR,
    UDS_TDPR, UDS_TPPR, UDS_WDBIPR)
from scapy.packet import Raw

ENTITY = 0x1000
ROOM = 258


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


def plain(value):
    return value.hex()[:16] if isinstance(value, bytes) else value


def answer_to(uds):
    service = uds.service
    if service == 0x10:
        record = b"\x00\x32\x01\xf4"
        return UDS_DSCPR(diagnosticSessionType=uds.diagnosticSessionType, sessionParameterRecord=record)
    if service == 0x11:
        return UDS_ERPR(resetType=uds.resetType)
    if service == 0x14:
        return UDS_CDTCIPR()
    if service == 0x22:
        return UDS_RDBIPR(dataIdentifier=uds.identifiers[0]) / Raw(b"WIMMOTA1234567890")
    if service == 0x29:
        kind = uds.subFunction
        if kind == 3:
            return UDS_AUTHPR(subFunction=3, returnValue=0x12)
        parts = {"certificateServer": b"\xcc" * 4, "proofOfOwnershipServer": b"\xdd" * 8}
        return UDS_AUTHPR(subFunction=kind, returnValue=0x11, challengeServer=b"\x05" * 32, **parts)
    if service == 0x2E:
        return UDS_WDBIPR(dataIdentifier=uds.dataIdentifier)
    if service == 0x31:
        identifier = uds.routineIdentifier
        return UDS_RCPR(routineControlType=uds.routineControlType, routineIdentifier=identifier) / Raw(b"\x00")
    if service == 0x34:
        return UDS_RDPR(memorySizeLen=2, maxNumberOfBlockLength=ROOM.to_bytes(2, "big"))
    if service == 0x36:
        return UDS_TDPR(blockSequenceCounter=uds.blockSequenceCounter)
    if service == 0x37:
        return UDS_RTEPR()
    return UDS_TPPR()


def serve(peer):
    while True:
        head = read_exactly(peer, 8)
        message = DoIP(head + read_exactly(peer, int.from_bytes(head[4:], "big")))
        if message.payload_type == 0x0005:
            fields = {"logical_address_tester": message.source_address,
                      "logical_address_doip_entity": ENTITY}
            peer.sendall(bytes(DoIP(payload_type=6, routing_activation_response=0x10, **fields)))
            continue
        if message.payload_type != 0x8001:
            continue
        route = {"source_address": ENTITY, "target_address": message.source_address}
        peer.sendall(bytes(DoIP(payload_type=0x8002, **route)))
        uds = message[UDS]
        layers = [layer for layer in uds.iterpayloads()][1:]
        read = [[type(layer).__name__, {name: plain(value) for name, value in layer.fields.items()}]
                for layer in layers]
        tell("request", service=uds.service, read=read)
        if uds.service == 0x36:
            pending = bytes([0x7F, 0x36, 0x78])
            data = bytes(DoIP(payload_type=0x8001, **route)) + pending
            peer.sendall(data[:4] + (len(data) - 8).to_bytes(4, "big") + data[8:])
        peer.sendall(bytes(DoIP(payload_type=0x8001, **route) / (UDS() / answer_to(uds))))


with socket.create_server(("127.0.0.1", 0)) as server:
    tell("port", port=server.getsockname()[1])
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        try:
            serve(connection)
        except EOFError:
            tell("closed")
