/** A TUF repository of a given size, in memory, behind a plain HTTP server. */
import { createServer, type Server } from 'node:http';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { generateSigner } from '@immota/pki';
import {
  keyIdOf,
  type RoleDescription,
  rootPayload,
  signMetadata,
  snapshotPayload,
  TARGETS_ROLE,
  targetsPayload,
  timestampPayload,
  TUF,
} from '@immota/uptane';

/** Where the repository is. */
export interface ServedRepository {
  readonly url: string;
  readonly root: Uint8Array;
  /** The one target that is downloaded. */
  readonly targetName: string;
  readonly server: Server;
}

/** Builds and serves a repository. */
export async function serveRepository(targetCount: number): Promise<ServedRepository> {
  const signer = generateSigner('ecdsa-p256');
  const keyId = keyIdOf(TUF, signer.algorithm, signer.publicKeyDer);
  const role: RoleDescription = {
    keys: [{ keyId, algorithm: signer.algorithm, publicKeyDer: signer.publicKeyDer }],
    threshold: 1,
  };
  const expires = Temporal.Now.instant().add({ hours: 24 });
  const head = { version: 1, expires };
  const content = Buffer.alloc(1024, 7);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const list = Array.from({ length: targetCount }, (_, index) => ({
    name: `firmware/ecu-${String(index).padStart(6, '0')}.bin`,
    lengthBytes: content.length,
    // The first one is downloaded under the name that its only hash gives it.
    hashes:
      index === 0
        ? new Map([['sha256', sha256]] as const)
        : new Map([
            ['sha256', sha256],
            ['sha512', createHash('sha512').update(`${index}`).digest('hex')],
          ] as const),
    custom: {
      hardwareIds: [`hw-${index % 50}`],
      version: '1.2.3',
      mustMatch: { releaseCounter: 7 },
    },
  }));
  const [first] = list;
  if (first === undefined) throw new RangeError('a repository has a target');
  const roles = { root: role, timestamp: role, snapshot: role, targets: role };
  const sign = (signed: Parameters<typeof signMetadata>[1]): Promise<Uint8Array> =>
    signMetadata(TUF, signed, [signer]);
  const root = await sign(rootPayload(TUF, { ...head, roles, consistentSnapshot: true }));
  const targets = await sign(targetsPayload(TUF, { ...head, files: list }));
  const snapshot = await sign(
    snapshotPayload(TUF, {
      ...head,
      files: new Map([[TARGETS_ROLE, { version: 1, bytes: targets }]]),
    }),
  );
  const timestamp = await sign(
    timestampPayload(TUF, { ...head, snapshot: { version: 1, bytes: snapshot } }),
  );
  const served = new Map<string, Uint8Array>([
    ['/metadata/1.root.json', root],
    ['/metadata/timestamp.json', timestamp],
    ['/metadata/1.snapshot.json', snapshot],
    ['/metadata/1.targets.json', targets],
    [`/targets/firmware/${sha256}.ecu-000000.bin`, content],
  ]);
  const server = createServer((request, response) => {
    const bytes = served.get(request.url ?? '');
    response.writeHead(bytes === undefined ? 404 : 200, { 'Content-Length': bytes?.length ?? 0 });
    response.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, root, targetName: first.name, server };
}
