/** What a vehicle's network may be, each figure with its reason. */

/** CAN buses behind one gateway: more than any vehicle on the road has. */
export const BUSES_MAX = 16;
/** ECUs of one vehicle; the Director's plans know no more either. */
export const ECUS_MAX = 256;
/** Bytes of `topology.json`: 256 ECUs with long names fit. */
export const TOPOLOGY_MAX_BYTES = 262_144;
/** Bytes of a diagnostic message to an ECU on Ethernet: a block of 256 KiB and its head. */
export const ETHERNET_MESSAGE_MAX_BYTES = 262_400;
/** The same with both addresses before it, as DoIP counts a payload {13400-2:2019 table 21}. */
export const ETHERNET_PAYLOAD_MAX_BYTES: number = ETHERNET_MESSAGE_MAX_BYTES + 4;
/** The same on a CAN bus: what every ISO-TP of the older edition can say {15765-2:2016 9.6.3}. */
export const CAN_MESSAGE_MAX_BYTES = 4095;
/** Bytes of an image of an ECU with a file system: the whole software of a head unit. */
export const FILE_SYSTEM_SLOT_BYTES = 8_589_934_592;
/** Bytes of flash that the boot loader takes. */
export const LOADER_BYTES = 16_384;
/** The identifier of requests to all ECUs of a bus {15765-4:2021 table 5}. */
export const FUNCTIONAL_ID = 0x7df;
/** Whoever is at the plug under the dashboard, as the rules see them: none of the addresses of DoIP's testers. */
export const OBD_TESTER = 0x00f1;
/** The tester in identifiers of 29 bits {15765-4:2021 table 6}. */
export const OBD_TESTER_BYTE = 0xf1;
/** All ECUs, in identifiers of 29 bits {15765-4:2021 table 6}. */
export const OBD_GROUP = 0x33;
/** How long a condition may fail while it is watched: the voltage dips when a relay closes. */
export const VOLTAGE_DIP_MS = 500;
