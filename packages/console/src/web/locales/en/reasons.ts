import { type ReasonCode, REASONS } from '@immota/api';

/** Why a vehicle is not updated, and the next step: in English the contract's own words. */
export const reasons: Readonly<Record<ReasonCode, { meaning: string; nextStep: string }>> = REASONS;
