/**
 * The one session beyond the default that an ECU has, and all that belongs to it. It is one tester's;
 * others are served as in the default session, without rights.
 */
import { KEY_ATTEMPTS_MAX, KEY_BOOT_DELAY_MS, KEY_DELAY_MS } from '../limits.ts';
import type { UdsSession } from '../service-id.ts';
import type { KeyPolicy, UdsDescription } from './description.ts';
import { KeyGuard } from './key-guard.ts';
import { MemoryProgramming } from './memory-programming.ts';
import type { UdsContext } from './operation.ts';
import { RoleGuard } from './role-guard.ts';
import { Transfer } from './transfer.ts';

const KEY_POLICY: KeyPolicy = {
  attemptsMax: KEY_ATTEMPTS_MAX,
  delayMs: KEY_DELAY_MS,
  bootDelayMs: KEY_BOOT_DELAY_MS,
};

/** See the head of the file. */
export class SessionState {
  readonly keys: KeyGuard;
  readonly roles: RoleGuard = new RoleGuard();
  readonly memory: MemoryProgramming;
  readonly transfer: Transfer;
  #session: UdsSession = 'default';
  #owner: number | undefined;
  #securedCounter = -1;

  constructor(
    description: UdsDescription,
    blockMaxBytes: number,
    start: { readonly failedAttempts: number; readonly atMs: number },
  ) {
    const policy = description.keyPolicy ?? KEY_POLICY;
    this.keys = new KeyGuard(policy, start.failedAttempts, start.atMs);
    this.memory = new MemoryProgramming(description.blocks);
    this.transfer = new Transfer(this.memory, blockMaxBytes);
  }

  /** Whether there is a session beyond the default. */
  get isOpen(): boolean {
    return this.#session !== 'default';
  }

  /** Whether its tester has proved a role, or unlocked a level. */
  get hasRights(): boolean {
    return this.roles.role !== undefined || this.keys.level !== undefined;
  }

  /** Whose it is. */
  get owner(): number | undefined {
    return this.#owner;
  }

  /** What a tester is here. */
  contextOf(tester: number): UdsContext {
    if (tester !== this.#owner) {
      return { tester, session: 'default', role: undefined, level: undefined };
    }
    return { tester, session: this.#session, role: this.roles.role, level: this.keys.level };
  }

  /**
   * Begins a session. What was written by halves is given up, levels are locked {14229-1:2020 10.2.1};
   * a role lasts from one session to the next, but not into the default one.
   */
  enter(session: UdsSession, tester: number): void {
    if (session === 'default' || tester !== this.#owner) {
      this.roles.revoke();
      this.#securedCounter = -1;
    }
    this.#session = session;
    this.#owner = session === 'default' ? undefined : tester;
    this.keys.lock();
    this.forgetWork();
  }

  /** Gives up what was begun: the rights under which it was are gone. */
  forgetWork(): void {
    this.transfer.abort();
    this.memory.forget();
  }

  /** Takes the counter of a secured message; false when it has been there before. */
  takeSecuredCounter(counter: number): boolean {
    if (counter <= this.#securedCounter) return false;
    this.#securedCounter = counter;
    return true;
  }
}
