"""Scapy as a tester that programs an ECU over DoIP. Prints what it was answered, one JSON list.

Usage: scapy_uds_tester.py TCP_PORT
"""
import json
import sys

from scapy.config import conf
from scapy.contrib.automotive.doip import UDS_DoIPSocket
from scapy.contrib.automotive.uds import (
    UDS, UDS_CC, UDS_CDTCI, UDS_CDTCS, UDS_DSC, UDS_ER, UDS_RC, UDS_RD, UDS_RDBI, UDS_RDTCI,
    UDS_RFT, UDS_RTE, UDS_SA, UDS_TD, UDS_TP, UDS_WDBI)
from scapy.packet import Raw

conf.verb = 0
FIRMWARE = bytes(index * 7 % 251 for index in range(3000))
uds = UDS_DoIPSocket("127.0.0.1", int(sys.argv[1]), source_address=0xE80)
heard = []


def ask(packet):
    """Asks, and notes whether Scapy takes the answer for one, and how it reads it."""
    answer = uds.sr1(UDS() / packet, timeout=5, retry=2, verbose=False)
    if answer is None:
        heard.append("silence")
        return None
    is_answer = bool(answer.answers(UDS() / packet))
    layers = [layer.__name__ for layer in answer.layers()]
    heard.append([bytes(answer).hex()[:24], layers[1] if len(layers) > 1 else "", is_answer])
    return answer


ask(UDS_DSC(diagnosticSessionType=3))
ask(UDS_RDBI(identifiers=[0xF190, 0xF18C]))
ask(UDS_RDTCI(reportType=2, DTCStatusMask=0xFF))
ask(UDS_RDTCI(reportType=1, DTCStatusMask=0xFF))
ask(UDS_CDTCS(DTCSettingType=2))
ask(UDS_CC(controlType=1, communicationType1=1))
ask(UDS_RD(memorySizeLen=2, memoryAddressLen=2, memoryAddress2=0x1000, memorySize2=3000))
ask(UDS_DSC(diagnosticSessionType=2))
seed = ask(UDS_SA(securityAccessType=0x11)).securitySeed
ask(UDS_SA(securityAccessType=0x12, securityKey=seed))
seed = ask(UDS_SA(securityAccessType=0x11)).securitySeed
ask(UDS_SA(securityAccessType=0x12, securityKey=bytes(byte ^ 0xFF for byte in seed)))
ask(UDS_WDBI(dataIdentifier=0xF15A) / Raw(bytes(range(9))))
ask(UDS_RC(routineControlType=1, routineIdentifier=0xFF00) / Raw(b"\x01\x01"))
ready = ask(UDS_RD(memorySizeLen=2, memoryAddressLen=2, memoryAddress2=0x1000, memorySize2=3000))
room = int.from_bytes(ready.maxNumberOfBlockLength, "big") - 2
for number, offset in enumerate(range(0, len(FIRMWARE), room), 1):
    block = FIRMWARE[offset:offset + room]
    ask(UDS_TD(blockSequenceCounter=number, transferRequestParameterRecord=block))
ask(UDS_TD(blockSequenceCounter=9, transferRequestParameterRecord=b"\x00"))
ask(UDS_RTE())
ask(UDS_RC(routineControlType=1, routineIdentifier=0x0202) / Raw(b"\x01\x01"))
ask(UDS_RC(routineControlType=1, routineIdentifier=0xFF01))
ask(UDS_RFT(modeOfOperation=4, filePathAndName=b"log", filePathAndNameLength=3,
            compressionMethod=0, encryptingMethod=0))
ask(UDS_TD(blockSequenceCounter=1))
ask(UDS_RTE())
ask(UDS_ER(resetType=1))
ask(UDS_TP())
ask(UDS_CDTCI(groupOfDTCHighByte=0xFF, groupOfDTCMiddleByte=0xFF, groupOfDTCLowByte=0xFF))
uds.close()
print(json.dumps({"heard": heard}), flush=True)
