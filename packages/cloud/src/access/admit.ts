/** Lets in whom a provider vouches for, when an administrator has invited them. */
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import { LOCAL_ISSUER } from './local-accounts.ts';
import type { OidcIdentity } from './oidc.ts';
import type { Person } from './people.ts';

/**
 * Finds the person whom a provider means: by issuer and subject, and before they ever signed in by the address
 * that the provider has verified. From then on the address may change; issuer and subject may not.
 *
 * @throws CloudFault SIGN_IN_REFUSED for everybody else, in the same words whatever the reason.
 */
export async function admit(
  { database }: Pick<CloudContext, 'database'>,
  { issuer, subject, email }: OidcIdentity,
): Promise<Person> {
  return await committed(database, async (tx) => {
    const bound = await tx
      .selectFrom('person')
      .selectAll()
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .executeTakeFirst();
    if (bound !== undefined) {
      if (bound.disabled_at === null) return bound;
      throw refused();
    }
    if (email === undefined) throw refused();
    const invited = await tx
      .updateTable('person')
      .set({ issuer, subject, password: null })
      .where('email', '=', email)
      .where('issuer', 'in', ['', LOCAL_ISSUER])
      .where('disabled_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (invited === undefined) throw refused();
    return invited;
  });
}

function refused(): CloudFault {
  return new CloudFault(
    'SIGN_IN_REFUSED',
    'Cannot sign in: you are not among the people of this installation; ask its administrator',
  );
}
