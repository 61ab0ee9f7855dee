"""Scapy's own testers, against an entity. Prints what they heard, one JSON object a line.

Usage: scapy_tester.py TCP_PORT UDP_PORT
"""
import json
import socket
import sys

from scapy.config import conf
from scapy.contrib.automotive.doip import DoIP, DoIPSocket, UDS_DoIPSocket
from scapy.contrib.automotive.uds import UDS, UDS_RDBI, UDS_TD, UDS_TP

conf.verb = 0
TCP_PORT, UDP_PORT = int(sys.argv[1]), int(sys.argv[2])
HOST = "127.0.0.1"
# A loaded machine may make a tester too late for its answer; then it asks again.
PATIENT = {"timeout": 2, "retry": 3, "verbose": False}


def tell(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)


def question(packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(10)
        udp.sendto(bytes(packet), (HOST, UDP_PORT))
        return DoIP(udp.recv(4096))


found = question(DoIP(payload_type=1))
tell("announcement", vin=found.vin.decode(), address=found.logical_address, eid=found.eid.hex())
status = question(DoIP(payload_type=0x4001))
tell("status", node=status.node_type, sockets=status.max_open_sockets, bytes=status.max_data_size)
power = question(DoIP(payload_type=0x4003))
tell("power", mode=power.diagnostic_power_mode)
refused = question(DoIP(protocol_version=9, inverse_version=9, payload_type=1))
tell("pattern", type=refused.payload_type, nack=refused.nack)

uds = UDS_DoIPSocket(HOST, TCP_PORT, source_address=0xE80)
tell("activated", target=uds.target_address)
for count in range(10):
    answer = uds.sr1(UDS() / UDS_RDBI(identifiers=[0xF190]), **PATIENT)
    tell("read", service=answer.service if answer else None)
answer = uds.sr1(UDS() / UDS_TP(), **PATIENT)
tell("present", service=answer.service if answer else None)
block = UDS() / UDS_TD(blockSequenceCounter=1, transferRequestParameterRecord=b"\x5a" * 4000)
answer = uds.sr1(block, **PATIENT)
tell("block", service=answer.service if answer else None)
uds.close()

spoof = DoIPSocket(HOST, TCP_PORT, source_address=0xE81)
spoof.send(DoIP(payload_type=0x8001, source_address=0xE99, target_address=0x1000) / UDS() / UDS_TP())
nack = spoof.recv()
tell("spoof", type=nack.payload_type, nack=nack.nack_code)
spoof.close()

unknown = DoIPSocket(HOST, TCP_PORT, source_address=0xE82)
request = DoIP(payload_type=0x8001, source_address=0xE82, target_address=0x4444) / UDS() / UDS_TP()
nack = unknown.sr1(request, **PATIENT)
tell("unknown", type=nack.payload_type, nack=nack.nack_code)
unknown.close()

stranger = DoIPSocket(HOST, TCP_PORT, activate_routing=False)
response = stranger.sr1(DoIP(payload_type=5, source_address=0x1234), **PATIENT)
tell("stranger", code=response.routing_activation_response)
stranger.close()
