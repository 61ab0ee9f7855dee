/**
 * How diagnostic messages (UDS, ISO 14229-1) reach an ECU, whatever carries them: ISO-TP on a CAN bus,
 * or DoIP. Ports: the client and the server of UDS stand on these and know no carrier.
 */

/** A tester's way to one ECU, or to a functional group of them. */
export interface DiagnosticChannel {
  /** Bytes of the longest message that this way carries. */
  readonly messageMaxBytes: number;
  /** Sends a request; fulfils when the far end has it, or when the carrier cannot tell more. */
  send(message: Uint8Array): Promise<void>;
  /** Hears each message of the ECU from now on, whole ones alone. @returns what ends it. */
  listen(listener: (message: Uint8Array) => void): () => void;
  close(): Promise<void>;
}

/** A request that reached an ECU. */
export interface DiagnosticRequest {
  /** Who asks, as the carrier tells it: a DoIP source address, or the identifier of a CAN frame. */
  readonly tester: number;
  /** True when all ECUs of a group were asked: some refusals are then kept silent. */
  readonly isFunctional: boolean;
  readonly bytes: Uint8Array;
  /** Answers; may be called several times (response pending), or never. */
  respond(message: Uint8Array): Promise<void>;
}

/** An ECU's end of a carrier: it hands each request to the server. */
export interface DiagnosticEndpoint {
  readonly messageMaxBytes: number;
  /** Serves requests from now on. @returns what ends it. */
  serve(handler: (request: DiagnosticRequest) => void): () => void;
  close(): Promise<void>;
}
