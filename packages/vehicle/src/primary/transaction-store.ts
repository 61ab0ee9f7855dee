/**
 * Where the Primary keeps a transaction: in its state, each record whole or absent, with a line in the
 * journal for whoever has to understand it later, and what is owed to ECUs that were silent at its end.
 */
import type { JsonObject } from '@immota/base';
import { z } from 'zod';
import type { TransactionJournal } from '../transaction/participant.ts';
import { describeLost } from '../transaction/results.ts';
import {
  type TransactionEcu,
  type TransactionRecord,
  transactionSchema,
} from '../transaction/record.ts';
import type { PrimaryContext } from './context.ts';
import { keepInstalledImages } from './image-archive.ts';
import { concludeInstallation } from './installation.ts';
import { jsonValue } from './json-value.ts';
import { closeStop } from './technician-stop.ts';

const TRANSACTION = jsonValue('transaction', transactionSchema);

const debtSchema = z.object({
  correlationId: z.string(),
  /** Which way the vehicle went when this ECU could not. */
  owes: z.enum(['confirm', 'roll-back']),
  why: z.string(),
  entry: transactionSchema.shape.ecus.element,
});

const SAFE_STATE = jsonValue('safe-state', z.array(debtSchema));

/** An ECU that ended neither here nor there, and what it is to do when it is heard of again. */
export type Debt = Readonly<z.infer<typeof debtSchema>>;

/** Finds the transaction under way. */
export function findTransaction({ state }: PrimaryContext): TransactionRecord | undefined {
  return state.values.load(TRANSACTION);
}

/** Lists the ECUs because of which the vehicle is in a declared safe state. */
export function listDebts({ state }: PrimaryContext): readonly Debt[] {
  return state.values.load(SAFE_STATE) ?? [];
}

/** Tells the gate when the vehicle fits together. What says so is durable, and so outlives this process. */
export async function tellGate(context: PrimaryContext): Promise<void> {
  const phase = findTransaction(context)?.phase;
  const isUntouched = phase === undefined || phase === 'preparing';
  if (isUntouched && listDebts(context).length === 0) await context.gate.settle();
}

/** Takes an ECU out of the safe state: it is where the others are. */
export function settleDebt(context: PrimaryContext, ecu: string): void {
  const { state } = context;
  const kept = listDebts(context).filter(({ entry }) => entry.ecu !== ecu);
  state.transaction(() => {
    state.values.save(SAFE_STATE, kept);
    state.journal.append('safe-state-left', { ecu });
  });
}

/** What a manifest says of the safe state. */
export function safeStateObject(context: PrimaryContext): JsonObject | undefined {
  const debts = listDebts(context);
  if (debts.length === 0) return undefined;
  const ecus = debts.map(({ entry, owes, why }) => ({ ecu: entry.ecu, owes, why }));
  return { safeState: { needsWorkshop: ecus } };
}

/** Makes the journal of this Primary. */
export function journalOf(context: PrimaryContext): TransactionJournal {
  const { state } = context;
  return {
    save: (record) =>
      state.transaction(() => {
        state.values.save(TRANSACTION, record);
        closeStop(context, record.phase);
        state.journal.append('transaction', lineOf(record));
      }),
    abandon: (record) =>
      state.transaction(() => {
        state.values.remove(TRANSACTION);
        state.journal.append('transaction', { ...lineOf(record), phase: 'abandoned' });
      }),
    conclude: (record, results) => {
      const installed = keepInstalledImages(context, record);
      state.transaction(() => {
        saveDebts(context, record);
        installed.save();
        state.values.remove(TRANSACTION);
        closeStop(context, undefined);
        state.journal.append('transaction', { ...lineOf(record), phase: 'concluded' });
        concludeInstallation(context, record, results);
      });
      installed.discardOld();
    },
  };
}

/** What is needed to follow a transaction afterwards. */
function lineOf({ correlationId, phase, ecus }: TransactionRecord): JsonObject {
  const steps = Object.fromEntries(ecus.map(({ ecu, step }) => [ecu, step]));
  return { correlationId, phase, steps };
}

/** The lost are kept; those that are where they belong now leave the safe state. */
function saveDebts(
  context: PrimaryContext,
  { phase, correlationId, ecus }: TransactionRecord,
): void {
  const known = listDebts(context);
  const owes = phase === 'committing' ? 'confirm' : 'roll-back';
  const lost = ecus.filter(({ step }) => step === 'lost');
  const settled = new Set(
    ecus.filter(({ step }) => step === 'confirmed' || step === 'lost').map(({ ecu }) => ecu),
  );
  const debts = [
    ...known.filter(({ entry }) => !settled.has(entry.ecu)),
    ...lost.map((entry: TransactionEcu) => ({
      correlationId,
      owes,
      why: describeLost(entry, phase),
      entry,
    })),
  ];
  if (known.length > 0 || debts.length > 0) context.state.values.save(SAFE_STATE, debts);
}
