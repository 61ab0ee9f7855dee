/** Judges the text of files: their length, what they leave open, and what they give away. */
import type { Source } from './source.ts';

/** A file longer than this has more than one subject. */
const LINES_MAX = 500;

const CODE = /\.(?:ts|tsx|mjs|css|sql|sh)$/;
/** A folder of somebody's machine: a home, a temporary or a work folder, on any system. */
const MACHINE_PATH = /(?<![\w./-])\/(?:work|tmp|home|Users)\/[\w.-]+|\/root\/\.|\b[A-Z]:\\+Users\\/;
const OPEN_WORD = /\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/;

/**
 * Judges any text file.
 *
 * @param file - its path relative to the root.
 * @param text - its content.
 * @returns one line for each fault.
 */
export function findTextFaults(file: string, text: string): readonly string[] {
  const faults: string[] = [];
  const lines = text.split('\n');
  if (CODE.test(file) && lines.length - 1 > LINES_MAX) {
    faults.push(`${file}: has ${lines.length - 1} lines, more than ${LINES_MAX}`);
  }
  for (const [index, line] of lines.entries()) {
    const path = MACHINE_PATH.exec(line)?.[0];
    if (path !== undefined) faults.push(`${file}:${index + 1}: names a path of a machine, ${path}`);
  }
  return faults;
}

/**
 * Judges what a source file says in comments and leaves out of its tests.
 *
 * @param file - its path relative to the root.
 * @param source - the file, read.
 * @returns one line for each fault.
 */
export function findSourceFaults(file: string, source: Source): readonly string[] {
  const open = source.comments
    .filter(({ text }) => OPEN_WORD.test(text))
    .map(({ line }) => `${file}:${line}: leaves work open without naming an issue`);
  const narrowed = source.narrowed.map(
    ({ text, line }) => `${file}:${line}: ${text} leaves tests out; skip by { skip: 'the reason' }`,
  );
  return [...open, ...narrowed];
}
