import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { DoipActivationRule } from '@immota/bus';
import type { ClientTls, DoipActivation, EntityTls } from '@immota/vehicle';
import {
  type Authorities,
  makeAuthorities,
  makeServer,
  makeVehicleFiles,
  type ServerCredential,
} from '../support/authorities.ts';
import { ask, openBench, rawTester, TESTER } from './doip-bench.ts';

const NEEDS_TLS: ReadonlyMap<number, DoipActivationRule> = new Map([
  [0x00, { needsTls: true, needsAuthorization: false }],
]);
const NEEDS_YES: ReadonlyMap<number, DoipActivationRule> = new Map([
  [0x00, { needsTls: true, needsAuthorization: true }],
]);
const REQUEST = Uint8Array.of(0x3e, 0);

describe('DoIP by TLS', () => {
  let authorities: Authorities;
  let server: ServerCredential;
  let credential: { readonly cert: string; readonly key: string };
  let ca: string;

  before(async () => {
    authorities = await makeAuthorities();
    server = await makeServer(authorities);
    const files = await makeVehicleFiles(authorities, 'tester-1');
    credential = { cert: files.clientPem, key: files.privateKeyPem };
    ca = files.rootPem;
  });

  const entityTls = (changes: Partial<EntityTls> = {}): EntityTls => {
    return { ...server, ca, port: 0, clientCertificate: 'required', ...changes };
  };
  const clientTls = (port: number | undefined, changes: Partial<ClientTls> = {}): ClientTls => {
    return { port, ca, credential, use: 'onDemand', ...changes };
  };

  it('brings a tester from plain TCP to TLS when the entity wants it', async (t) => {
    const bench = await openBench(t, { tls: entityTls(), activationTypes: NEEDS_TLS });
    const connection = await bench.connect({ tls: clientTls(bench.entity.tlsPort) });
    assert.equal(connection.isSecure, true);
    assert.deepEqual([...(await ask(connection, REQUEST))], [0x7e, 2]);
  });

  it('tells a tester who has no TLS that it is needed', async (t) => {
    const bench = await openBench(t, { tls: entityTls(), activationTypes: NEEDS_TLS });
    await assert.rejects(bench.connect(), { code: 'TLS_REQUIRED', wireCode: 0x07 });
  });

  it('goes by TLS alone when the tester says so', async (t) => {
    const bench = await openBench(t, { tls: entityTls() });
    const tls = clientTls(bench.entity.tlsPort, { use: 'always' });
    const connection = await bench.connect({ tls, port: 1 });
    assert.equal(connection.isSecure, true);
  });

  it('refuses a tester without a certificate where one is required', async (t) => {
    const bench = await openBench(t, { tls: entityTls() });
    const tls = clientTls(bench.entity.tlsPort, { credential: undefined, use: 'always' });
    await assert.rejects(bench.connect({ tls }), { code: 'CONNECTION_CLOSED' });
    assert.equal(bench.entity.socketsOpen, 0);
  });

  it('refuses an entity that the tester’s authorities do not vouch for', async (t) => {
    const bench = await openBench(t, { tls: entityTls() });
    const strangers = await makeAuthorities('Other Root');
    const files = await makeVehicleFiles(strangers, 'tester-2');
    const tls = clientTls(bench.entity.tlsPort, { ca: files.rootPem, use: 'always' });
    await assert.rejects(bench.connect({ tls }), { code: 'NETWORK' });
  });

  it('shows the certificate to whoever has to say yes, and none that strangers issued', async (t) => {
    const asked: DoipActivation[] = [];
    const bench = await openBench(t, {
      tls: entityTls({ clientCertificate: 'optional' }),
      activationTypes: NEEDS_YES,
      authorize: (activation) => {
        asked.push(activation);
        const isKnown = activation.peer.certificate !== undefined;
        return Promise.resolve(isKnown ? 'granted' : 'authenticationMissing');
      },
    });
    const { tlsPort } = bench.entity;
    const known = await bench.connect({ tls: clientTls(tlsPort, { use: 'always' }) });
    assert.deepEqual([...(await ask(known, REQUEST))], [0x7e, 2]);
    const strangers = await makeVehicleFiles(await makeAuthorities('Other Root'), 'tester-2');
    const stranger = { cert: strangers.clientPem, key: strangers.privateKeyPem };
    for (const shown of [undefined, stranger]) {
      const tls = clientTls(tlsPort, { credential: shown, use: 'always' });
      const attempt = bench.connect({ tls, source: 0x0e81 });
      await assert.rejects(attempt, { code: 'ACTIVATION_REFUSED', wireCode: 0x04 });
    }
    assert.deepEqual(
      asked.map(({ tester, peer }) => [tester, peer.certificate !== undefined]),
      [
        [TESTER, true],
        [0x0e81, false],
        [0x0e81, false],
      ],
    );
  });

  it('lets nobody in when there is nobody to say yes', async (t) => {
    const bench = await openBench(t, { tls: entityTls(), activationTypes: NEEDS_YES });
    const tls = clientTls(bench.entity.tlsPort);
    await assert.rejects(bench.connect({ tls }), { code: 'ACTIVATION_REFUSED', wireCode: 0x05 });
  });

  it('waits for a person in the vehicle, and tells the tester so', async (t) => {
    const person = Promise.withResolvers<'granted'>();
    const bench = await openBench(t, {
      activationTypes: new Map([[0, { needsTls: false, needsAuthorization: true }]]),
      authorize: async ({ announcePending }) => {
        announcePending();
        return await person.promise;
      },
    });
    const opening = bench.connect();
    await bench.timer.pass(10_000);
    person.resolve('granted');
    const connection = await opening;
    assert.deepEqual([...(await ask(connection, REQUEST))], [0x7e, 2]);
  });

  it('drops handshakes that do not go on, the oldest first', async (t) => {
    const bench = await openBench(t, { tls: entityTls() });
    const { tlsPort } = bench.entity;
    assert.ok(tlsPort !== undefined);
    const first = await rawTester(t, tlsPort);
    for (let count = 0; count < 16; count += 1) await rawTester(t, tlsPort);
    assert.equal(await first.next(), undefined);
    const tls = clientTls(tlsPort, { use: 'always' });
    assert.equal((await bench.connect({ tls })).isSecure, true);
  });
});
