import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildLayout, createSRecordReader, encodeSRecord, type ImageLayout } from '@immota/image';
import { codeOf } from '../bytes.ts';

/** Adds what a record lacks: its count of bytes and its checksum. */
function record(type: string, digits: string): string {
  const body = Buffer.concat([Uint8Array.of(digits.length / 2 + 1), Buffer.from(digits, 'hex')]);
  const sum = body.reduce((total, byte) => total + byte, 0);
  return `${type}${body.toString('hex').toUpperCase()}${Uint8Array.of(~sum).toHex().toUpperCase()}`;
}

const HEADER = record('S0', '0000484452');
const DATA = record('S1', '100001020304');
const END = 'S9030000FC';

function read(...lines: readonly string[]): ImageLayout {
  const reader = createSRecordReader();
  reader.push(Buffer.from(lines.join('\n')));
  return reader.finish();
}

function codeOfLines(...lines: readonly string[]): string | undefined {
  return codeOf(() => read(...lines));
}

const at = (address: number, entryPoint?: number): ImageLayout =>
  buildLayout([{ address, bytes: Uint8Array.of(1, 2, 3, 4) }], entryPoint);

describe('createSRecordReader()', () => {
  it('reads addresses of 16, 24 and 32 bits with their end records', () => {
    assert.deepEqual(read(HEADER, DATA, END), at(0x1000));
    assert.deepEqual(
      read(record('S2', '12345601020304'), record('S8', '123456')),
      at(0x12_3456, 0x12_3456),
    );
    assert.deepEqual(
      read(record('S3', 'FFFFFFF001020304'), record('S7', 'FFFFFFF0')),
      at(0xffff_fff0, 0xffff_fff0),
    );
  });

  it('reads a well-known example of the format', () => {
    const layout = read(
      'S00F000068656C6C6F202020202000003C',
      'S11F00007C0802A6900100049421FFF07C6C1B787C8C23783C6000003863000026',
      'S11F001C4BFFFFE5398000007D83637880010014382100107C0803A64E800020E9',
      'S111003848656C6C6F20776F726C642E0A0042',
      'S5030003F9',
      'S9030000FC',
    );
    const [only] = layout.segments;
    assert.equal(layout.segments.length, 1);
    assert.equal(only?.address, 0);
    assert.equal(Buffer.from(only.bytes.subarray(0x38)).toString('latin1'), 'Hello world.\n\0');
  });

  it('takes an end record of address zero for no entry point', () => {
    assert.equal(read(DATA, END).entryPoint, undefined);
    assert.equal(read(DATA, record('S9', '1000')).entryPoint, 0x1000);
  });

  it('checks the count of data records', () => {
    assert.equal(codeOfLines(DATA, record('S5', '0001'), END), undefined);
    assert.equal(codeOfLines(DATA, record('S6', '000001'), END), undefined);
    assert.equal(codeOfLines(DATA, record('S5', '0002'), END), 'RECORD_COUNT');
    assert.equal(codeOfLines(DATA, record('S6', '000000'), END), 'RECORD_COUNT');
  });

  it('refuses records in the wrong place', () => {
    const count = record('S5', '0001');
    assert.equal(codeOfLines(DATA, END, END), 'RECORD_ORDER');
    assert.equal(codeOfLines(DATA, END, DATA), 'RECORD_ORDER');
    assert.equal(codeOfLines(HEADER, HEADER, DATA, END), 'RECORD_ORDER');
    assert.equal(codeOfLines(DATA, HEADER, END), 'RECORD_ORDER');
    assert.equal(codeOfLines(DATA, count, count, END), 'RECORD_ORDER');
    assert.equal(codeOfLines(DATA, count, record('S1', '200001'), END), 'RECORD_ORDER');
  });

  it('refuses lines that are no records', () => {
    const refused = [
      'S',
      'S1',
      'S100FF',
      DATA.slice(1),
      DATA.toLowerCase(),
      ` ${DATA}`,
      `${DATA} `,
      `${DATA}00`,
      DATA.slice(0, -2),
      DATA.slice(0, -1),
      DATA.replace('01', '0x'),
      record('S4', '0000'),
      record('S:', '0000'),
      record('SA', '0000'),
      record('S3', '100000'),
      record('S9', '100000'),
      record('S5', '000100'),
      record('S7', '0000'),
    ];
    for (const line of refused)
      assert.equal(codeOfLines(line, DATA, END), 'RECORD_MALFORMED', line);
  });

  it('refuses a wrong checksum', () => {
    assert.equal(codeOfLines(DATA, 'S9030000FD', ''), 'RECORD_CHECKSUM');
    assert.equal(codeOfLines(DATA, 'S9030000FC', ''), undefined);
  });

  it('refuses a file without its end, without data, or with two claims to one address', () => {
    assert.equal(codeOfLines(DATA), 'TRUNCATED');
    assert.equal(codeOfLines(DATA, record('S5', '0001')), 'TRUNCATED');
    assert.equal(codeOfLines(HEADER, END), 'LAYOUT_EMPTY');
    assert.equal(codeOfLines(DATA, DATA, END), 'OVERLAP');
  });

  it('refuses a second address width, in data and in the end record', () => {
    assert.equal(codeOfLines(DATA, record('S2', '00200001'), END), 'RECORD_MALFORMED');
    assert.equal(codeOfLines(DATA, record('S8', '000000'), ''), 'RECORD_MALFORMED');
    assert.equal(codeOfLines(record('S2', '00200001'), END, ''), 'RECORD_MALFORMED');
  });

  it('refuses bytes beyond the address space', () => {
    const end = record('S7', '00000000');
    assert.equal(codeOfLines(record('S3', 'FFFFFFFF01'), end), undefined);
    assert.equal(codeOfLines(record('S3', 'FFFFFFFF0102'), end), 'ADDRESS_RANGE');
  });
});

const linesOf = (layout: ImageLayout): readonly string[] =>
  Buffer.concat([...encodeSRecord(layout)])
    .toString()
    .split('\n');

describe('encodeSRecord()', () => {
  it('writes the narrowest addresses that fit', () => {
    assert.deepEqual(linesOf(at(0x1000)), ['S0030000FC', DATA, 'S5030001FB', END, '']);
    assert.deepEqual(
      linesOf(at(0xffff - 3))
        .at(1)
        ?.slice(0, 2),
      'S1',
    );
    assert.deepEqual(
      linesOf(at(0xffff - 2))
        .at(1)
        ?.slice(0, 2),
      'S2',
    );
    assert.deepEqual(
      linesOf(at(0xff_ffff - 3))
        .at(-2)
        ?.slice(0, 2),
      'S8',
    );
    assert.deepEqual(
      linesOf(at(0xff_ffff - 2))
        .at(-2)
        ?.slice(0, 2),
      'S7',
    );
  });

  it('lets the entry point widen the addresses', () => {
    assert.deepEqual(linesOf(at(0x1000, 0x1_0000)).at(-2), record('S8', '010000'));
  });

  it('counts more than 65,535 records with 24 bits', () => {
    const layout = buildLayout([{ address: 0, bytes: new Uint8Array(65_536) }], undefined);
    const text = Buffer.concat([...encodeSRecord(layout, 1)]);
    assert.equal(text.toString().split('\n').at(-3), record('S6', '010000'));
    const reader = createSRecordReader();
    reader.push(text);
    assert.deepEqual(reader.finish(), layout);
  });
});
