/** Who takes a diagnostic message that came by DoIP: an ECU in this very process, or one behind a bus. */
import { DOIP_NACK, type DoipNackCode } from '@immota/bus';
import type { DiagnosticEndpoint, DiagnosticRequest } from '../diagnostics/channel.ts';

/** A request with the address it was sent to. */
export interface RoutedRequest extends DiagnosticRequest {
  readonly target: number;
  /** Where it came in, as the gateway's rules name it; DoIP when left out. */
  readonly from?: string | undefined;
  /** Answers with the address of the ECU that speaks: it is another one than was asked in a group. */
  respondAs(source: number, message: Uint8Array): Promise<void>;
  /** Tells whether the tester has left: its answer interests nobody. */
  isGone(): boolean;
}

/** A place where requests go. */
export interface DiagnosticTarget {
  /** Longer ones are refused before they have come whole. */
  readonly messageMaxBytes: number;
  /**
   * Takes a request.
   *
   * @returns undefined when it is on its way, else why not; it is not answered then.
   */
  deliver(request: RoutedRequest): DoipNackCode | undefined;
}

/** Finds the target of an address, or says why there is none. */
export type DiagnosticRoute = (address: number) => DiagnosticTarget | DoipNackCode;

/** An ECU that is reached without any bus. */
export interface LocalTarget extends DiagnosticTarget, DiagnosticEndpoint {}

/**
 * Joins a server of UDS in this process to DoIP.
 *
 * @param options - `logicalAddress` is the ECU's own: what comes to any other is functional.
 */
export function createLocalTarget(options: {
  readonly logicalAddress: number;
  readonly messageMaxBytes: number;
}): LocalTarget {
  const { logicalAddress, messageMaxBytes } = options;
  let handler: ((request: DiagnosticRequest) => void) | undefined;
  return {
    messageMaxBytes,
    deliver: (request) => {
      if (handler === undefined) return DOIP_NACK.targetUnreachable;
      handler({
        tester: request.tester,
        isFunctional: request.isFunctional || request.target !== logicalAddress,
        bytes: request.bytes,
        respond: (message) => request.respondAs(logicalAddress, message),
      });
      return undefined;
    },
    serve: (next) => {
      handler = next;
      return () => {
        if (handler === next) handler = undefined;
      };
    },
    close: async () => {
      handler = undefined;
      await Promise.resolve();
    },
  };
}
