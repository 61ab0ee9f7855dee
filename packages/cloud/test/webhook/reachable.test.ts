import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkReachable, guardedLookup, isPublicAddress } from '../../src/webhook/reachable.ts';
import { sendMessage } from '../../src/webhook/send-message.ts';

describe('checkReachable()', () => {
  it('takes public places by TLS, and hosts on the list', () => {
    for (const url of [
      'https://hooks.example.com/x',
      'https://93.184.216.34/',
      'https://a.test:8443/',
    ]) {
      checkReachable(url, []);
    }
    checkReachable('http://receiver.internal:9000/', ['receiver.internal']);
    checkReachable('http://127.0.0.1:9000/', ['127.0.0.1:9000']);
  });

  const closed = [
    'http://hooks.example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00:ec2::254]/',
    'https://user:password@hooks.example.com/',
    'https://hooks.example.com:22/',
    'file:///etc/passwd',
    'no url',
  ];
  for (const url of closed) {
    it(`refuses ${url}`, () => {
      assert.throws(() => checkReachable(url, ['receiver.internal']), { code: 'WEBHOOK_ADDRESS' });
    });
  }
});

describe('guardedLookup()', () => {
  it('refuses a name that leads inside, at the moment of the connection', async () => {
    const result = await sendMessage(
      { url: 'https://localhost:8443/', headers: {}, body: '{}' },
      [],
    );
    assert.match(result.problem ?? '', /no public address/);
  });

  it('lets hosts on the list lead wherever they lead', async () => {
    const look = guardedLookup(new URL('http://localhost:1/'), ['localhost']);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    look('localhost', {}, (error, address) => {
      resolve(error ?? address);
    });
    assert.ok(['127.0.0.1', '::1'].includes(String(await promise)));
  });
});

describe('isPublicAddress()', () => {
  it('knows the bounds of closed networks', () => {
    const open = ['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '100.128.0.0'];
    const shut = ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '100.64.0.1'];
    assert.deepEqual([...open, ...shut].filter(isPublicAddress), open);
    assert.deepEqual(
      ['2606:4700::1111', 'fe80::1', '2001:db8::1', '2001::1', '3ffe::1', 'ff02::1', 'x'].filter(
        isPublicAddress,
      ),
      ['2606:4700::1111', '3ffe::1'],
    );
  });
});
