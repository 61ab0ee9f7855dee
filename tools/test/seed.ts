/** Preloaded into every test process: gives fast-check the seed of the run, so that a failure replays. */
import { configureGlobal } from 'fast-check';

const seed = Number(process.env['SEED']);
if (Number.isSafeInteger(seed)) configureGlobal({ seed });
