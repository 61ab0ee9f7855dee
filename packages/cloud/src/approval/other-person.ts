/**
 * Whether two are two people. A person, the tokens that they made, the tokens that those made, and the keys of
 * all of them are one: whoever makes a token holds it.
 */
import { CloudFault } from '../fault.ts';
import { THIS_MACHINE } from '../operator/tokens.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { Person } from './decision.ts';

/** Tokens that make tokens that make tokens; nobody needs more, and whoever has more is refused. */
const MAKERS_MAX = 16;

/** Who is compared. */
export interface TwoPeople {
  readonly tenant: string;
  readonly approver: Person;
  readonly author: Person;
  /** By name: whoever created the campaign, as a person or by a token. */
  readonly createdBy: string;
}

/** Under which names and users somebody acts. */
interface Hands {
  readonly own: ReadonlySet<string>;
  /** Who is behind them. */
  readonly makers: ReadonlySet<string>;
}

/**
 * Checks that the approver is neither the author nor whoever created the campaign {R156 7.1.2.5}.
 *
 * @throws CloudFault SELF_APPROVAL.
 */
export async function checkOtherHands(
  tx: CloudTransaction,
  { tenant, approver, author, createdBy }: TwoPeople,
): Promise<void> {
  checkOtherPerson(approver, author, createdBy);
  const approving = await loadHands(tx, tenant, approver);
  if (isOne(approving, await loadHands(tx, tenant, author))) {
    throw selfApproval('approver and author are one person, by themselves or by a token');
  }
  if (isOne(approving, await loadHands(tx, tenant, { name: createdBy }))) {
    throw selfApproval('the approver created the campaign, by themselves or by a token');
  }
}

/**
 * Checks that two people are two by what they themselves say: all that evidence holds.
 *
 * @throws CloudFault SELF_APPROVAL.
 */
export function checkOtherPerson(approver: Person, author: Person, createdBy: string): void {
  const isSameUser = approver.userId !== undefined && approver.userId === author.userId;
  if (isSameUser || approver.name === author.name)
    throw selfApproval('approver and author are one');
  if (approver.madeBy === author.name || author.madeBy === approver.name) {
    throw selfApproval('one of the two made the other’s token');
  }
  const { madeBy } = approver;
  if (madeBy !== undefined && madeBy !== THIS_MACHINE && madeBy === author.madeBy) {
    throw selfApproval('one person made the tokens of the two');
  }
  if (approver.name === createdBy || madeBy === createdBy) {
    throw selfApproval('the approver created the campaign');
  }
}

/** Builds the refusal of whoever would approve their own. */
export function selfApproval(why: string): CloudFault {
  return new CloudFault('SELF_APPROVAL', `Cannot approve campaign: ${why}`);
}

function isOne(one: Hands, other: Hands): boolean {
  const behind = one.makers.intersection(other.makers);
  // On the machine itself the first tokens of everybody are made; that alone makes nobody the same person.
  behind.delete(nameMark(THIS_MACHINE));
  return (
    behind.size > 0 ||
    !one.own.isDisjointFrom(other.own) ||
    !one.own.isDisjointFrom(other.makers) ||
    !one.makers.isDisjointFrom(other.own)
  );
}

async function loadHands(tx: CloudTransaction, tenant: string, person: Person): Promise<Hands> {
  const { name, userId, madeBy } = person;
  const own = new Set(await marksOf(tx, tenant, { name, userId }));
  const makers = new Set<string>();
  const seen = new Set<string>();
  let maker = madeBy ?? (await findMaker(tx, tenant, name));
  while (maker !== undefined && !seen.has(maker)) {
    if (seen.size >= MAKERS_MAX) throw selfApproval('nobody can tell who is behind their token');
    seen.add(maker);
    for (const mark of await marksOf(tx, tenant, { name: maker })) makers.add(mark);
    maker = await findMaker(tx, tenant, maker);
  }
  return { own, makers };
}

/** A token's maker; a person has none. */
async function findMaker(
  tx: CloudTransaction,
  tenant: string,
  name: string,
): Promise<string | undefined> {
  const token = await tx
    .selectFrom('api_token')
    .select('created_by')
    .where('tenant', '=', tenant)
    .where('name', '=', name)
    .executeTakeFirst();
  return token?.created_by;
}

/** A person is the same by their address and by their user. */
async function marksOf(
  tx: CloudTransaction,
  tenant: string,
  { name, userId }: Pick<Person, 'name' | 'userId'>,
): Promise<readonly string[]> {
  const people = await tx
    .selectFrom('person')
    .select(['person_id', 'email'])
    .where('tenant', '=', tenant)
    .where((where) => where.or([where('email', '=', name), where('person_id', '=', userId ?? '')]))
    .execute();
  return [
    nameMark(name),
    ...(userId === undefined ? [] : [userMark(userId)]),
    ...people.flatMap((one) => [nameMark(one.email), userMark(one.person_id)]),
  ];
}

function nameMark(name: string): string {
  return `name ${name}`;
}

function userMark(userId: string): string {
  return `user ${userId}`;
}
