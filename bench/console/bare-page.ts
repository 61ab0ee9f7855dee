/** The peer of a first load: a page whose one script has so many bytes and does nothing with them. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A page that is served. */
export interface BarePage {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves it. @param bytes - of page and script together. @param heading - shown once the script ran. */
export async function servePage(bytes: number, heading: string): Promise<BarePage> {
  const page = Buffer.from(`<!doctype html><title>Bare</title><script src="/bytes.js"></script>
<h1>${heading}</h1>`);
  const script = Buffer.from(`/*${'.'.repeat(Math.max(0, bytes - page.length))}*/`);
  const server = createServer((request, response) => {
    const isScript = request.url === '/bytes.js';
    const isPage = request.url === '/';
    const body = isScript ? script : isPage ? page : Buffer.alloc(0);
    const type = isScript ? 'text/javascript' : 'text/html; charset=utf-8';
    const status = isScript || isPage ? 200 : 404;
    response.writeHead(status, { 'content-type': type, 'content-length': body.length });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
