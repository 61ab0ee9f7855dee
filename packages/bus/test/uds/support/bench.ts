/** An ECU in memory behind a server of UDS, on a clock that the test moves. */
import { createHash } from 'node:crypto';
import { concatBytes } from '@immota/base';
import {
  type AccessRule,
  encodeDtcCount,
  encodeDtcList,
  ROUTINES,
  SERVICES,
  type ServiceRule,
  type UdsContext,
  type UdsDescription,
  type UdsOperation,
  type UdsOutcome,
  type UdsResult,
  UdsServer,
  type UdsServerOutput,
  type UdsServerRequest,
  uintBytes,
} from '../../../src/index.ts';

export const TESTER = 0x0e00;
export const OTHER = 0x0e01;
const ALL: AccessRule = { sessions: ['default', 'programming', 'extended'] };
const OPENED: AccessRule = { sessions: ['programming', 'extended'] };
const GUARDED: AccessRule = { ...OPENED, roles: ['workshop'], levels: [0x11] };
const LOCKED: AccessRule = { ...OPENED, levels: [0x11] };
export const BLOCK_BYTES = 4096;
const BLOCKS = new Map([
  [1, { address: 0x1000, sizeBytes: BLOCK_BYTES, dataFormats: [0] }],
  [2, { address: 0x2000, sizeBytes: BLOCK_BYTES, dataFormats: [0, 1] }],
]);

const subs = (rule: AccessRule, numbers: readonly number[]): ServiceRule => ({
  ...rule,
  subFunctions: new Map(numbers.map((number) => [number, rule])),
});

/** All services, and something of each kind within. */
const DESCRIPTION: UdsDescription = {
  services: new Map<number, ServiceRule>([
    [SERVICES.diagnosticSessionControl, subs(ALL, [1, 2, 3])],
    [SERVICES.ecuReset, subs(OPENED, [1, 2, 3, 4, 5])],
    [SERVICES.clearDiagnosticInformation, ALL],
    [SERVICES.readDtcInformation, subs(ALL, [1, 2, 6, 10])],
    [SERVICES.readDataByIdentifier, ALL],
    [SERVICES.securityAccess, subs(OPENED, [0x11, 0x12])],
    [SERVICES.communicationControl, subs(OPENED, [0, 1, 2, 3])],
    [
      SERVICES.authentication,
      {
        ...OPENED,
        subFunctions: new Map([0, 1, 2, 3, 8].map((number) => [number, OPENED])),
      },
    ],
    [SERVICES.writeDataByIdentifier, ALL],
    [SERVICES.routineControl, subs(ALL, [1, 2, 3])],
    [SERVICES.requestDownload, GUARDED],
    [SERVICES.transferData, GUARDED],
    [SERVICES.requestTransferExit, GUARDED],
    [SERVICES.requestFileTransfer, GUARDED],
    [SERVICES.testerPresent, { ...ALL, subFunctions: new Map([[0, ALL]]) }],
    [SERVICES.securedDataTransmission, OPENED],
    [SERVICES.controlDtcSetting, subs({ sessions: ['extended'] }, [1, 2])],
  ]),
  data: new Map([
    [0xf190, { read: ALL }],
    [0xf18c, { read: ALL }],
    [0xf101, { read: LOCKED, write: { ...LOCKED, lengthMinBytes: 1, lengthMaxBytes: 4 } }],
    [0xf102, { read: { ...ALL, isSecuredOnly: true } }],
    [0xf103, { read: ALL }],
    [0xf15a, { write: { ...GUARDED, lengthMinBytes: 9, lengthMaxBytes: 9 } }],
  ]),
  routines: new Map([
    [
      ROUTINES.eraseMemory,
      { ...GUARDED, controls: ['start'], optionMinBytes: 2, optionMaxBytes: 9, purpose: 'erase' },
    ],
    [
      ROUTINES.checkMemory,
      { ...GUARDED, controls: ['start'], optionMinBytes: 2, optionMaxBytes: 34, purpose: 'check' },
    ],
    [
      ROUTINES.checkProgrammingDependencies,
      {
        ...GUARDED,
        controls: ['start'],
        optionMinBytes: 0,
        optionMaxBytes: 0,
        purpose: 'dependencies',
      },
    ],
    [
      ROUTINES.checkProgrammingPreconditions,
      { ...ALL, controls: ['start', 'stop', 'results'], optionMinBytes: 0, optionMaxBytes: 0 },
    ],
  ]),
  blocks: BLOCKS,
  blockMaxBytes: 130,
  secured: {
    calculation: 1,
    signatureBytes: 8,
    verify: (bytes, signature) => codeOf(bytes).every((byte, index) => byte === signature[index]),
    sign: (bytes) => codeOf(bytes),
  },
  powerDownSeconds: 7,
};

