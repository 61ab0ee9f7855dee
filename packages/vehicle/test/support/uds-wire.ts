/** A wire between testers and one ECU, within the process: whole messages, in their order. */
import type { DiagnosticChannel, DiagnosticEndpoint, DiagnosticRequest } from '@immota/vehicle';

/** What may go wrong on it. */
export interface UdsWireOptions {
  readonly messageMaxBytes?: number;
  /** Loses a message of the ECU. */
  readonly isLost?: (message: Uint8Array) => boolean;
}

/** See the head of the file. */
export interface UdsWire {
  readonly endpoint: DiagnosticEndpoint;
  connect(tester: number, options?: { readonly isFunctional?: boolean }): DiagnosticChannel;
  /** All that testers have sent. */
  readonly requests: Uint8Array[];
  /** All that was said, in its order. */
  readonly said: { readonly by: 'tester' | 'ecu'; readonly bytes: Uint8Array }[];
  /** Breaks the wire of each tester; what is sent fails, until it is mended. */
  cut(isCut: boolean): void;
}

/** Lays a wire. */
export function layUdsWire({ messageMaxBytes = 4095, isLost }: UdsWireOptions = {}): UdsWire {
  let handler: ((request: DiagnosticRequest) => void) | undefined;
  let isCut = false;
  const requests: Uint8Array[] = [];
  const said: UdsWire['said'] = [];
  return {
    requests,
    said,
    cut: (value) => {
      isCut = value;
    },
    endpoint: {
      messageMaxBytes,
      serve: (serve) => {
        handler = serve;
        return () => {
          handler = undefined;
        };
      },
      close: async () => Promise.resolve(),
    },
    connect: (tester, { isFunctional = false } = {}) => {
      const listeners = new Set<(message: Uint8Array) => void>();
      return {
        messageMaxBytes,
        send: async (message) => {
          await Promise.resolve();
          if (isCut) throw new TypeError('the wire is cut');
          if (message.length > messageMaxBytes) throw new TypeError('the message is too long');
          const bytes = message.slice();
          requests.push(message.slice());
          said.push({ by: 'tester', bytes: message.slice() });
          handler?.({
            tester,
            isFunctional,
            bytes,
            respond: async (answer) => {
              await Promise.resolve();
              // The carrier's memory is its own, as on a real one.
              said.push({ by: 'ecu', bytes: answer.slice() });
              if (answer[2] !== 0x78) bytes.fill(0xee);
              if (isCut || isLost?.(answer) === true) return;
              for (const listener of listeners) listener(answer.slice());
            },
          });
        },
        listen: (listener) => {
          listeners.add(listener);
          return () => {
            listeners.delete(listener);
          };
        },
        close: async () => {
          listeners.clear();
          await Promise.resolve();
        },
      };
    },
  };
}
