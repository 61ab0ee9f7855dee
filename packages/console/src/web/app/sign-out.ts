/** Signing in and out: pages of the cloud itself, beside the API. */
import { z } from 'zod';

const leftSchema = z.object({ location: z.string() });

/** Where signing in begins; it leads back to where the person is now. */
export function signInAddress(): string {
  return `/auth/login?return=${encodeURIComponent(location.pathname + location.search)}`;
}

/** Ends the session here and with the provider, and leaves for where the cloud says. */
export async function signOut(csrfToken: string | undefined): Promise<void> {
  const response = await fetch('/auth/logout', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { accept: 'application/json', 'x-csrf-token': csrfToken ?? '' },
  });
  const left = leftSchema.safeParse(await response.json().catch(() => undefined));
  location.assign(left.success ? left.data.location : '/auth/login');
}