/** Stands for a message authentication code. */
export function codeOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('key').update(bytes).digest()).subarray(0, 8);
}

/** Everything that reached the ECU's memory or files. */
export interface Write {
  readonly block: number | undefined;
  readonly offsetBytes: number;
  readonly data: Uint8Array;
}

/** What operations do; a test changes it. */
class MemoryEcu {
  readonly operations: UdsOperation[] = [];
  readonly writes: Write[] = [];
  readonly contexts: UdsContext[] = [];
  /** Refuses operations of a kind with a code. */
  readonly refusals = new Map<UdsOperation['kind'], number>();
  readonly files = new Map<string, Uint8Array>();
  positionBytes = 0;
  eraseRecord: Uint8Array = Uint8Array.of(0);
  isGood = true;
  #block: number | undefined;

  perform(operation: UdsOperation, context: UdsContext): UdsOutcome {
    this.operations.push(operation);
    this.contexts.push(context);
    const responseCode = this.refusals.get(operation.kind);
    if (responseCode !== undefined) return { kind: 'refused', responseCode };
    return { kind: 'done', result: this.#do(operation) };
  }

  #do(operation: UdsOperation): UdsResult {
    switch (operation.kind) {
      case 'readData':
        return record(
          ...operation.identifiers.flatMap((identifier) => [
            uintBytes(identifier, 2),
            Uint8Array.of(identifier === 0xf103 ? 0xee : 0xaa, 0xbb),
            ...(identifier === 0xf103 ? [new Uint8Array(5000)] : []),
          ]),
        );
      case 'readDtcs':
        return operation.query.kind === 'count'
          ? record(...encodeDtcCount(0x7f, 1))
          : record(...encodeDtcList(0x7f, [{ dtc: 0x123456, status: 8 }]));
      case 'makeSeed':
        return record(Uint8Array.of(1, 2, 3, operation.level));
      case 'checkKey':
        return { kind: 'key', isValid: operation.key.every((byte, i) => byte === 9 - i) };
      case 'verifyCertificate':
        return {
          kind: 'challenge',
          answer: {
            challenge: new Uint8Array(16).fill(5),
            ephemeralKey: new Uint8Array(),
            certificate: Uint8Array.of(7),
            proof: Uint8Array.of(8),
          },
        };
      case 'verifyProof':
        return { kind: 'role', role: 'workshop', sessionKeyInformation: new Uint8Array() };
      case 'eraseBlock': {
        const block = BLOCKS.get(operation.block);
        if (block === undefined) throw new TypeError('the server knows the blocks');
        const { address, sizeBytes } = block;
        return { kind: 'erased', record: this.eraseRecord, region: { address, sizeBytes } };
      }
      case 'checkBlock':
        return {
          kind: 'checked',
          record: Uint8Array.of(this.isGood ? 0 : 1),
          isGood: this.isGood,
        };
      case 'openDownload':
        this.#block = operation.block;
        return record();
      case 'openFile': {
        this.#block = undefined;
        const { mode, path, sizeBytes } = operation.request;
        const size = mode === 'read' ? (this.files.get(path)?.length ?? 0) : sizeBytes;
        return { kind: 'opened', sizeBytes: size, positionBytes: this.positionBytes };
      }
      case 'writeTransfer': {
        const { offsetBytes, data } = operation;
        this.writes.push({ block: this.#block, offsetBytes, data });
        return record();
      }
      case 'readTransfer': {
        const file = this.files.values().next().value ?? new Uint8Array();
        const { offsetBytes, lengthBytes } = operation;
        return record(file.subarray(offsetBytes, offsetBytes + lengthBytes));
      }
      case 'routine':
        return record(Uint8Array.of(0));
      case 'enterSession':
      case 'prepareReset':
      case 'reset':
      case 'writeData':
      case 'clearDtcs':
      case 'setDtcs':
      case 'controlCommunication':
      case 'finishTransfer':
        return record();
      default:
        return operation satisfies never;
    }
  }
}

/** See the head of the file. */
export class UdsBench {
  atMs = 100_000;
  readonly ecu = new MemoryEcu();
  readonly server: UdsServer<UdsServerRequest>;
  /** Jobs that the test finishes itself. */
  readonly held: { readonly job: number; readonly operation: UdsOperation }[] = [];
  readonly kept: number[] = [];
  readonly refused: number[] = [];
  isHolding = false;

  constructor(
    description: Partial<UdsDescription> = {},
    failedAttempts = 0,
    messageMaxBytes = 4095,
  ) {
    this.server = new UdsServer(
      { ...DESCRIPTION, ...description },
      { messageMaxBytes, failedAttempts, atMs: 0 },
    );
  }

  /** Sends a request, and gives what was answered at once, in hex. */
  ask(bytes: Uint8Array | string, options: Partial<UdsServerRequest> = {}): string {
    return this.say(bytes, options)
      .map((message) => message.toHex())
      .join(' ');
  }

  say(bytes: Uint8Array | string, options: Partial<UdsServerRequest> = {}): Uint8Array[] {
    const request =
      typeof bytes === 'string' ? Uint8Array.fromHex(bytes.replaceAll(' ', '')) : bytes;
    return this.#run(
      this.server.handle(
        { tester: TESTER, isFunctional: false, ...options, bytes: request },
        this.atMs,
      ),
    );
  }

  /** Moves the clock to each deadline on the way. */
  pass(milliseconds: number): string {
    const endMs = this.atMs + milliseconds;
    const messages: Uint8Array[] = [];
    for (;;) {
      const { deadlineMs } = this.server;
      if (deadlineMs === undefined || deadlineMs > endMs) break;
      this.atMs = Math.max(this.atMs, deadlineMs);
      messages.push(...this.#run(this.server.elapse(this.atMs)));
    }
    this.atMs = endMs;
    return messages.map((message) => message.toHex()).join(' ');
  }

  /** Finishes what was held. */
  release(outcome?: UdsOutcome): string {
    const job = this.held.shift();
    if (job === undefined) throw new TypeError('nothing is held');
    const context = { tester: 0, session: 'default', role: undefined, level: undefined } as const;
    const done = outcome ?? this.ecu.perform(job.operation, context);
    const messages = this.#run(this.server.complete(job.job, done, this.atMs));
    return messages.map((message) => message.toHex()).join(' ');
  }

  /** Begins an extended session and authenticates. */
  authenticate(session: '02' | '03' = '03'): void {
    this.ask(`10${session}`);
    this.ask('290100 0001aa 0000');
    this.ask('2903 0001bb 0000');
  }

  #run(outputs: readonly UdsServerOutput<UdsServerRequest>[]): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (const output of outputs) {
      if (output.kind === 'respond') messages.push(output.message);
      else if (output.kind === 'keepAttempts') this.kept.push(output.failedAttempts);
      else if (output.kind === 'refused') this.refused.push(output.responseCode);
      else if (this.isHolding) this.held.push(output);
      else {
        const outcome = this.ecu.perform(output.operation, output.context);
        messages.push(...this.#run(this.server.complete(output.job, outcome, this.atMs)));
      }
    }
    return messages;
  }
}

function record(...parts: readonly Uint8Array[]): UdsResult {
  return { kind: 'record', record: concatBytes(parts) };
}
