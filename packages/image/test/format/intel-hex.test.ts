import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildLayout, createIntelHexReader, encodeIntelHex, type ImageLayout } from '@immota/image';
import { codeOf } from '../bytes.ts';

/** Adds what a record lacks: its colon and its checksum. */
function record(digits: string): string {
  const sum = Buffer.from(digits, 'hex').reduce((total, byte) => total + byte, 0);
  return `:${digits}${Uint8Array.of(-sum).toHex().toUpperCase()}`;
}

const END = ':00000001FF';

function read(...lines: readonly string[]): ImageLayout {
  const reader = createIntelHexReader();
  reader.push(Buffer.from(lines.join('\n')));
  return reader.finish();
}

function codeOfLines(...lines: readonly string[]): string | undefined {
  return codeOf(() => read(...lines));
}

const data = record('0400000001020304');

describe('createIntelHexReader()', () => {
  it('reads data until the end record', () => {
    assert.deepEqual(read(data, END), buildLayout([segment(0, [1, 2, 3, 4])], undefined));
  });

  it('adds an extended segment address, shifted by four', () => {
    const layout = read(record('020000021200'), data, END);
    assert.deepEqual(layout, buildLayout([segment(0x1_2000, [1, 2, 3, 4])], undefined));
  });

  it('adds an extended linear address, shifted by sixteen', () => {
    const layout = read(record('020000040800'), data, END);
    assert.deepEqual(layout, buildLayout([segment(0x0800_0000, [1, 2, 3, 4])], undefined));
  });

  it('reads a linear and a segmented entry point', () => {
    assert.equal(read(data, record('0400000508000131'), END).entryPoint, 0x0800_0131);
    assert.equal(read(data, record('0400000300017800'), END).entryPoint, 0x7810);
  });

  it('reads either case of digits and every line end, and skips empty lines', () => {
    const text = [data.toLowerCase(), END].join('\r\n');
    assert.deepEqual(read(text), read(data, END));
    assert.deepEqual(read([data, END].join('\r')), read(data, END));
    assert.deepEqual(read('', data, '', END, '', ''), read(data, END));
  });

  it('skips a data record without data', () => {
    assert.deepEqual(read(record('00123400'), data, END), read(data, END));
  });

  it('refuses lines that are no records', () => {
    const refused = [
      data.slice(1),
      ` ${data}`,
      `${data} `,
      `${data}00`,
      data.slice(0, -2),
      data.slice(0, -1),
      data.replace('01', '0G'),
      ':',
      record('00000006'),
      record('000000FF'),
      record('0100000100'),
      record('0100000208'),
      record('03000003000000'),
      record('0100000408'),
      record('03000005000000'),
    ];
    for (const line of refused) assert.equal(codeOfLines(line, END), 'RECORD_MALFORMED', line);
  });

  it('refuses a wrong checksum, and reads the right one', () => {
    assert.equal(codeOfLines(':0400000001020304F1', END), 'RECORD_CHECKSUM');
    assert.equal(codeOfLines(':0400000001020304F2', END), undefined);
    assert.equal(codeOfLines(data, ':00000001FE'), 'TRUNCATED');
    assert.equal(codeOfLines(data, ':00000001FE', ''), 'RECORD_CHECKSUM');
  });

  it('refuses a record after the end', () => {
    assert.equal(codeOfLines(data, END, data), 'RECORD_ORDER');
    assert.equal(codeOfLines(data, END, END), 'RECORD_ORDER');
  });

  it('refuses a second entry point', () => {
    const entry = record('0400000508000131');
    assert.equal(codeOfLines(data, entry, entry, END), 'RECORD_ORDER');
    assert.equal(codeOfLines(data, entry, record('0400000300017800'), END), 'RECORD_ORDER');
  });

  it('refuses a file without its end', () => {
    assert.equal(codeOfLines(data), 'TRUNCATED');
    assert.equal(codeOfLines(''), 'TRUNCATED');
    assert.equal(codeOfLines(data, END.slice(0, -1)), 'TRUNCATED');
  });

  it('refuses a file without data', () => {
    assert.equal(codeOfLines(END), 'LAYOUT_EMPTY');
  });

  it('refuses two records for one address, equal or not', () => {
    assert.equal(codeOfLines(data, data, END), 'OVERLAP');
    assert.equal(codeOfLines(data, record('02000300AAAA'), END), 'OVERLAP');
    assert.equal(codeOfLines(data, record('02000400AAAA'), END), undefined);
  });

  it('refuses a record that leaves its 64 KiB segment, and lets a linear one go on', () => {
    const last = record('02FFFF000102');
    assert.equal(codeOfLines(last, END), 'ADDRESS_RANGE');
    assert.equal(codeOfLines(record('020000021000'), last, END), 'ADDRESS_RANGE');
    assert.equal(codeOfLines(record('020000040001'), last, END), undefined);
    assert.equal(codeOfLines(record('02FFFE000102'), END), undefined);
  });

  it('refuses a record that wraps around the address space', () => {
    const highest = record('02000004FFFF');
    assert.equal(codeOfLines(highest, record('02FFFF000102'), END), 'ADDRESS_RANGE');
    assert.equal(codeOfLines(highest, record('01FFFF0001'), END), undefined);
  });

  it('refuses a line that no record is as long as', () => {
    const longest = record(`FF000000${'00'.repeat(255)}`);
    assert.equal(longest.length, 521);
    assert.equal(codeOfLines(longest, END), undefined);
    assert.equal(codeOfLines(`${longest}0`, END), 'LINE_LENGTH');
    const reader = createIntelHexReader();
    const endless = Buffer.alloc(64 * 1024, 'A');
    assert.equal(
      codeOf(() => reader.push(endless)),
      'LINE_LENGTH',
    );
  });

  it('refuses more bytes or segments than allowed', () => {
    const limits = { segmentCountMax: 2, lengthMaxBytes: 4, addressSpaceBytes: 0x100 };
    const readLimited =
      (...lines: readonly string[]) =>
      (): void => {
        const reader = createIntelHexReader(limits);
        reader.push(Buffer.from(lines.join('\n')));
        reader.finish();
      };
    const byteAt = (address: number): string => record(`0100${Uint8Array.of(address).toHex()}0055`);
    assert.equal(codeOf(readLimited(data, END)), undefined);
    assert.equal(codeOf(readLimited(data, byteAt(4), END)), 'LAYOUT_LIMIT');
    assert.equal(codeOf(readLimited(byteAt(0), byteAt(2), END)), undefined);
    assert.equal(codeOf(readLimited(byteAt(0), byteAt(2), byteAt(4), END)), 'LAYOUT_LIMIT');
    assert.equal(codeOf(readLimited(byteAt(255), END)), undefined);
    assert.equal(codeOf(readLimited(record('0200FF000102'), END)), 'ADDRESS_RANGE');
    assert.equal(codeOf(readLimited(data, record('0400000500000100'), END)), 'ADDRESS_RANGE');
  });
});

describe('encodeIntelHex()', () => {
  it('writes records as the format has them', () => {
    const layout = buildLayout([segment(0xfffe, [1, 2, 3, 4])], 0x1_0000);
    const text = Buffer.concat([...encodeIntelHex(layout, 16)]).toString();
    assert.deepEqual(text.split('\n'), [
      ':02FFFE000102FE',
      ':020000040001F9',
      ':020000000304F7',
      ':0400000500010000F6',
      ':00000001FF',
      '',
    ]);
  });
});

function segment(
  address: number,
  bytes: readonly number[],
): { address: number; bytes: Uint8Array } {
  return { address, bytes: Uint8Array.from(bytes) };
}
