/** An ECU with a block of memory and everything else that its diagnostics can be asked for. */
import { RESPONSE_CODES, refusalOf } from '@immota/bus';
import type { DataPort, UdsPorts } from '@immota/vehicle';

export const RAM_ADDRESS = 0x1000;
const RAM_BYTES = 16_384;
const ANYBODY = { sessions: ['default', 'programming', 'extended'] } as const;
const UNLOCKED = { sessions: ['programming', 'extended'], levels: [0x11] } as const;

/** See the head of the file. */
export interface RamEcu {
  readonly ports: UdsPorts;
  readonly memory: Uint8Array;
  readonly files: Map<string, Uint8Array>;
  readonly heard: string[];
}

/** Makes it. The key to a seed is each of its bytes turned over. */
export function makeRamEcu(blockMaxBytes = 1024): RamEcu {
  const memory = new Uint8Array(RAM_BYTES).fill(0xff);
  const files = new Map<string, Uint8Array>([['log', Uint8Array.of(1, 2, 3, 4, 5)]]);
  const heard: string[] = [];
  let base = 0;
  let reading: Uint8Array = new Uint8Array();
  let writing: string | undefined;
  const ports: UdsPorts = {
    blockMaxBytes,
    data: new Map<number, DataPort>([
      [
        0xf190,
        {
          read: {
            access: ANYBODY,
            perform: async () => Promise.resolve(Buffer.from('WIMMOTA1234567890')),
          },
        },
      ],
      [
        0xf18c,
        { read: { access: ANYBODY, perform: async () => Promise.resolve(Buffer.from('ECU-7')) } },
      ],
      [
        0xf15a,
        {
          write: {
            access: UNLOCKED,
            lengthMinBytes: 9,
            lengthMaxBytes: 9,
            perform: async (record) => {
              heard.push(`fingerprint ${record.toHex()}`);
              await Promise.resolve();
            },
          },
        },
      ],
    ]),
    routines: new Map([
      [
        0x0203,
        {
          access: ANYBODY,
          controls: ['start', 'stop', 'results'],
          optionMinBytes: 0,
          optionMaxBytes: 0,
          perform: async () => Promise.resolve(Uint8Array.of(0)),
        },
      ],
    ]),
    memory: {
      access: UNLOCKED,
      blocks: new Map([[1, { address: RAM_ADDRESS, sizeBytes: RAM_BYTES, dataFormats: [0] }]]),
      erase: async () => {
        memory.fill(0xff);
        const region = { address: RAM_ADDRESS, sizeBytes: RAM_BYTES };
        return Promise.resolve({ region, record: Uint8Array.of(0) });
      },
      open: async (_block, { address }) => {
        base = address - RAM_ADDRESS;
        writing = undefined;
        await Promise.resolve();
      },
      write: async (offsetBytes, data) => {
        memory.set(data, base + offsetBytes);
        await Promise.resolve();
      },
      finish: nothing,
      abort,
      check: async () =>
        Promise.resolve({
          isGood: memory[0] !== 0xff,
          record: Uint8Array.of(memory[0] === 0xff ? 1 : 0),
        }),
      checkDependencies: async () => Promise.resolve(Uint8Array.of(0)),
    },
    files: {
      access: UNLOCKED,
      open: async ({ mode, path }) => {
        if (mode === 'delete') files.delete(path);
        if (mode === 'add' || mode === 'replace') writing = path;
        reading =
          mode === 'readDirectory'
            ? Buffer.from([...files.keys()].join('\n'))
            : (files.get(path) ?? new Uint8Array());
        if (mode === 'read' && !files.has(path)) throw refusalOf(RESPONSE_CODES.requestOutOfRange);
        return Promise.resolve({ sizeBytes: reading.length, positionBytes: 0 });
      },
      write: async (offsetBytes, data) => {
        const path = writing ?? '';
        const former = offsetBytes === 0 ? new Uint8Array() : (files.get(path) ?? new Uint8Array());
        files.set(path, Buffer.concat([former, data]));
        await Promise.resolve();
      },
      read: async (offsetBytes, lengthBytes) =>
        Promise.resolve(reading.subarray(offsetBytes, offsetBytes + lengthBytes)),
      finish: nothing,
      abort,
    },
    dtcs: {
      statusMask: 0x7f,
      list: async () => Promise.resolve([{ dtc: 0x123456, status: 0x09 }]),
      supported: async () =>
        Promise.resolve([
          { dtc: 0x123456, status: 0x09 },
          { dtc: 0x654321, status: 0 },
        ]),
      extendedData: async () => Promise.resolve({ status: 0x09, records: Uint8Array.of(1, 5) }),
      clear: async (group) => {
        heard.push(`clear ${group.toString(16)}`);
        await Promise.resolve();
      },
      setEnabled: async (isOn) => {
        heard.push(`dtc ${isOn ? 'on' : 'off'}`);
        await Promise.resolve();
      },
    },
    resets: {
      access: UNLOCKED,
      resets: ['hard', 'keyOffOn', 'soft'],
      prepare: abort,
      perform: async (reset) => {
        heard.push(`reset ${reset}`);
        await Promise.resolve();
      },
    },
    communication: async (control) => {
      heard.push(`communication ${control}`);
      await Promise.resolve();
    },
    keys: {
      levels: [0x11],
      failedAttempts: 0,
      policy: { attemptsMax: 3, delayMs: 10_000, bootDelayMs: 0 },
      keepAttempts: abort,
      makeSeed: async () => Promise.resolve(Uint8Array.of(0x12, 0x34, 0x56, 0x78)),
      isKey: async (_level, seed, key) =>
        Promise.resolve(
          key.length === seed.length &&
            seed.every((byte, index) => byte === (~(key[index] ?? 0) & 0xff)),
        ),
    },
  };
  return { ports, memory, files, heard };
}

async function nothing(): Promise<Uint8Array> {
  return await Promise.resolve(new Uint8Array());
}

async function abort(): Promise<void> {
  await Promise.resolve();
}
