/** One HTTP exchange, as the Primary needs it. A simulation hands in a network of its own. */

/** What is asked. */
export interface FetchRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Absolute; `https:` only. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** Ends the exchange; what waits for it rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** What comes back. Redirects are not followed: they come back as they are. */
export interface FetchResponse {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** To be read once; who stops early breaks the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Who makes exchanges. */
export interface Fetcher {
  /**
   * Asks.
   *
   * @throws VehicleFault NETWORK without an answer; SERVER_UNTRUSTED when the server is not the one.
   */
  fetch(request: FetchRequest): Promise<FetchResponse>;
  /** Ends all connections. */
  close(): void;
}

/** How much of an answer that nobody wants is read, so that the connection can be used again. */
const UNWANTED_MAX_BYTES = 65_536;

/** Reads an answer that nobody wants to its end; a long one costs the connection. */
export async function discardBody({ body }: Pick<FetchResponse, 'body'>): Promise<void> {
  let lengthBytes = 0;
  for await (const bytes of body) {
    lengthBytes += bytes.length;
    if (lengthBytes > UNWANTED_MAX_BYTES) return;
  }
}
