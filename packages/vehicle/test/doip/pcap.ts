/** Writes what was said into a capture file, as if it had been heard on the ports of DoIP. */

/** What went one way: by TCP in the order of its stream, or one datagram. */
export interface Said {
  readonly by: 'tester' | 'entity';
  readonly carrier: 'tcp' | 'udp';
  readonly bytes: Uint8Array;
}

const DOIP_PORT = 13_400;
const TESTER_PORT = 50_000;
const TESTER_ADDRESS = [192, 168, 0, 1];
const ENTITY_ADDRESS = [192, 168, 0, 2];
const TCP = 6;
const UDP = 17;
/** What an Ethernet frame carries beside the headers of IP and TCP. */
const SEGMENT_MAX_BYTES = 1460;
const ETHERNET = 1;
const SNAP_LENGTH = 262_144;

/** Gives the bytes of a capture file. */
export function writePcap(said: readonly Said[]): Uint8Array {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(SNAP_LENGTH, 16);
  head.writeUInt32LE(ETHERNET, 20);
  const next = { tester: 1, entity: 1 };
  const packets = said.flatMap(({ by, carrier, bytes }) => {
    if (carrier === 'udp')
      return [frame(by, UDP, Buffer.concat([udpHead(by, bytes.length), bytes]))];
    const frames: Uint8Array[] = [];
    for (let offset = 0; offset < bytes.length; offset += SEGMENT_MAX_BYTES) {
      const part = bytes.subarray(offset, offset + SEGMENT_MAX_BYTES);
      const other = by === 'tester' ? 'entity' : 'tester';
      frames.push(frame(by, TCP, Buffer.concat([tcpHead(by, next[by], next[other]), part])));
      next[by] += part.length;
    }
    return frames;
  });
  return Buffer.concat([
    head,
    ...packets.flatMap((packet, index) => [record(packet, index), packet]),
  ]);
}

function record(packet: Uint8Array, index: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(1_700_000_000, 0);
  bytes.writeUInt32LE(index, 4);
  bytes.writeUInt32LE(packet.length, 8);
  bytes.writeUInt32LE(packet.length, 12);
  return bytes;
}

function frame(by: Said['by'], protocol: number, content: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(34 + content.length);
  bytes.set([2, 0, 0, 0, 0, by === 'tester' ? 2 : 1, 2, 0, 0, 0, 0, by === 'tester' ? 1 : 2], 0);
  bytes.writeUInt16BE(0x0800, 12);
  bytes[14] = 0x45;
  bytes.writeUInt16BE(20 + content.length, 16);
  bytes.set([64, protocol], 22);
  bytes.set(by === 'tester' ? TESTER_ADDRESS : ENTITY_ADDRESS, 26);
  bytes.set(by === 'tester' ? ENTITY_ADDRESS : TESTER_ADDRESS, 30);
  bytes.set(content, 34);
  return bytes;
}

function ports(by: Said['by'], bytes: Buffer): void {
  bytes.writeUInt16BE(by === 'tester' ? TESTER_PORT : DOIP_PORT, 0);
  bytes.writeUInt16BE(by === 'tester' ? DOIP_PORT : TESTER_PORT, 2);
}

function udpHead(by: Said['by'], lengthBytes: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  ports(by, bytes);
  bytes.writeUInt16BE(8 + lengthBytes, 4);
  return bytes;
}

function tcpHead(by: Said['by'], sequence: number, acknowledged: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  ports(by, bytes);
  bytes.writeUInt32BE(sequence, 4);
  bytes.writeUInt32BE(acknowledged, 8);
  // Five words of header; PSH and ACK.
  bytes.set([0x50, 0x18, 0xff, 0xff], 12);
  return bytes;
}
