/** Plain HTTP for tests of what lies above TLS. */
import { request as sendRequest, type IncomingMessage } from 'node:http';
import { type Fetcher, VehicleFault } from '@immota/vehicle';

export function plainFetcher(): Fetcher {
  return {
    close: () => undefined,
    fetch: async ({ method, url, headers = {}, body, signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const outgoing = sendRequest(url, { method, headers, agent: false }, resolve);
      outgoing.on('error', () => reject(signal.aborted ? signal.reason : broken()));
      signal.addEventListener('abort', () => {
        outgoing.destroy();
        reject(signal.reason);
      });
      outgoing.end(body);
      const message = await promise;
      async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
        try {
          for await (const bytes of message) yield bytes as Uint8Array;
        } catch {
          throw signal.aborted ? signal.reason : broken();
        }
      }
      const listed = Object.entries(message.headers).map(
        ([name, value]) => [name, String(value)] as const,
      );
      return { status: message.statusCode ?? 0, headers: new Map(listed), body: read() };
    },
  };
}

function broken(): VehicleFault {
  return new VehicleFault('NETWORK', 'Cannot reach: broken');
}
